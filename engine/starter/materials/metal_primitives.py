"""What several metals share: scratches, and the telling of paint from bare metal."""

from __future__ import annotations

import numpy as np

from engine.starter.materials.primitives import Array, Blocks, hashed
from engine.starter.materials.registry import Canvas

_STROKE_NUMBERS = 6  # random numbers that a stroke takes


def scratches(
    c: Canvas,
    name: str,
    count: int,
    length: float,
    width: float,
    *,
    angle: float = 0.0,
    spread: float = np.pi,
    bend: float = 0.08,
) -> Array:
    """Tapered strokes (H, W), 0..1, the strongest on top.

    A stroke thinner than a pixel is drawn a pixel wide and fainter, so that all sizes agree on the mean.

    Args:
        c: the canvas, which also names the randomness.
        name: of the stream of randomness.
        count: strokes a tile.
        length: of the longest, in tiles, below 0.9; the shortest has a third of it.
        width: half the width of the widest, in tiles.
        angle: radians that the strokes keep to, clockwise from the right.
        spread: radians by which they leave it at most; π for every direction.
        bend: how far the middle of a stroke leaves its straight line, as a share of its length.
    """
    n, drawn = c.size, np.zeros((c.size, c.size), np.float32)
    strokes = hashed(np.arange(count)[:, None], np.arange(_STROKE_NUMBERS)[None], c.key(name))
    for x, y, turn, size, force, curve in strokes.tolist():
        theta = angle + spread * (2 * turn - 1)
        half, thick = length * (0.17 + 0.33 * size), width * (0.4 + 0.6 * force)
        cos, sin, soft = np.cos(theta), np.sin(theta), max(thick, 0.75 / n)
        x0, y0 = x + c.shift[1] / n, y + c.shift[0] / n
        reach_x, reach_y = (half * abs(t) + soft + 2 * bend * half for t in (cos, sin))
        ix = np.arange(int(np.floor((x0 - reach_x) * n)), int(np.ceil((x0 + reach_x) * n)))
        iy = np.arange(int(np.floor((y0 - reach_y) * n)), int(np.ceil((y0 + reach_y) * n)))
        dx, dy = ((ix + 0.5) / n - x0)[None, :], ((iy + 0.5) / n - y0)[:, None]
        t = (dx * cos + dy * sin) / half
        off = dy * cos - dx * sin + 2 * bend * half * (2 * curve - 1) * (t * t - 0.3)
        taper = np.sqrt(np.clip(1 - t * t, 0, 1)) * (0.35 + 0.65 * force)
        stroke = np.clip(1.5 * (1 - np.abs(off) / soft), 0, 1) * taper * (thick / soft)
        window = np.ix_(iy % n, ix % n)
        drawn[window] = np.maximum(drawn[window], stroke)
    return drawn


def is_paint(c: Canvas) -> bool:
    """Whether the palette can only be a paint's: no bare steel is coloured, black or white."""
    middle = c.colours[len(c.colours) // 2]
    return bool(np.ptp(middle) > 0.14 or not 0.25 < middle.mean() < 0.8)


def panels(c: Canvas, name: str, grid: int, levels: int) -> Blocks:
    """A grid × grid of rectangles (H, W), each split up to `levels` times into unequal quarters and halves.

    A rectangle is split across its longer side, more and more seldom, and no piece is thinner than 1/20 tile.
    """
    u, v = (c.u + c.number(name + ".left", 0.05, 0.2), c.v + c.number(name + ".top", 0.05, 0.2))
    u, v = np.broadcast_arrays(u % 1, v % 1)
    i, j = np.floor(u * grid).astype(np.int64), np.floor(v * grid).astype(np.int64)
    x, y, ids = i / grid, j / grid, i + grid * j
    width = height = np.full(u.shape, 1 / grid)
    for k in range(levels):
        chance, place = c.pick(ids, f"{name}.{k}"), c.pick(ids, f"{name}.at{k}")
        upright = width * (0.75 + 0.5 * c.pick(ids, f"{name}.way{k}")) > height
        share = (1 + np.floor(3 * place)) / 4
        least = np.minimum(share, 1 - share) * np.where(upright, width, height)
        split = (chance > 0.06 + 0.12 * k) & (least > 0.05)
        first = np.where(upright, u < x + share * width, v < y + share * height)
        part = np.where(first, share, 1 - share)
        x = np.where(split & upright & ~first, x + share * width, x)
        y = np.where(split & ~upright & ~first, y + share * height, y)
        width = np.where(split & upright, part * width, width)
        height = np.where(split & ~upright, part * height, height)
        ids = np.where(split, 2 * ids + first, 2 * ids) + 7 * split
    return Blocks((u - x) / width - 0.5, (v - y) / height - 0.5, width, height, ids)
