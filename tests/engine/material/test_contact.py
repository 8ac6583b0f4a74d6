"""The contact sheet: what is where, and that nothing in a summary can break it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from engine.errors import PatinaError
from engine.material.contact import (
    ACCENT,
    BACKGROUND,
    CARD_PX,
    GUTTER_PX,
    HEADER_PX,
    HOLLOW,
    MARGIN_PX,
    TILE_PX,
    contact_sheet,
)
from engine.material.files import sidecar_name, write_variation
from engine.material.maps import DecodedMaps, ao_from_height, normal_from_height
from tests.engine.material.surfaces import material


def made(folder, count: int = 1, *, tile: str = "xy", prompt: str = "moss", H: int = 32, W: int = 32):
    """A folder with variations, the left half of each red and the right half blue."""
    variations = []
    for rank in range(1, count + 1):
        maps = material(H, W, roughness=0.5, metallic=0.0, basecolor=0.0)
        maps.basecolor[:, 0, :, : W // 2] = 1.0
        maps.basecolor[:, 2, :, W // 2 :] = 1.0
        normal, ao = (f(maps.height, maps.relief) for f in (normal_from_height, ao_from_height))
        names = write_variation(folder, "moss", rank, maps, normal, ao, {})
        variations.append(
            {"rank": rank, "judge_score": 0.3, "seam": 0.8, "relief": 0.05, "files": names,
             "sidecar": sidecar_name("moss", rank)}
        )  # fmt: skip
    return {
        "prompt": prompt, "negative": "", "preset": "plain", "pack": "starter", "seed": 1,
        "settings": {"tile": tile}, "variations": variations,
    }  # fmt: skip


def drawn(folder, summary) -> np.ndarray:
    with Image.open(contact_sheet(folder, summary)) as sheet:
        return np.array(sheet.convert("RGB"))


def at_tile(sheet: np.ndarray, fx: float, fy: float) -> np.ndarray:
    """The pixel at a fraction of the first card's tiled picture."""
    return sheet[HEADER_PX + int(fy * TILE_PX), MARGIN_PX + int(fx * TILE_PX)]


def test_base_colour_is_tiled_twice_each_way(tmp_path):
    sheet = drawn(tmp_path, made(tmp_path))
    for fy in (0.1, 0.6, 0.9):
        colours = [int(at_tile(sheet, fx, fy).argmax()) for fx in (0.12, 0.37, 0.62, 0.87)]
        assert colours == [0, 2, 0, 2]


def test_only_axes_that_tile_are_repeated(tmp_path):
    """A picture that is not meant to tile is shown as it is, without seams that nobody asked for."""
    sheet = drawn(tmp_path, made(tmp_path, tile="none"))
    assert [int(at_tile(sheet, fx, 0.5).argmax()) for fx in (0.2, 0.4, 0.6, 0.8)] == [0, 0, 2, 2]
    sheet = drawn(tmp_path, made(tmp_path, tile="x"))
    assert [int(at_tile(sheet, fx, 0.5).argmax()) for fx in (0.12, 0.37, 0.62, 0.87)] == [0, 2, 0, 2]
    assert tuple(at_tile(sheet, 0.5, 0.1)) == HOLLOW


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (2, 2), (4, 2), (5, 3), (16, 4)])
def test_every_variation_has_a_card(tmp_path, count, columns):
    sheet = drawn(tmp_path, made(tmp_path, count))
    assert sheet.shape[1] == 2 * MARGIN_PX + columns * CARD_PX[0] + (columns - 1) * GUTTER_PX
    for i in range(count):
        left = MARGIN_PX + i % columns * (CARD_PX[0] + GUTTER_PX)
        top = HEADER_PX + i // columns * (CARD_PX[1] + GUTTER_PX)
        assert sheet[top + 150, left + 20].argmax() == 0, i
        caption = sheet[top + TILE_PX : top + CARD_PX[1], left : left + 30].astype(int)
        assert (np.abs(caption - ACCENT).sum(-1) < 60).any(), i


def test_lit_views_show_light_and_colour(tmp_path):
    """Beside the tile: red and blue halves, shaded by the relief, the upper unlike the lower one."""
    sheet = drawn(tmp_path, made(tmp_path)).astype(int)
    views = sheet[HEADER_PX : HEADER_PX + TILE_PX, MARGIN_PX + TILE_PX + 8 :][:, :156]
    upper, lower = views[:156], views[164:]
    for view in (upper, lower):
        assert view[20:130, 10:60].mean((0, 1)).argmax() == 0
        assert view[20:130, 100:150].mean((0, 1)).argmax() == 2
        assert view[20:130, 10:60, 0].std() > 5
    assert np.abs(upper - lower).mean() > 5


@pytest.mark.parametrize(
    "prompt",
    ["", "word " * 200, "苔むした\n石\t🧱", "Béton · brut…", "x" * 2000, "\u0301\u0301", "a\0b\x1b[31m"],
)
def test_any_prompt_makes_a_sheet(tmp_path, prompt):
    """Long ones are cut before the margin; letters that the font lacks do not stop it."""
    sheet = drawn(tmp_path, made(tmp_path, prompt=prompt))
    assert (sheet[:HEADER_PX, -MARGIN_PX + 2 :] == BACKGROUND).all()


@pytest.mark.parametrize(("H", "W"), [(16, 64), (64, 16), (400, 640)])
def test_pictures_that_are_not_square_are_shown_whole(tmp_path, H, W):
    sheet = drawn(tmp_path, made(tmp_path, H=H, W=W))
    assert sheet.shape[1] == 2 * MARGIN_PX + CARD_PX[0]
    assert at_tile(sheet, 0.45, 0.5).max() > 200


def test_the_same_summary_is_the_same_sheet(tmp_path):
    summary = made(tmp_path, 2)
    first = contact_sheet(tmp_path, summary).read_bytes()
    assert contact_sheet(tmp_path, summary).read_bytes() == first


def test_a_missing_map_is_named(tmp_path):
    summary = made(tmp_path)
    (tmp_path / summary["variations"][0]["files"]["height"]).unlink()
    with pytest.raises(PatinaError, match=r"moss_v1_height\.png"):
        contact_sheet(tmp_path, summary)
    assert not (tmp_path / "contact_sheet.png").exists()


@pytest.mark.parametrize("glowing", [True, False])
def test_emission_is_read_back(tmp_path, monkeypatch, glowing):
    """Lava glows on the sheet. Results without the map, old ones too, do not."""
    seen: list[DecodedMaps] = []

    def spy(maps, *_, **__):
        seen.append(maps)
        return torch.zeros_like(maps.basecolor)

    maps = material(32, 32, basecolor=0.6, emission=0.0)
    maps.emission[..., 16:] = 0.5 if glowing else 0.0
    names = write_variation(tmp_path, "lava", 1, maps, maps.basecolor, maps.height, {})
    assert ("emission" in names) == glowing
    summary = made(tmp_path)
    summary["variations"][0]["files"] = names
    monkeypatch.setattr("engine.material.contact.shade", spy)
    contact_sheet(tmp_path, summary)
    torch.testing.assert_close(seen[0].emission, maps.emission, rtol=0, atol=0.01)


def test_height_is_read_with_its_sixteen_bits(tmp_path, monkeypatch):
    """Read as 8 bits, a gentle slope would be lit as stairs."""
    seen: list[DecodedMaps] = []

    def spy(maps, *_, **__):
        seen.append(maps)
        return torch.zeros_like(maps.basecolor)

    monkeypatch.setattr("engine.material.contact.shade", spy)
    contact_sheet(tmp_path, made(tmp_path))
    torch.testing.assert_close(seen[0].height, material(32, 32).height, rtol=0, atol=1e-4)
