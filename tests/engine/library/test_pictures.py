"""Files as they lie on people's disks: read, or refused in a sentence."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
import torch
from hypothesis import given
from hypothesis.strategies import binary, integers, sampled_from
from PIL import Image

from engine.errors import UnreadablePicture
from engine.library import pictures
from engine.library.pictures import decode, is_picture, read_bytes, square
from engine.material.maps import linear_to_srgb

RAMP = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF")


def saved(picture, kind="PNG", **options):
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def colourful(size=(32, 24)):
    rng = np.random.default_rng(3)
    return Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_read_whatever_the_file_is_called(kind):
    found = decode(saved(colourful(), kind), "name.png")
    assert (found.width, found.height, tuple(found.pixels.shape)) == (32, 24, (3, 24, 32))
    assert 0.4 < float(found.pixels.mean()) < 0.6


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK"])
def test_every_kind_of_pixel_becomes_rgb(mode):
    kind = "JPEG" if mode == "CMYK" else "PNG"
    assert decode(saved(Image.fromarray(RAMP).convert("RGB").convert(mode), kind), "x").pixels.shape == (
        3,
        8,
        8,
    )


def test_sixteen_bits_of_grey_are_scaled_and_not_cut():
    """Pillow alone turns everything above 255 of 65535 white."""
    found = decode(saved(Image.fromarray(RAMP.astype(np.uint16) * 257)), "height.png")
    np.testing.assert_allclose(found.pixels[0].numpy(), RAMP / 255, atol=1e-4)


def test_a_large_picture_is_reduced_and_a_tile_stays_one():
    stripes = Image.fromarray(np.tile(RAMP, (32, 64)))
    found = decode(saved(stripes), "x", longest_px=128)
    assert (found.width, found.height, tuple(found.pixels.shape)) == (512, 256, (3, 64, 128))
    assert torch.equal(found.pixels[..., :2], found.pixels[..., 2:4])


@given(size=sampled_from([(1, 1), (1, 400), (400, 1), (3, 350), (257, 130)]))
def test_any_proportion_is_reduced_to_what_was_asked_for(size):
    found = decode(saved(colourful(size)), "x", longest_px=100)
    assert max(found.pixels.shape) <= 100
    assert square(found.pixels, 16).shape == (3, 16, 16)


def png_claiming(width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 10_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [16_385, 30_000, 100_000])
def test_a_decompression_bomb_is_refused_before_it_unfolds(side):
    with pytest.raises(UnreadablePicture, match="megapixels"):
        decode(png_claiming(side, side), "bomb.png")


def outcome(content):
    """What decoding says: the width, or the one kind of refusal that there may be."""
    try:
        return decode(content, "x").width
    except UnreadablePicture as error:
        return error.message


@given(kind=sampled_from(FORMATS), keep=integers(0, 95))
def test_a_file_that_is_cut_off_is_refused_or_read_and_nothing_else(kind, keep):
    content = saved(colourful(), kind)
    assert outcome(content[: len(content) * keep // 100]) in (32, outcome(b""))


@given(kind=sampled_from(FORMATS), at=integers(0, 400), junk=binary(min_size=1, max_size=12))
def test_bytes_that_are_wrong_never_raise_anything_else(kind, at, junk):
    content = bytearray(saved(colourful(), kind))
    at %= len(content)
    content[at : at + len(junk)] = junk
    found = outcome(bytes(content))
    assert isinstance(found, int) or found.startswith("x ")


@given(content=binary(max_size=200))
def test_what_is_no_picture_is_refused(content):
    with pytest.raises(UnreadablePicture, match="no PNG, JPEG, WebP, TIFF or EXR"):
        decode(content, "notes.png")


def written(**channels):
    """The bytes of an EXR file."""
    out = io.BytesIO()
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with OpenEXR.File(header, channels) as file:
        file.write(out)
    return out.getvalue()


LINEAR = np.random.default_rng(5).random((24, 32, 3)).astype(np.float32)


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_colours_of_an_exr_file_are_seen_as_on_a_screen(kind):
    found = decode(written(RGB=LINEAR.astype(kind)), "wall.exr")
    assert (found.width, found.height) == (32, 24)
    expected = linear_to_srgb(torch.from_numpy(LINEAR.astype(kind).astype(np.float32)).permute(2, 0, 1))
    torch.testing.assert_close(found.pixels, expected)


def test_data_of_an_exr_file_stays_as_it_is_and_is_spread_where_it_is_beyond_0_to_1():
    inside, beyond = LINEAR[..., 0].copy(), LINEAR[..., 0] * 7 - 3
    found = decode(written(Y=inside), "wall_disp.exr", data=True).pixels
    torch.testing.assert_close(found, torch.from_numpy(inside).expand(3, -1, -1))
    spread = decode(written(Y=beyond), "wall_disp.exr", data=True).pixels
    assert (float(spread.min()), float(spread.max())) == (0, 1)
    assert float(torch.corrcoef(torch.stack([spread[0].flatten(), found[0].flatten()]))[0, 1]) > 0.999


def test_numbers_that_are_none_are_black():
    odd = np.array([[np.nan, np.inf], [-np.inf, 0.5]], np.float32)
    assert decode(written(Y=odd), "x.exr", data=True).pixels[0].tolist() == [[0, 0], [0, 0.5]]


@given(at=integers(0, 3000), junk=binary(min_size=1, max_size=12))
def test_wrong_bytes_in_an_exr_file_never_raise_anything_else(at, junk):
    content = bytearray(written(RGB=LINEAR[:8, :8].copy()))
    at %= len(content)
    content[at : at + len(junk)] = junk
    found = outcome(bytes(content))
    assert isinstance(found, int) or found.startswith("x ")


def test_exr_files_count_as_pictures():
    assert is_picture(Path("wall_nor.EXR"))
    assert not is_picture(Path("wall.blend"))


def test_a_file_beyond_the_limit_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "MAX_BYTES", 10)
    (tmp_path / "x.png").write_bytes(b"0" * 11)
    with pytest.raises(UnreadablePicture, match="MiB"):
        read_bytes(tmp_path / "x.png")
    with pytest.raises(FileNotFoundError):
        read_bytes(tmp_path / "y.png")
    monkeypatch.undo()
    with pytest.raises(UnreadablePicture, match="cannot be read"):
        read_bytes(tmp_path)
