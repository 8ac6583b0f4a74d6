"""Raw previews and thumbnails as icons."""

from __future__ import annotations

import struct

import pytest

from tests.addon.support import write_png


@pytest.fixture(params=[True, False], ids=["numpy", "no numpy"])
def images(request, blender, monkeypatch):
    """Debian's Blender 3.4 has no numpy."""
    module = blender.package.images
    if not request.param:
        monkeypatch.setattr(module, "np", None)
    return module


def preview(blender, folder, width, height, pixels=None, variation=0):
    path = folder / f"{width}x{height}.rgba"
    path.write_bytes(
        b"".join(struct.pack("4B", *pixel) for pixel in pixels or [(9, 8, 7, 255)] * (width * height))
    )
    return blender.package.link.Preview(1, variation, str(path), width, height)


def test_pixels_arrive_as_they_are_with_row_0_at_the_bottom(blender, images, tmp_path):
    pixels = [(255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 255, 255), (1, 2, 3, 128)]
    assert images.show_live(preview(blender, tmp_path, 2, 2, pixels))
    icon = images._collection["live 0"]
    assert tuple(icon.image_size) == (2, 2)
    shown = [struct.pack("i", value) for value in icon.image_pixels]
    assert shown == [struct.pack("4B", *pixel) for pixel in pixels]


def test_the_next_run_may_have_another_size(blender, images, tmp_path):
    for width, height in ((8, 8), (16, 4), (2, 2)):
        assert images.show_live(preview(blender, tmp_path, width, height))
        icon = images._collection["live 0"]
        assert tuple(icon.image_size) == (width, height)
        assert len(icon.image_pixels) == width * height


@pytest.mark.parametrize("change", ["gone", "short", "no size", "negative"])
def test_a_file_that_is_not_whole_is_not_shown(blender, images, tmp_path, change):
    good = preview(blender, tmp_path, 4, 4)
    kind, path = type(good), tmp_path / "4x4.rgba"
    sizes = {"no size": (0, 0), "negative": (-4, -4)}
    if change == "gone":
        path.unlink()
    elif change == "short":
        path.write_bytes(path.read_bytes()[:-1])
    assert not images.show_live(kind(1, 0, str(path), *sizes.get(change, (4, 4))))


def test_a_thumbnail_is_loaded_once_and_a_missing_one_is_no_icon(blender, tmp_path):
    images = blender.package.images
    path = tmp_path / "basecolor.png"
    assert images.file_icon(str(path)) == 0
    write_png(path, "basecolor")
    images.file_icon(str(path))
    first = images._collection[str(path)]
    images.file_icon(str(path))
    assert images._collection[str(path)] is first
    assert first.image_size[0] > 0


def test_nothing_is_shown_after_the_add_on_is_gone(blender, tmp_path):
    images = blender.package.images
    shown = preview(blender, tmp_path, 2, 2)
    images.unregister()
    assert not images.show_live(shown)
    assert images.live_icon(0) == images.file_icon("x") == 0
    images.register()
