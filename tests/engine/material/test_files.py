"""Files: what a reader finds, what a failure leaves, and that the same result is the same bytes."""

from __future__ import annotations

import errno
import json
import os
import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.strategies import text
from PIL import Image

from engine.errors import CannotWrite
from engine.material import files
from engine.material.files import (
    sidecar_name,
    slug,
    write_json,
    write_preview,
    write_summary,
    write_variation,
)
from engine.material.maps import ao_from_height, normal_from_height, normalise_height, srgb_to_linear
from tests.engine.material.surfaces import material

SIDECAR = {"prompt": "Béton", "seed": 7, "score": 0.25}


def write(folder, *, seed: int = 0, rank: int = 2):
    maps = normalise_height(material(24, 16, seed=seed))
    normal = normal_from_height(maps.height, maps.relief)
    return maps, write_variation(
        folder, "moss", rank, maps, normal, ao_from_height(maps.height, maps.relief), SIDECAR
    )


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("mossy cobblestones", "mossy_cobblestones"),
        ("  Red,  BRICKS!! ", "red_bricks"),
        ("Béton brut, 2 m", "beton_brut_2_m"),
        ("苔むした石", "material"),
        ("", "material"),
        ("../../etc/passwd\\..", "etc_passwd"),
        ("con/nul\0:*?", "con_nul"),
        ("word " * 30, "word_word_word_word_word_word_word_word_word"),
        ("x" * 300, "x" * 48),
        ("a " + "x" * 300, "a"),
        ("🧱 bricks", "bricks"),
    ],
)
def test_slug(prompt, expected):
    assert slug(prompt) == expected


@given(text(max_size=200))
def test_a_slug_is_a_safe_file_name(prompt):
    assert re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", slug(prompt))
    assert len(slug(prompt)) <= 48


def test_maps_come_back_as_they_were(tmp_path):
    """8 bits a channel, 16 for height, rows from the top, no alpha that Blender would take for one."""
    maps, names = write(tmp_path / "new" / "folder")
    folder = tmp_path / "new" / "folder"
    assert names == {
        kind: f"moss_v2_{kind}.png"
        for kind in ("basecolor", "normal_gl", "roughness", "metallic", "height", "ao")
    }
    assert sorted(p.name for p in folder.iterdir()) == sorted([*names.values(), sidecar_name("moss", 2)])
    for kind, mode in [
        ("basecolor", "RGB"),
        ("normal_gl", "RGB"),
        ("roughness", "L"),
        ("metallic", "L"),
        ("ao", "L"),
    ]:
        with Image.open(folder / names[kind]) as picture:
            assert (picture.mode, picture.size) == (mode, (16, 24))
            if hasattr(maps, kind):
                back = torch.from_numpy(np.array(picture)).reshape(24, 16, -1).permute(2, 0, 1) / 255
                torch.testing.assert_close(back, getattr(maps, kind)[0], rtol=0, atol=0.5 / 255 + 1e-6)


def test_height_has_sixteen_bits(tmp_path):
    """The full range, and steps far finer than 8 bits have."""
    maps, names = write(tmp_path)
    with Image.open(tmp_path / names["height"]) as picture:
        assert picture.mode == "I;16"
        words = np.array(picture)
    assert (words.min(), words.max()) == (0, 65535)
    assert len(np.unique(words)) > 300  # of 384 pixels
    np.testing.assert_allclose(words / 65535, maps.height[0, 0].numpy(), atol=0.5 / 65535 + 1e-7)


def write_glowing(folder, emission: float, share: float = 0.5):
    maps = material(64, 64, emission=0.0)
    maps.emission[..., : round(64 * share), :] = emission
    maps.basecolor[:] = torch.tensor([0.94, 0.42, 0.03])[:, None, None]
    names = write_variation(folder, "lava", 1, maps, maps.basecolor, maps.height, SIDECAR)
    return maps, names


def test_what_glows_is_written_as_the_light_it_gives(tmp_path):
    """At full strength the base colour itself; at half of it half the light, not half the sRGB number."""
    for strength in (1.0, 0.5):
        maps, names = write_glowing(tmp_path, strength)
        assert names["emission"] == "lava_v1_emission.png"
        with Image.open(tmp_path / names["emission"]) as picture:
            assert picture.mode == "RGB"
            back = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None] / 255
        light = strength * srgb_to_linear(maps.basecolor)
        torch.testing.assert_close(srgb_to_linear(back)[..., :32, :], light[..., :32, :], rtol=0, atol=0.006)
        assert back[..., 32:, :].max() == 0
    assert json.loads((tmp_path / "lava_v1.json").read_text("utf-8"))["files"] == names


@pytest.mark.parametrize(
    ("emission", "share", "written"), [(0, 0.5, False), (0.08, 1, False), (1, 0, False), (0.3, 0.05, True)]
)
def test_only_what_glows_has_an_emission_file(tmp_path, emission, share, written):
    """A network's small errors are no glow; a black picture would only be in the artist's way."""
    _, names = write_glowing(tmp_path, emission, share)
    assert ("emission" in names) == (tmp_path / "lava_v1_emission.png").exists() == written


def test_a_speckle_is_no_glow(tmp_path):
    maps = material(64, 64, basecolor=1.0)
    maps.emission[..., 5, 5:9] = 1.0  # 4 pixels of 4096
    assert "emission" not in write_variation(tmp_path, "x", 1, maps, maps.basecolor, maps.height, SIDECAR)


def test_an_earlier_runs_emission_does_not_stay(tmp_path):
    """It would belong to no result, and yet glow for whoever opens the whole folder."""
    write_glowing(tmp_path, 1.0)
    _, names = write_glowing(tmp_path, 0.0)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*names.values(), "lava_v1.json"])


def test_sidecar_holds_everything_in_readable_json(tmp_path):
    _, names = write(tmp_path)
    raw = (tmp_path / "moss_v2.json").read_text("utf-8")
    assert json.loads(raw) == {**SIDECAR, "files": names}
    assert "Béton" in raw


def test_the_same_result_is_the_same_bytes(tmp_path):
    for folder in ("a", "b"):
        write(tmp_path / folder)
        write_summary(tmp_path / folder, {"prompt": "moss", "variations": []})
    for one in (tmp_path / "a").iterdir():
        assert one.read_bytes() == (tmp_path / "b" / one.name).read_bytes(), one.name


def test_png_says_nothing_about_time_or_place(tmp_path):
    """Only header, pixels, end: a date or a path would differ from run to run."""
    _, names = write(tmp_path)
    for name in names.values():
        raw, at, chunks = (tmp_path / name).read_bytes(), 8, []
        while at < len(raw):
            chunks.append(raw[at + 4 : at + 8])
            at += 12 + int.from_bytes(raw[at : at + 4], "big")
        assert set(chunks) == {b"IHDR", b"IDAT", b"IEND"}


def test_preview_is_rgba_from_the_bottom_up(tmp_path):
    """Row 0 of the picture is the last in the file, which is how Blender reads pixels."""
    picture = torch.zeros(3, 2, 3)
    picture[0, 0] = 1.0  # red on top
    picture[2, 1] = 0.5  # half blue below
    write_preview(tmp_path / "p.rgba", picture)
    assert (tmp_path / "p.rgba").read_bytes() == bytes([0, 0, 128, 255] * 3 + [255, 0, 0, 255] * 3)


def test_values_out_of_range_are_clamped(tmp_path):
    """An optimiser overshoots; wrapping around to black would be a black speckle."""
    write_preview(tmp_path / "p.rgba", torch.tensor([-0.2, 0.5, 1.2]).view(3, 1, 1))
    assert (tmp_path / "p.rgba").read_bytes() == bytes([0, 128, 255, 255])


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSPC, "full"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "permissions"),
        (errno.EIO, "Choose another"),
    ],
)
def test_a_failed_write_leaves_everything_as_it_was(tmp_path, monkeypatch, number, says):
    """The old file stays whole, nothing half-written lies about, and the artist reads what to do."""
    path = write_summary(tmp_path, {"old": 1})

    def fail(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "replace", fail)
    monkeypatch.setattr(files.Path, "replace", fail)
    monkeypatch.setattr(files, "RENAME_PAUSE_S", 0)
    with pytest.raises(CannotWrite, match=says) as caught:
        write_summary(tmp_path, {"new": 2})
    assert str(tmp_path) in caught.value.message
    assert caught.value.field == "folder"
    assert json.loads(path.read_text()) == {"old": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["summary.json"]


def test_a_disk_that_fills_up_leaves_no_half_file(tmp_path, monkeypatch):
    real = files.Path.write_bytes

    def fill_up(path, content):
        real(path, content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.Path, "write_bytes", fill_up)
    with pytest.raises(CannotWrite, match="full"):
        write(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_reader_never_sees_half_a_file(tmp_path, monkeypatch):
    """Until the last moment the place is empty; then the whole file is there."""
    seen = []
    real = files.Path.replace

    def watched(source, target):
        seen.append((target.exists(), source.read_bytes()[-3:]))
        return real(source, target)

    monkeypatch.setattr(files.Path, "replace", watched)
    write_json(tmp_path / "x.json", {"a": 1})
    assert seen == [(False, b"1\n}\n"[-3:])]
    assert (tmp_path / "x.json").exists()


def test_a_file_that_is_being_read_is_replaced_a_moment_later(tmp_path, monkeypatch):
    """Windows refuses to replace an open file; Blender opens previews for a moment only."""
    real, refusals = files.Path.replace, [1, 2]

    def busy(source, target):
        if refusals:
            refusals.pop()
            raise PermissionError(errno.EACCES, "used by another process")
        return real(source, target)

    monkeypatch.setattr(files.Path, "replace", busy)
    monkeypatch.setattr(files, "RENAME_PAUSE_S", 0)
    write_preview(tmp_path / "p.rgba", torch.zeros(3, 1, 1))
    assert (tmp_path / "p.rgba").stat().st_size == 4


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_file_where_the_folder_should_be(tmp_path, below):
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(CannotWrite, match="there is a file") as caught:
        write(tmp_path / "taken" / below)
    assert "taken" in caught.value.message
    assert (tmp_path / "taken").read_text() == "mine"


def test_a_folder_is_made_with_those_above_it_before_the_work(tmp_path):
    files.check_folder(tmp_path / "not" / "yet")
    files.check_file(tmp_path / "nor" / "this" / "figures.json")
    assert list((tmp_path / "not" / "yet").iterdir()) == list((tmp_path / "nor" / "this").iterdir()) == []


def test_a_folder_where_the_file_should_be(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(CannotWrite, match="there is a folder of the file's name"):
        files.check_file(tmp_path / "taken")


def test_a_path_that_is_no_unicode_comes_back_from_json_as_it_was(tmp_path):
    said = {"picture": "/a/\udcff é.png"}
    write_json(tmp_path / "x.json", said)
    assert json.loads((tmp_path / "x.json").read_text("utf-8")) == said


def test_numbers_that_json_does_not_know_are_refused(tmp_path):
    """NaN in a sidecar would break every other reader of JSON."""
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "x.json", {"loss": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_files_can_be_read_by_others(tmp_path):
    """Temporary files of the standard library are private to their owner; results follow the umask."""
    write_summary(tmp_path, {})
    (tmp_path / "plain").write_text("")
    assert (tmp_path / "summary.json").stat().st_mode == (tmp_path / "plain").stat().st_mode
