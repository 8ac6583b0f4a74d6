"""The sheets: a feature's rows one below the other, over each the command that made it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from engine.gallery.make import Workshop, as_typed
from engine.gallery.plan import Feature, Plan, Shown
from engine.material import files
from engine.material.contact import (
    ACCENT,
    BACKGROUND,
    BRIGHT,
    DIM,
    GAP_PX,
    MARGIN_PX,
    fitted,
    lit_view,
    one_line,
    repeated,
)
from engine.material.shading import light_from
from engine.models.vqgan import tile_axes

CELL_PX = 224
LEAST, MOST = (n * CELL_PX + (n - 1) * GAP_PX for n in (3, 4))
"""Widths of rows: a title has room, and four pictures stand side by side."""
HEADER_PX = 92
ROW_HEADER_PX = 34
LABEL_PX = 30
QUALITY = 85
ALONG = ("strip", "frames")
"""Views that take a row's whole width, with many pictures side by side."""

LIGHT = light_from(52, 135, energy=1.3)


def sheet(feature: Feature, plan: Plan, shop: Workshop) -> Image.Image:
    """A feature's sheet from the files of its pieces, all of which are finished.

    Raises:
        PatinaError: a file of a piece is not there.
    """
    rows = [[(shown.label, _cell(shown, plan, shop)) for shown in row.shows] for row in feature.rows]
    room = max(LEAST, *(sum(cell.width + GAP_PX for _, cell in cells) - GAP_PX for cells in rows))
    drawn = [
        _row(as_typed(shop.typed(plan.pieces[row.piece], Path())), cells, room)
        for row, cells in zip(feature.rows, rows, strict=True)
    ]
    height = HEADER_PX + sum(row.height for row in drawn) + MARGIN_PX
    whole = Image.new("RGB", (2 * MARGIN_PX + room, height), BACKGROUND)
    draw = ImageDraw.Draw(whole)
    one_line(draw, (MARGIN_PX, 22), feature.title, 30, BRIGHT, room)
    one_line(draw, (MARGIN_PX, 60), feature.about, 15, DIM, room)
    top = HEADER_PX
    for row in drawn:
        whole.paste(row, (MARGIN_PX, top))
        top += row.height
    return whole


def write(picture: Image.Image, path: Path) -> None:
    """A sheet as a JPEG.

    Raises:
        CannotWrite: the folder does not take files.
    """
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=QUALITY, optimize=True)
    files.write_bytes(path, content.getvalue())


def _row(command: str, cells: list[tuple[str, Image.Image]], room: int) -> Image.Image:
    """The command that made it, and below it what it shows, each with its label."""
    tallest = max(cell.height for _, cell in cells)
    made = Image.new("RGB", (room, ROW_HEADER_PX + tallest + LABEL_PX), BACKGROUND)
    draw, left = ImageDraw.Draw(made), 0
    one_line(draw, (0, 10), command, 15, ACCENT, room)
    for label, cell in cells:
        made.paste(cell, (left, ROW_HEADER_PX))
        one_line(draw, (left, ROW_HEADER_PX + cell.height + 5), label, 14, DIM, cell.width)
        left += cell.width + GAP_PX
    return made


def _cell(shown: Shown, plan: Plan, shop: Workshop) -> Image.Image:
    summary, folder = shop.summary(shown.piece), shop.work / shown.piece
    assert summary is not None, f"{shown.piece} is not finished"
    if shown.view == "mask":
        (name,) = (word[1:-6] for word in plan.pieces[shown.piece].command if word.endswith(".mask}"))
        return fitted(_opened(shop.mask(name)), CELL_PX)
    if shown.view == "palette":
        return _swatches(summary["settings"]["palette"])
    if shown.view in ALONG:
        return _side_by_side(_pictures(summary, folder))
    return _material(shown, summary, folder)


def _material(shown: Shown, summary: Mapping[str, Any], folder: Path) -> Image.Image:
    """One variation, as the view says."""
    variation = summary["variations"][shown.rank - 1]
    wrap = tile_axes(summary["settings"]["tile"])
    if shown.view == "light":
        return lit_view(folder, variation, wrap, CELL_PX, LIGHT)
    base = _opened(folder / variation["files"]["basecolor"])
    if shown.view == "tiled":
        base = repeated(base, wrap)
    if shown.view == "detail":
        left, top = ((side - CELL_PX) // 2 for side in base.size)
        base = base.crop((left, top, left + CELL_PX, top + CELL_PX))
    return fitted(base, CELL_PX)


def _pictures(summary: Mapping[str, Any], folder: Path) -> list[Image.Image]:
    """The frames of a story, or the materials of a way, in their order."""
    names = summary.get("frames") or [v["files"]["basecolor"] for v in summary["variations"]]
    return [_opened(folder / name) for name in names]


def _side_by_side(pictures: list[Image.Image]) -> Image.Image:
    side = (MOST - (len(pictures) - 1) * GAP_PX) // len(pictures)
    strip = Image.new("RGB", (MOST, side), BACKGROUND)
    for i, picture in enumerate(pictures):
        strip.paste(fitted(picture, side), (i * (side + GAP_PX), 0))
    return strip


def _swatches(colours: list[str]) -> Image.Image:
    """Colours as bands of one width."""
    square = Image.new("RGB", (CELL_PX, CELL_PX))
    draw = ImageDraw.Draw(square)
    for i, colour in enumerate(colours):
        ends = (i * CELL_PX / len(colours), (i + 1) * CELL_PX / len(colours))
        draw.rectangle([ends[0], 0, ends[1], CELL_PX], fill=colour)
    return square


def _opened(path: Path) -> Image.Image:
    with Image.open(path) as opened:
        return opened.convert("RGB")
