"""The pictures of presets: made by a real run, with a small network, and those that ship looked over."""

from __future__ import annotations

import json

import pytest
from PIL import Image, ImageStat

from engine import presets, thumbnails
from engine.errors import UnknownPreset

PRESET = {
    "format": 1,
    "label": "Bricks",
    "templates": ["{}"],
    "example": "red bricks",
    "settings": {"steps": 1, "cutouts": 2},
}


def test_one_command_draws_the_pictures_of_the_presets_in_a_folder(tmp_path, pack_root):
    for name in ("bricks", "more"):
        (tmp_path / f"{name}.json").write_text(json.dumps(PRESET))
    files = list(thumbnails.make(folder=tmp_path, pack="tiny"))
    assert files == [tmp_path / "thumbnails" / f"{name}.jpg" for name in ("bricks", "more")]
    with Image.open(files[0]) as picture:
        assert (picture.format, picture.size, picture.mode) == ("JPEG", (128, 128), "RGB")
    first = files[0].read_bytes()
    assert [path.read_bytes() for path in thumbnails.make(["bricks"], tmp_path, "tiny")] == [first]


def test_the_picture_of_a_users_preset_is_with_the_user(tmp_path, monkeypatch, pack_root):
    monkeypatch.setenv("PATINA_HOME", str(tmp_path))
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "oak.json").write_text(json.dumps(PRESET))
    assert list(thumbnails.make(["my_oak"], pack="tiny")) == [tmp_path / "presets" / "thumbnails" / "oak.jpg"]


def test_an_unknown_preset_is_told_before_anything_is_drawn(tmp_path):
    with pytest.raises(UnknownPreset):
        next(thumbnails.make(["plain", "no_such"]))


@pytest.mark.parametrize("preset_id", presets.ids())
def test_every_preset_that_ships_has_a_picture_with_something_on_it(preset_id):
    path = thumbnails.picture_of(preset_id)
    assert path.is_file(), f"python -m engine thumbnails {preset_id}"
    assert path.stat().st_size < 12_000
    with Image.open(path) as picture:
        assert picture.size == (128, 128)
        assert max(ImageStat.Stat(picture).stddev) > 4, "a picture of one colour"


def test_no_picture_is_left_of_a_preset_that_went():
    left = {path.stem for path in (presets.FOLDER / thumbnails.FOLDER).iterdir()}
    assert left == {path.stem for path in presets.FOLDER.glob("*.json")}
