"""`vary` and `interpolate` as requests and commands: what they take and refuse, and making it again."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from engine import cli, interpolate, remake, resume, vary
from engine.errors import Cancelled, InvalidRequest
from engine.generation import run_generate
from engine.host import Host
from engine.params import resolve
from engine.settings import Difference

SMALL = {"pack": "tiny", "width": 128, "height": 128, "steps": 1, "judge_views": 2, "cutouts": 2}


@pytest.fixture
def make(tiny_pack, tmp_path):
    """Runs a request with the tiny pack; returns the sidecars' paths in the order of their ranks."""

    def make(name, params, resolve, **host):
        settings, delivery = resolve({**params, "folder": str(tmp_path / name)})
        summary = run_generate(settings, delivery, Host(lambda *_: tiny_pack, **host))
        return [tmp_path / name / v["sidecar"] for v in summary["variations"]]

    return make


@pytest.fixture
def bricks(make):
    return make("bricks", {**SMALL, "prompt": "red bricks", "variations": 1, "seed": 5}, resolve)[0]


@pytest.fixture
def moss(make):
    return make("moss", {**SMALL, "prompt": "moss", "variations": 1, "seed": 6}, resolve)[0]


def settings_of(sidecar):
    return json.loads(sidecar.read_text("utf-8"))["settings"]


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "summary.json"}


def refused(params, resolve):
    with pytest.raises(InvalidRequest) as caught:
        resolve({"folder": "/x", **params})
    return caught.value


# --- vary ----------------------------------------------------------------------------------------


def test_a_variation_has_the_settings_of_its_result_and_what_the_request_names(bricks, tmp_path):
    asked = {
        "result": str(bricks),
        "strength": 0.7,
        "variations": 3,
        "difference": {"from": "dry", "to": "wet"},
    }
    s, delivery = vary.resolve({**asked, "folder": str(tmp_path), "preview": False})
    assert (s.prompt, s.pack, s.width, s.steps) == ("red bricks", "tiny", 128, 1)
    assert (s.vary, s.image, s.strength, s.variations) == (True, str(bricks), 0.7, 3)
    assert s.difference == Difference(before="dry", after="wet", weight=1.0)
    assert delivery.preview is False
    assert s.seed != vary.resolve({**asked, "folder": str(tmp_path)})[0].seed, "drawn anew"


def test_a_variation_of_an_edit_does_not_edit_again(make, bricks, tmp_path):
    mask = tmp_path / "mask.png"
    Image.new("L", (8, 8), 255).save(mask)
    edited = make("edit", {**SMALL, "prompt": "x", "seed": 1, "variations": 1, "mask": str(mask)}, resolve)[0]
    s, _ = vary.resolve({"result": str(edited), "folder": str(tmp_path)})
    assert (s.mask, s.strength) == ("", vary.STRENGTH)


def test_a_picture_is_called_by_its_file(tmp_path):
    path = tmp_path / "old_stone-wall: 3.png"
    Image.new("RGB", (8, 8)).save(path)
    s, _ = vary.resolve({"image": str(path), "folder": str(tmp_path)})
    assert s.prompt == '"old stone wall: 3"'
    assert (s.vary, s.image) == (True, str(path))


@pytest.mark.parametrize(
    ("params", "field", "said"),
    [
        ({}, "result", "either 'result' or 'image'"),
        ({"result": "/x.json", "image": "/x.png"}, "result", "either 'result' or 'image'"),
        ({"result": "x.json"}, "result", "absolute path"),
        ({"result": 3}, "result", "absolute path"),
        ({"result": "/no/such.json"}, "result", "cannot be read"),
        ({"image": "/no/such.png"}, "image", "is not there"),
        ({"image": "/no/such.png", "strength": 2}, "strength", "between 0 and 1"),
        ({"image": "/x.png", "difference": {"from": "dry"}}, "difference", "lacks 'to'"),
        ({"image": "/x.png", "difference": {"from": "a", "to": "b", "wait": 1}}, "difference", "no 'wait'"),
        ({"image": "/x.png", "difference": {"from": "a", "to": "b", "weight": 9}}, "difference", "weight"),
        ({"image": "/x.png", "difference": "wet"}, "difference", "object"),
        ({"image": "/x.png", "strenght": 0.1}, "strenght", "Did you mean 'strength'"),
    ],
)
def test_bad_variations_are_refused_by_the_name_of_the_field(params, field, said):
    error = refused(params, vary.resolve)
    assert error.field == field
    assert said in error.message


def test_settings_that_belong_together_are_asked_for(bricks):
    base = {"prompt": "x", "image": str(bricks)}
    assert refused({"prompt": "x", "vary": True}, resolve).field == "image"
    assert refused({**base, "difference": {"before": "a", "after": "b"}}, resolve).field == "difference"
    assert refused({**base, "towards": str(bricks), "shares": [0.5]}, resolve).field == "shares"
    assert refused({**base, "shares": [0.5], "variations": 1}, resolve).field == "shares"


def test_the_same_seed_gives_the_same_bytes_and_remake_makes_them_again(make, bricks, tmp_path):
    asked = {"result": str(bricks), "strength": 0.6, "variations": 2, "seed": 3}
    asked["difference"] = {"from": "dry", "to": "mossy"}
    make("a", asked, vary.resolve)
    second = make("b", asked, vary.resolve)[1]
    make("c", {"sidecar": str(second)}, remake.resolve)
    assert contents(tmp_path / "a") == contents(tmp_path / "b") == contents(tmp_path / "c")
    assert len(contents(tmp_path / "a")) >= 2 * 7


def test_a_variation_of_a_variation_knows_its_recipe(make, bricks):
    first = make("a", {"result": str(bricks), "strength": 0.2, "variations": 1, "seed": 3}, vary.resolve)[0]
    second = make("b", {"result": str(first), "strength": 0.2, "variations": 1, "seed": 4}, vary.resolve)[0]
    origins = [json.loads(path.read_text("utf-8"))["origin"] for path in (bricks, first, second)]
    names = [origin.partition(": ")[2] for origin in origins]
    assert names == [names[0]] * 3
    assert all(", draw " in origin for origin in origins[1:])


# --- interpolate ---------------------------------------------------------------------------------


def test_materials_between_two_with_a_strip_and_again(make, bricks, moss, tmp_path):
    asked = {"from": str(bricks), "to": str(moss), "count": 3, "steps": 1, "seed": 2}
    made = make("way", asked, interpolate.resolve)
    assert [settings_of(path)["shares"] for path in made] == [[0.0, 0.5, 1.0]] * 3
    assert [json.loads(path.read_text("utf-8"))["variation"] for path in made] == [0, 1, 2]
    with Image.open(tmp_path / "way" / "strip.png") as strip:
        assert strip.size == (3 * 128, 128)
    summary = json.loads((tmp_path / "way" / "summary.json").read_text("utf-8"))
    assert summary["strip"] == "strip.png"
    assert summary["prompt"] == "red bricks | moss"
    make("again", {"sidecar": str(made[1])}, remake.resolve)
    assert contents(tmp_path / "again") == contents(tmp_path / "way")
    assert "strip.png" in contents(tmp_path / "again")


def test_a_way_that_was_stopped_goes_on_to_its_strip(make, bricks, moss, tmp_path):
    asked = {"from": str(bricks), "to": str(moss), "count": 3, "steps": 3, "seed": 2}
    make("whole", asked, interpolate.resolve)
    (tmp_path / "stopped").mkdir()
    (tmp_path / "stopped/strip.png").write_bytes(b"of an earlier way")
    seen = []
    guided = lambda: any(progress.phase == "guide" for progress in seen)
    with pytest.raises(Cancelled):
        make("stopped", asked, interpolate.resolve, on_progress=seen.append, should_stop=guided)
    assert "strip.png" not in contents(tmp_path / "stopped")
    make("stopped", {}, resume.resolve)
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")


def test_a_changed_end_is_refused_when_it_is_made_again(make, bricks, moss):
    asked = {"from": str(bricks), "to": str(moss), "count": 2, "steps": 0, "seed": 2}
    made = make("way", asked, interpolate.resolve)
    Image.new("L", (128, 128)).save(next(moss.parent.glob("*_roughness.png")))
    error = refused({"sidecar": str(made[0])}, remake.resolve)
    assert error.field == "towards"


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({}, "from"),
        ({"from": "/a.json"}, "to"),
        ({"from": "/no/a.json", "to": "/no/b.json"}, "from"),
        ({"from": "/no/a.png", "to": "/no/b.png"}, "image"),
        ({"from": "/a.png", "to": "/b.png", "count": 1}, "count"),
        ({"from": "/a.png", "to": "/b.png", "count": 17}, "count"),
        ({"from": "/a.png", "to": "/b.png", "count": True}, "count"),
    ],
)
def test_bad_ways_are_refused_by_the_name_of_the_field(params, field):
    assert refused(params, interpolate.resolve).field == field


# --- The command line ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["vary", "no-such.json"], "no-such.json cannot be read"),
        (["vary", "no-such.png"], "no-such.png is not there"),
        (["vary", "x.png", "--strength", "3"], "'strength' must be between 0 and 1"),
        (["vary", "x.png", "--from", "dry"], "'difference' lacks 'to'"),
        (["vary", "x.png", "--size", "big"], "'width' must be a whole number"),
        (["vary", "x.png", "--size", "²"], "'width' must be a whole number"),
        (["vary", "x.png", "--size", "256x"], "'height' must be a whole number"),
        (["interpolate", "a.json", "b.json", "--steps", "1"], "'count' must be 2 to 16"),
        (["interpolate", "a.json", "b.json"], "a.json cannot be read"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(capsys, arguments, said):
    assert cli.main(arguments) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("vary", "--strength --from --to --weight --variations --steps --seed --size --out --json"),
        ("interpolate", "--steps --guided --seed --size --out --json strip.png"),
    ],
)
def test_help_explains_every_option_with_an_example(capsys, command, options):
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert all(option in text for option in options.split())
    assert f"    {command} bricks/red_bricks_v1.json" in text
    assert str(vary.STRENGTH) in text or command != "vary"
