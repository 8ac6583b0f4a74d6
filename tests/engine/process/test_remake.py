"""A result made again from its sidecar: the same bytes, or a sentence that says why not."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from engine import cli_make, story
from engine.cli import main
from engine.errors import InvalidRequest
from engine.host import Host
from engine.remake import differences, resolve
from engine.settings import RunSettings
from tests.engine import runs


@pytest.fixture
def mask(tmp_path):
    path = tmp_path / "mask.png"
    Image.linear_gradient("L").save(path)
    return path


@pytest.fixture
def made(tiny_pack, tmp_path, mask):
    """A result on disk: the second of two, with a mask."""
    settings = RunSettings(
        prompt="red bricks", pack="tiny", seed=5, variations=2, width=128, height=128, steps=1, mask=str(mask)
    )
    summary = runs.make(settings, tmp_path / "made", tiny_pack)
    return tmp_path / "made" / summary["variations"][1]["sidecar"]


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "summary.json"}


def test_a_result_is_made_again_byte_for_byte(made, tiny_pack, tmp_path):
    settings, _ = resolve({"sidecar": str(made), "folder": str(tmp_path / "again")})
    runs.make(settings, tmp_path / "again", tiny_pack)
    assert contents(tmp_path / "again") == contents(made.parent)


def test_a_changed_file_is_refused_by_name(made, mask):
    Image.new("L", (8, 8), 255).save(mask)
    with pytest.raises(InvalidRequest, match="'mask' is another file") as caught:
        resolve({"sidecar": str(made), "folder": str(made.parent)})
    assert caught.value.field == "mask"


@pytest.mark.parametrize("setting", ["image", "pictures"])
def test_another_picture_to_begin_from_or_come_near_to_is_refused(tiny_pack, tmp_path, setting):
    path = tmp_path / "p.png"
    Image.radial_gradient("L").save(path)
    given = str(path) if setting == "image" else ({"path": str(path)},)
    plain = {"prompt": "red bricks", "pack": "tiny", "seed": 5, "variations": 1, "width": 128, "height": 128}
    asked = RunSettings.model_validate({**plain, "steps": 0, setting: given})
    made = runs.make(asked, tmp_path / "made", tiny_pack)["variations"][0]["sidecar"]
    again = {"sidecar": str(tmp_path / "made" / made), "folder": str(tmp_path / "again")}
    assert resolve(again)[0].pictures == asked.pictures or setting == "pictures"
    Image.linear_gradient("L").save(path)
    with pytest.raises(InvalidRequest) as caught:
        resolve(again)
    assert caught.value.field == setting


@pytest.mark.parametrize("sidecar", [None, 3, "made.json"])
def test_a_sidecar_that_is_no_absolute_path_is_refused(sidecar):
    with pytest.raises(InvalidRequest, match="absolute path") as caught:
        resolve({"sidecar": sidecar, "folder": "/x"})
    assert caught.value.field == "sidecar"


def test_what_is_no_result_is_refused(tmp_path):
    path = tmp_path / "x.json"
    path.write_text("{}")
    with pytest.raises(InvalidRequest, match="not the JSON file of a result"):
        resolve({"sidecar": str(path), "folder": str(tmp_path)})


def test_what_is_not_as_it_was_is_said(made):
    then = json.loads(made.read_text("utf-8"))
    assert differences(then, then) == []
    now = json.loads(made.read_text("utf-8"))
    now["pack"]["sha256"]["guide"], now["device"], now["versions"]["torch"] = "0" * 64, "cuda/bfloat16", "9"
    sentences = differences(then, now)
    assert len(sentences) == 3
    for word, sentence in zip(("guide", "cuda/bfloat16", "torch"), sentences, strict=True):
        assert word in sentence


@pytest.fixture
def told(tiny_pack, tmp_path):
    """A story on disk, whatever its file is called, with maps and a guide's other wishes."""
    settings, delivery = story.resolve(
        {"story": "0: moss | wet:0.4 | 1: mud", "frames": 2, "pack": "tiny", "width": 128, "height": 128,
         "steps": 1, "cutouts": 1, "maps": ["normal"], "folder": str(tmp_path / "told")}
    )  # fmt: skip
    story.run_story(settings, delivery, Host(lambda *_: tiny_pack))
    return (tmp_path / "told" / story.STORY).rename(tmp_path / "told" / "mud.json")


def test_a_story_is_told_again_byte_for_byte(told, tiny_pack, tmp_path):
    settings, delivery = resolve({"sidecar": str(told), "folder": str(tmp_path / "again")})
    story.run_story(settings, delivery, Host(lambda *_: tiny_pack))
    (tmp_path / "again" / story.STORY).rename(tmp_path / "again" / told.name)
    assert contents(tmp_path / "again") == contents(told.parent)
    assert "normal_0002.png" in contents(told.parent)


def test_the_shell_remakes_a_story_as_a_story(told, monkeypatch, tmp_path, capsys):
    asked = []
    monkeypatch.setattr(cli_make, "make", lambda *given, **more: asked.append((given, more)) or tmp_path)
    assert main(["remake", str(told), "--out", str(tmp_path / "again")]) == 0
    ((_, params, understands, made_by), more) = asked[0]
    assert (params, understands) == ({"sidecar": str(told)}, resolve)
    assert made_by == ("engine.story", "run_story")
    assert more == {"spared": told.parent}


def test_a_story_that_was_stopped_says_that_it_goes_to_its_end(told):
    then = story.stored(told)
    assert differences({**then, "complete": False, "frames": ["frame_0001.png"]}, then) == [
        "It was stopped after frame 1, and now it went to its end."
    ]


def test_the_results_own_folder_is_not_overwritten(made, capsys):
    before = contents(made.parent)
    assert main(["remake", str(made), "--out", str(made.parent)]) == 2
    assert "Give another --out" in capsys.readouterr().err
    assert contents(made.parent) == before
