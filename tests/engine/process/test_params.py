"""What a request may say, and how it is told what is wrong."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis.strategies import floats, integers, one_of, sampled_from

from engine import presets
from engine.errors import InvalidRequest, Remedy, UnknownPreset
from engine.params import resolve
from engine.settings import RunSettings

GOOD = {"prompt": "mossy cobblestones", "folder": "/tmp/x"}


def refused(**wrong):
    with pytest.raises(InvalidRequest) as caught:
        resolve({**GOOD, **wrong})
    return caught.value


@pytest.mark.parametrize(
    ("wrong", "sentence", "remedy"),
    [
        ({"stepz": 4}, "Unknown setting 'stepz'. Did you mean 'steps'?", None),
        ({"foldr": "/x"}, "Unknown setting 'foldr'. Did you mean 'folder'?", None),
        ({"zzz": 4}, "Unknown setting 'zzz'.", None),
        ({"width": 250}, "'width' must be between 128 and 2048, in steps of 8; 250 was given.", 248),
        ({"height": 10**400}, None, 2048),
        ({"width": 0}, None, 128),
        ({"steps": -1}, "'steps' must be between 0 and 5000; -1 was given.", 0),
        ({"steps": "5"}, "'steps' must be a whole number; \"5\" was given.", None),
        ({"steps": True}, "'steps' must be a whole number; true was given.", None),
        ({"seed": None}, "'seed' must be a whole number; null was given.", None),
        ({"lr": 0}, "'lr' must be above 0 and at most 1; 0 was given.", None),
        ({"lr": 3.5}, "'lr' must be above 0 and at most 1; 3.5 was given.", 1),
        ({"ema": 1}, "'ema' must be 0 or more and below 1; 1 was given.", None),
        ({"tile": "xyz"}, "'tile' must be one of 'xy', 'x', 'y', 'none'; \"xyz\" was given.", "xy"),
        ({"device": 3}, "'device' must be one of 'auto', 'cpu', 'cuda', 'mps'; 3 was given.", None),
        ({"prompt": " "}, "The prompt is empty. Describe a surface.", None),
        ({"prompt": "\ud800"}, "'prompt' must be valid Unicode text; \"\\ud800\" was given.", None),
        ({"negative": "x" * 2001}, None, None),
        ({"templates": ["{}", 3]}, "'templates' 2 must be text; 3 was given.", None),
        ({"templates": []}, "'templates' must be a list of 1 or more; [] was given.", None),
        ({"folder": "here"}, "'folder' must be the absolute path of a folder; \"here\" was given.", None),
        ({"folder": "/a\0b"}, None, None),
        ({"folder": "/a\ud800b"}, None, None),
        ({"history": "/a\ud800b"}, None, None),
        (
            {"spots": [{"prompt": " ", "mask": "/a.png"}]},
            "'spots' 1 prompt must be text that is not empty; \" \" was given.",
            None,
        ),
        (
            {"spots": [{"prompt": "moss", "mask": ""}]},
            "'spots' 1 mask must be text that is not empty; \"\" was given.",
            None,
        ),
        (
            {"history": "results"},
            "'history' must be the absolute path of a folder; \"results\" was given.",
            None,
        ),
        ({"preview": 1}, "'preview' must be true or false; 1 was given.", None),
        (
            {"noise_prompts": [3]},
            "'noise_prompts' 1 must be an object with names and values; 3 was given.",
            None,
        ),
        (
            {"noise_prompts": [{"seed": 1}, {"seed": 1, "weight": 99}]},
            "'noise_prompts' 2 weight must be between -10 and 10; 99 was given.",
            None,
        ),
        ({"noise_prompts": [{}]}, "'noise_prompts' 1 seed is missing.", None),
        ({"noise_prompts": [{"seed": 1, "size": 2}]}, "Unknown setting 'noise_prompts' 1 size.", None),
        ({"pictures": "x.png"}, "'pictures' must be a list; \"x.png\" was given.", None),
        (
            {"pictures": [{"path": "x.png"}]},
            "'pictures': x.png is not there. Give the absolute path of a picture.",
            None,
        ),
        ({"pictures": [{"path": "/a\0b"}]}, None, None),
        ({"palette": ["cream", "reddish"]}, None, None),
        ({"palette": "/nowhere.png"}, None, None),
        ({"palette": 3}, "'palette' must be a list; 3 was given.", None),
        ({"palette": [3]}, "'palette' 1 must be text; 3 was given.", None),
        ({"palette_weight": -1}, "'palette_weight' must be between 0 and 100; -1 was given.", 0),
        ({"anti_lettering": 11}, "'anti_lettering' must be between 0 and 10; 11 was given.", 10),
        (
            {"prompt": "moss | wet:0,4"},
            (
                'Prompt, column 12: "0,4" is no weight. Write a number such as 0.5, or put the text in '
                "quotes if the colon is its own."
            ),
            None,
        ),
        ({"negative": "moss |"}, None, None),
        ({"checkpoint_every": -1}, "'checkpoint_every' must be 0 or more; -1 was given.", 0),
        ({"pack": "../x"}, "'pack' must be a name of small letters and digits; \"../x\" was given.", None),
    ],
)
def test_a_bad_field_is_named_with_its_range_and_a_way_out(wrong, sentence, remedy):
    error = refused(**wrong)
    (field,) = wrong
    assert error.field == field
    assert sentence in {None, error.message}
    assert error.remedy == (None if remedy is None else Remedy(field, remedy))
    assert len(error.message) < 250  # a panel shows it


@pytest.mark.parametrize("missing", ["prompt", "folder"])
def test_a_missing_field_is_named(missing):
    with pytest.raises(InvalidRequest) as caught:
        resolve({name: value for name, value in GOOD.items() if name != missing})
    assert (caught.value.field, caught.value.message) == (missing, f"{missing!r} is missing.")


@given(
    name=sampled_from(["width", "height", "steps", "variations", "cutouts", "lr", "keep", "relief", "seed"]),
    value=one_of(integers(), floats(allow_nan=False)),
)
def test_a_remedy_is_always_taken(name, value):
    """A panel's button that sends the remedy must not earn another error."""
    try:
        resolve({**GOOD, name: value})
    except InvalidRequest as error:
        if error.remedy is not None:
            resolve({**GOOD, name: error.remedy.value})


def test_a_seed_is_drawn_where_none_is_given():
    seeds = {resolve(GOOD)[0].seed for _ in range(4)}
    assert len(seeds) == 4
    assert resolve({**GOOD, "seed": 7})[0].seed == 7


def write(folder, **content):
    preset = {"format": 1, "label": "Test", "templates": ["{}"], **content}
    (folder / "test.json").write_text(json.dumps(preset))


def test_defaults_give_way_to_the_preset_and_the_preset_to_the_request(tmp_path):
    write(
        tmp_path,
        templates=["{} seen from above"],
        negative="dull",
        settings={"steps": 5, "relief": 0.1, "lr": 0.2},
    )
    asked = {**GOOD, "preset": "test", "steps": 9, "relief": None}
    settings, _ = resolve(asked, tmp_path)
    assert settings.templates == ("{} seen from above",)
    assert (settings.steps, settings.relief, settings.lr) == (9, None, 0.2)
    assert settings.ema == RunSettings.model_fields["ema"].default
    assert settings.negative == "dull"
    assert resolve({**asked, "negative": "wet"}, tmp_path)[0].negative == "wet"


# --- Preset files --------------------------------------------------------------------------------


def test_every_preset_of_ours_is_good():
    loaded = {preset_id: presets.load(preset_id) for preset_id in presets.ids()}
    assert len(loaded) >= 25
    assert {"plain", "stone", "wood", "metal", "fabric"} <= set(loaded)
    assert all(preset.example and preset.description for preset in loaded.values())


def test_presets_differ_in_what_they_ask_the_engine_for():
    """A preset that only has another name teaches an artist not to trust the gallery."""
    made = {
        i: resolve({**GOOD, "preset": i, "seed": 1})[0].model_dump(exclude={"preset"}) for i in presets.ids()
    }
    for name, settings in made.items():
        twins = [other for other, theirs in made.items() if other != name and theirs == settings]
        assert not twins, (name, twins)


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"format": 2}, "format"),
        ({"label": ""}, "'label'"),
        ({"templates": []}, "'templates'"),
        ({"templates": ["no hole"]}, "no hole"),
        ({"templates": [3]}, "3"),
        ({"negative": 3}, "'negative'"),
        ({"negative": "moss |"}, "no words"),
        ({"settings": {"stepz": 1}}, "'stepz'"),
        ({"settings": {"steps": -1}}, "'steps'"),
        ({"settings": {"seed": 1}}, "'seed'"),
        ({"material": {"displacement": "UP"}}, "'displacement'"),
        ({"material": {"normal_strength": 9}}, "'normal_strength'"),
        ({"material": {"colour": "red"}}, "'colour'"),
        ({"example": 3}, "'example'"),
        ({"colour": "red"}, "'colour'"),
    ],
)
def test_a_bad_preset_is_refused_by_file_and_fault(tmp_path, wrong, fault):
    write(tmp_path, **wrong)
    with pytest.raises(UnknownPreset) as caught:
        presets.load("test", tmp_path)
    assert "test.json" in caught.value.message
    assert fault in caught.value.message


@pytest.mark.parametrize("text", ["", "[]", "{", "\xff", "[" * 100_000])
def test_a_preset_that_is_no_json_object_is_refused(tmp_path, text):
    (tmp_path / "test.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(UnknownPreset, match=r"test\.json"):
        presets.load("test", tmp_path)


def test_an_unknown_preset_says_which_there_are():
    with pytest.raises(UnknownPreset, match="plain") as caught:
        presets.load("ston")
    assert caught.value.remedy == Remedy("preset", "stone")
    with pytest.raises(UnknownPreset):
        presets.load("../presets/stone")


# --- The user's own ------------------------------------------------------------------------------


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("PATINA_HOME", str(tmp_path))
    folder = tmp_path / "presets"
    folder.mkdir()
    return folder


def test_a_users_preset_stands_beside_one_of_ours_of_the_same_name(own):
    write(own, label="Mine", settings={"steps": 3})
    (own / "test.json").rename(own / "stone.json")
    assert {"stone", "my_stone"} <= set(presets.ids())
    assert presets.load("stone").label == "Stone"
    assert presets.load("my_stone").label == "Mine"
    settings, _ = resolve({**GOOD, "preset": "my_stone"})
    assert (settings.preset, settings.steps) == ("my_stone", 3)


def test_no_preset_of_ours_has_an_id_that_is_kept_for_the_users():
    assert not [path for path in presets.FOLDER.glob("*.json") if path.stem.startswith(presets.OWN)]


def test_a_users_file_that_no_request_could_name_says_so(own):
    write(own)
    (own / "test.json").rename(own / "My Stone.json")
    with pytest.raises(UnknownPreset, match="Rename it"):
        presets.load("my_My Stone")


def test_a_stored_result_outlives_its_preset(own):
    write(own, templates=["{} of old"], negative="dull", settings={"steps": 5})
    stored, _ = resolve({**GOOD, "preset": "my_test", "seed": 1})
    (own / "test.json").unlink()
    again, _ = resolve({**stored.model_dump(mode="json"), "folder": GOOD["folder"]})
    assert again == stored
    with pytest.raises(UnknownPreset):
        resolve({**GOOD, "preset": "my_test"})
