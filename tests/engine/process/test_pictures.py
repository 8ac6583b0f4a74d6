"""Picture files at the boundary: what is read, what is refused, which colours are in it."""

from __future__ import annotations

import io

import numpy as np
import OpenEXR
import pytest
from PIL import Image

from engine.errors import InvalidRequest
from engine.params import resolve
from engine.pictures import MAX_PIXELS, colours, read
from engine.settings import PicturePrompt


def pixels(path):
    return read(PicturePrompt(path=str(path)))


def test_a_picture_is_upright_srgb_in_0_to_1(tmp_path):
    """Its EXIF says that the left edge is the top of the scene."""
    picture = Image.new("RGB", (4, 2), (0, 0, 255))
    picture.putpixel((0, 1), (255, 0, 51))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise to see it
    picture.save(tmp_path / "a.png", exif=exif)
    found = pixels(tmp_path / "a.png")
    assert found.shape == (4, 2, 3)
    assert found.dtype == np.float32
    assert found[0, 0].tolist() == pytest.approx([1, 0, 0.2])


def test_other_kinds_of_pixels_become_srgb_too(tmp_path):
    Image.fromarray(np.full((2, 2), 0x8080, np.uint16)).save(tmp_path / "grey16.png")
    assert pixels(tmp_path / "grey16.png")[0, 0].tolist() == pytest.approx([0.502] * 3, abs=1e-3)
    Image.new("RGBA", (2, 2), (0, 0, 0, 51)).save(tmp_path / "clear.png")
    assert pixels(tmp_path / "clear.png")[0, 0].tolist() == pytest.approx([0.8] * 3)
    Image.new("P", (2, 2)).save(tmp_path / "few.gif")
    assert pixels(tmp_path / "few.gif").shape == (2, 2, 3)


@pytest.mark.parametrize("field", ["pictures", "palette"])
def test_what_is_no_picture_is_refused_by_name(tmp_path, field):
    (tmp_path / "text.png").write_text("no picture")
    Image.effect_noise((64, 64), 50).save(tmp_path / "whole.png")
    (tmp_path / "torn.png").write_bytes((tmp_path / "whole.png").read_bytes()[:900])
    for name in ("text.png", "torn.png", "missing.png", "."):
        path = str(tmp_path / name)
        with pytest.raises(InvalidRequest) as caught:
            colours(path) if field == "palette" else pixels(path)
        assert caught.value.field == field
        assert caught.value.message.startswith(f"{field!r}: ")
        assert (tmp_path / name).name in caught.value.message


def test_a_picture_too_large_to_hold_is_refused_before_it_is_decoded(tmp_path):
    side = int(MAX_PIXELS**0.5) + 1
    Image.new("1", (side, side)).save(tmp_path / "wide.png")
    with pytest.raises(InvalidRequest, match="Scale it down"):
        pixels(tmp_path / "wide.png")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("cream, Brick Red", ["#efe6cf", "#8f3a2e"]),
        ("gray", ["#808080"]),
        (["#ABC", "salmon", "#11223344"], ["#aabbcc", "#fa8072", "#112233"]),
        ([], []),
        (3, 3),
        ([3], [3]),
    ],
    ids=str,
)
def test_colours_have_names_and_numbers(given, expected):
    assert colours(given) == expected


def test_a_picture_gives_its_colours_the_commonest_first(tmp_path):
    picture = Image.new("RGB", (10, 10), (200, 30, 20))
    picture.paste((20, 40, 180), (0, 0, 10, 3))
    picture.save(tmp_path / "p.png")
    assert colours(str(tmp_path / "p.png")) == ["#c81e14", "#1428b4"]


def test_a_request_with_files_becomes_settings_without_doubt(tmp_path):
    """What is stored needs no palette file any more, and knows the picture."""
    path = tmp_path / "p.png"
    Image.new("RGB", (10, 10), (200, 30, 20)).save(path)
    asked = {
        "prompt": "bricks",
        "folder": str(tmp_path),
        "palette": str(path),
        "pictures": [{"path": str(path)}],
    }
    settings, _ = resolve(asked)
    assert settings.palette == ("#c81e14",)
    assert len(settings.pictures[0].sha256) == 64
    again, _ = resolve({**settings.model_dump(mode="json"), "folder": str(tmp_path)})
    assert again == settings


@pytest.mark.parametrize("field", ["pictures", "palette"])
def test_exr_files_count_as_pictures_and_torn_ones_are_refused(tmp_path, field):
    out, path = io.BytesIO(), tmp_path / "a.exr"
    light = np.float32([[[0.2158605, 0, 7]]]).repeat(32, 0).repeat(32, 1)
    with OpenEXR.File(
        {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}, {"RGB": light}
    ) as f:
        f.write(out)
    path.write_bytes(out.getvalue())
    if field == "palette":
        assert colours(str(path)) == ["#8000ff"]
    else:
        assert pixels(path)[3, 3].tolist() == pytest.approx([128 / 255, 0, 1], abs=1e-6)
    for torn in (out.getvalue()[:40], out.getvalue()[:-30], out.getvalue()[:4]):
        path.write_bytes(torn)
        with pytest.raises(InvalidRequest) as caught:
            colours(str(path)) if field == "palette" else pixels(path)
        assert caught.value.field == field


def test_what_is_transparent_of_an_exr_file_is_white(tmp_path):
    out, path = io.BytesIO(), tmp_path / "a.exr"
    light = np.float32([[[0.2158605, 0, 1, 1], [0, 0, 0, 0]]]).repeat(32, 0)
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with OpenEXR.File(header, {"RGBA": light}) as f:
        f.write(out)
    path.write_bytes(out.getvalue())
    left, right = pixels(path)[3]
    assert left.tolist() == pytest.approx([128 / 255, 0, 1], abs=1e-6)
    assert right.tolist() == [1, 1, 1]
