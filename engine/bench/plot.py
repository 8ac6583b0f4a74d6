"""Comparisons as a picture: ratios as bars, and what the judge saw as curves."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from engine.bench.compare import Comparison
from engine.bench.table import times

WIDTH, ROW, CURVES, MARGIN, LABEL = 960, 26, 260, 24, 220
PAPER, INK, FAINT = "white", "#222222", "#cccccc"
TEXTBOOK, OURS = "#9a9a9a", "#2f6fb3"
MEASURES = ("speed", "memory", "sooner")
HEADINGS = {
    "speed": "steps in the same time",
    "memory": "memory, inverse",
    "sooner": "sooner at the same score",
}

Box = tuple[float, float, float, float]
"""left, top, right, bottom, px."""
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def plot(comparisons: Sequence[Comparison]) -> Image.Image:
    """Bars of every task's ratios beside a line at 1, the textbook; below, score over seconds if watched."""
    watched = [c for c in comparisons if c.goal is not None]
    bars = MARGIN + 2 * ROW + ROW * len(comparisons)
    image = Image.new("RGB", (WIDTH, bars + CURVES * bool(watched) + MARGIN), PAPER)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(13)
    draw.text((MARGIN, 8), "ours / textbook: right of the line, ours is better", INK, font)
    for i, c in enumerate(comparisons):
        draw.text((MARGIN, MARGIN + 2 * ROW + i * ROW), c.task, INK, font)
    wide = (WIDTH - LABEL - MARGIN) / len(MEASURES)
    for i, measure in enumerate(MEASURES):
        left = LABEL + i * wide
        draw.text((left, MARGIN + ROW * 0.7), HEADINGS[measure], INK, font)
        values = [getattr(c, measure) for c in comparisons]
        _bars(draw, (left, MARGIN + 2 * ROW, left + wide - MARGIN, bars), values, font)
    for i, c in enumerate(watched):
        each = (WIDTH - MARGIN) / len(watched)
        _curves(draw, (MARGIN + i * each, bars + MARGIN, (i + 1) * each, bars + CURVES), c, font)
    return image


def _bars(draw: ImageDraw.ImageDraw, box: Box, values: Sequence[float | None], font: Font) -> None:
    left, top, right, bottom = box
    unit = (right - left - 60) / max([1.0, *(v for v in values if v is not None)])  # px of a ratio of 1
    for i, value in enumerate(values):
        y = top + i * ROW
        if value is not None:
            draw.rectangle((left, y + 2, left + value * unit, y + ROW - 8), fill=OURS)
        draw.text((left + (value or 0) * unit + 6, y), times(value), INK, font)
    draw.line((left + unit, top - 4, left + unit, bottom), TEXTBOOK, 2)


def _curves(draw: ImageDraw.ImageDraw, box: Box, c: Comparison, font: Font) -> None:
    left, top, right, bottom = box[0] + 36, box[1] + ROW, box[2] - 8, box[3] - ROW
    points = [*c.textbook.curve, *c.ours.curve]
    longest = max(t for t, _ in points)
    lowest, highest = min(0.0, *(s for _, s in points)), max(s for _, s in points)

    def at(t: float, score: float) -> tuple[float, float]:
        share = (score - lowest) / max(highest - lowest, 1e-6)
        return left + (right - left) * t / longest, bottom - (bottom - top) * share

    draw.text((box[0], box[1]), f"{c.task}: judge score over seconds", INK, font)
    draw.line((left, top, left, bottom, right, bottom), FAINT)
    for score in (lowest, highest):
        draw.text((box[0], at(0, score)[1] - 8), f"{score:.2f}", INK, font)
    draw.text((right - 46, bottom + 4), f"{longest:.1f} s", INK, font)
    for i, (figures, colour) in enumerate(((c.textbook, TEXTBOOK), (c.ours, OURS))):
        places = [at(t, score) for t, score in figures.curve]
        draw.line([xy for place in places for xy in place], colour, 2)
        for x, y in places:
            draw.ellipse((x - 3, y - 3, x + 3, y + 3), fill=colour)
        draw.text((right - 60, bottom - 40 + 16 * i), figures.case.loop, colour, font)
