"""Sheets of small labelled pictures for the report."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

QUALITY = 85
LABEL_PX = 30  # two lines
GAP_PX = 6
FONT_PX = 11

Entry = tuple[str, list[Image.Image]]
"""A label of one or two lines, and the pictures below it, side by side."""


def as_image(picture: Tensor) -> Image.Image:
    """(3, H, W) in 0..1 → picture."""
    return Image.fromarray((picture.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy())


def sheet(entries: list[Entry], columns: int, side_px: int) -> Image.Image:
    """Entries row by row, each picture `side_px` wide and high."""
    across = max(len(pictures) for _, pictures in entries)
    cell = across * side_px + GAP_PX, side_px + LABEL_PX
    page = Image.new("RGB", (columns * cell[0], -(-len(entries) // columns) * cell[1]), (29, 29, 31))
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(FONT_PX)
    for k, (label, pictures) in enumerate(entries):
        x, y = k % columns * cell[0], k // columns * cell[1]
        draw.multiline_text((x + 2, y + 1), label, fill=(236, 236, 238), font=font, spacing=2)
        for i, picture in enumerate(pictures):
            small = picture.resize((side_px, side_px), Image.Resampling.LANCZOS)
            page.paste(small, (x + i * side_px, y + LABEL_PX))
    return page


def write_jpeg(picture: Image.Image, path: Path) -> None:
    """Writes a picture, under its own name only when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    picture.save(partial, "JPEG", quality=QUALITY, optimize=True)
    partial.replace(path)
