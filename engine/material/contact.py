"""All variations of a request on one sheet, for people: tiled, lit, in rank order."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from engine.errors import PatinaError
from engine.material.files import write_picture
from engine.material.maps import DecodedMaps, luminance, srgb_to_linear
from engine.material.shading import Light, light_from, shade
from engine.models.vqgan import Wrap, tile_axes

Point = tuple[int, int]
Colour = tuple[int, int, int]

SHEET = "contact_sheet.png"

TILE_PX = 320
LIT_PX = 156
GAP_PX = 8
MARGIN_PX = 32
GUTTER_PX = 28
HEADER_PX = 96
CAPTION_PX = 44
CARD_PX = (TILE_PX + GAP_PX + LIT_PX, TILE_PX + CAPTION_PX)

BACKGROUND = (29, 29, 31)  # about Blender's own dark grey
HOLLOW = (22, 22, 24)  # behind pictures that are not square
BRIGHT = (236, 236, 238)
DIM = (152, 152, 158)
ACCENT = (233, 177, 92)

READ = ("basecolor", "height", "roughness", "metallic", "emission")
"""The files that a card is drawn from; emission only where it glows."""

LIGHTS = (light_from(45, 135), light_from(72, 135, energy=1.6))
"""From the top left, as artists expect it: once from above to judge colours, once grazing for the relief."""


def contact_sheet(folder: Path, summary: Mapping[str, Any]) -> Path:
    """Draws the variations of a summary from their files and writes contact_sheet.png beside them.

    A card shows the base colour, tiled 2x2 along the axes that tile, two lit views, and a line with
    rank, judge's score and seam.

    Args:
        folder: of summary.json, which the names of its files are relative to.
        summary: as `write_summary` writes it.

    Raises:
        CannotWrite: the sheet cannot be written.
        PatinaError: a file of the summary is not there.
    """
    variations = summary["variations"]
    columns = _columns(len(variations))
    rows = -(-len(variations) // columns)
    width = 2 * MARGIN_PX + columns * CARD_PX[0] + (columns - 1) * GUTTER_PX
    height = HEADER_PX + rows * CARD_PX[1] + (rows - 1) * GUTTER_PX + MARGIN_PX
    sheet = Image.new("RGB", (width, height), BACKGROUND)
    _header(sheet, summary)
    wrap = tile_axes(summary.get("settings", {}).get("tile", "xy"))
    for i, variation in enumerate(variations):
        left = MARGIN_PX + i % columns * (CARD_PX[0] + GUTTER_PX)
        top = HEADER_PX + i // columns * (CARD_PX[1] + GUTTER_PX)
        _card(sheet, (left, top), folder, variation, wrap)
    write_picture(folder / SHEET, sheet)
    return folder / SHEET


def lit_view(
    folder: Path, variation: Mapping[str, Any], wrap: Wrap, side_px: int, light: Light
) -> Image.Image:
    """One variation of a summary, whole, under a light, in a square of `side_px`, up to 312.

    Raises:
        PatinaError: a file of the summary is not there.
    """
    files = {kind: _read(folder / name) for kind, name in variation["files"].items() if kind in READ}
    maps = _as_maps(files, variation["relief"])
    return fitted(_as_image(shade(maps, light, wrap, auto_exposure=False)), side_px)


def _columns(cards: int) -> int:
    """Sheets stay wider than they are high, and no wider than a screen shows."""
    return next(n for n in (1, 2, 3, 4) if n == 4 or cards <= n * n)


def _header(sheet: Image.Image, summary: Mapping[str, Any]) -> None:
    draw = ImageDraw.Draw(sheet)
    room = sheet.width - 2 * MARGIN_PX
    one_line(draw, (MARGIN_PX, 24), summary["prompt"], 30, BRIGHT, room)
    shown = ("preset", "pack", "seed")
    facts = [f"{name} {summary[name]}" for name in shown if summary.get(name) is not None]
    if summary.get("negative"):
        facts.insert(0, f"without {summary['negative']}")
    one_line(draw, (MARGIN_PX, 62), "  ·  ".join(facts), 15, DIM, room)


def _card(sheet: Image.Image, at: Point, folder: Path, variation: Mapping[str, Any], wrap: Wrap) -> None:
    left, top = at
    files = {kind: _read(folder / name) for kind, name in variation["files"].items() if kind in READ}
    base = files["basecolor"]
    sheet.paste(fitted(repeated(base, wrap), TILE_PX), at)
    maps = _as_maps(files, variation["relief"])
    for i, light in enumerate(LIGHTS):
        lit = _as_image(shade(maps, light, wrap, auto_exposure=False))
        sheet.paste(fitted(lit, LIT_PX), (left + TILE_PX + GAP_PX, top + i * (LIT_PX + GAP_PX)))
    draw, line = ImageDraw.Draw(sheet), top + TILE_PX + 12
    one_line(draw, (left, line), f"{variation['rank']}", 20, ACCENT, 40)
    scores = f"judge {variation['judge_score']:.3f}"
    if any(wrap):
        scores += f"  ·  seam {variation['seam']:.2f}"
    one_line(draw, (left + 30, line + 2), scores, 17, DIM, CARD_PX[0] - 30)


def _read(path: Path) -> Image.Image:
    try:
        with Image.open(path) as picture:
            picture.load()
            return picture
    except OSError as error:
        raise PatinaError(
            f"Cannot draw the contact sheet: {path.name} is not in {path.parent}. Generate it again.",
            details=repr(error),
        ) from error


def repeated(tile: Image.Image, wrap: Wrap) -> Image.Image:
    """Twice along each axis that tiles."""
    down, across = (2 if wraps else 1 for wraps in wrap)
    pattern = Image.new("RGB", (tile.width * across, tile.height * down))
    for y in range(down):
        for x in range(across):
            pattern.paste(tile, (x * tile.width, y * tile.height))
    return pattern


def fitted(picture: Image.Image, side: int) -> Image.Image:
    """The picture, whole, in a square."""
    scale = side / max(picture.size)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    square = Image.new("RGB", (side, side), HOLLOW)
    small = picture.resize(size, Image.Resampling.LANCZOS)
    square.paste(small, ((side - size[0]) // 2, (side - size[1]) // 2))
    return square


def _as_maps(files: Mapping[str, Image.Image], relief: float) -> DecodedMaps:
    """Files → maps at twice the size at which they are shown, which is where light needs them."""
    width, height = files["basecolor"].size
    shrink = min(1.0, 2 * LIT_PX / max(width, height))
    size = max(1, round(width * shrink)), max(1, round(height * shrink))

    def tensor(kind: str) -> Tensor:
        picture = files[kind]
        highest = 65535 if picture.mode.startswith("I;16") else 255
        bands = [band.convert("F").resize(size, Image.Resampling.BOX) for band in picture.split()]
        return torch.stack([torch.from_numpy(np.array(b)) for b in bands])[None] / highest

    maps = {kind: tensor(kind) for kind in files}
    light = maps.pop("emission", torch.zeros_like(maps["basecolor"]))
    emission = _emission_from(light, maps["basecolor"])
    return DecodedMaps(**maps, emission=emission, relief=torch.tensor([relief]))


def _emission_from(light: Tensor, basecolor: Tensor) -> Tensor:
    """How strongly a surface glows, (1, 1, H, W): the inverse of `emitted`; 0 where it is black."""
    given, full = (luminance(srgb_to_linear(x)) for x in (light, basecolor))
    return (given / full.clamp(min=1e-4)).clamp(0, 1)


def _as_image(picture: Tensor) -> Image.Image:
    """(1, 3, H, W), 0..1 → picture."""
    return Image.fromarray((picture[0] * 255).round().byte().permute(1, 2, 0).numpy())


def one_line(
    draw: ImageDraw.ImageDraw, at: Point, text: str, size_px: int, colour: Colour, room: int
) -> None:
    """Writes one line, cut with an ellipsis where it would leave its room (px)."""
    font = ImageFont.load_default(size_px)
    line = _legible(text)
    if draw.textlength(line, font) > room:
        too_long = bisect_right(
            range(len(line)), float(room), key=lambda n: draw.textlength(line[:n] + "…", font)
        )
        line = line[: max(0, too_long - 1)] + "…"
    draw.text(at, line, colour, font)


def _legible(text: str) -> str:
    """On one line, in what Pillow's own font can draw: ASCII, the dot and the ellipsis."""
    plain = unicodedata.normalize("NFKD", " ".join(text.split()))
    letters = (c for c in plain if not unicodedata.combining(c))
    return "".join(c if c.isascii() or c in "·…" else "?" for c in letters)
