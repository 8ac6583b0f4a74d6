"""How units lie on the torus: coursed stones, basket weave, hexagons, scallops, rings, and single stamps.

As in `primitives.py` u and v are in tiles, (1, W) and (H, 1) on a plain grid or (H, W) each where warped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.starter.materials.primitives import Array, Blocks, Ints, hashed, lattice

HEXAGONS: tuple[tuple[int, int], ...] = ((4, 2), (5, 3), (7, 4), (9, 5), (12, 7))  # about √3 : 1, so regular


@dataclass(frozen=True)
class Tiles:
    """Tiles of any outline: depth in tiles into each from its border, the way x, y from its centre, its id.

    x and y are in widths of a unit, about -0.5..0.5.
    """

    depth: Array
    x: Array
    y: Array
    ids: Ints


def courses(u: Array, v: Array, rows: int, columns: int, seed: int, *, uneven: float = 0.45) -> Blocks:
    """Courses of random height, each cut at random widths; uneven 0..0.9 is how much both vary."""
    heights = 1 + uneven * (2 * lattice(rows, 1, seed)[0] - 1)
    tops = np.concatenate([[0], np.cumsum(heights) / heights.sum()]).astype(np.float32)
    widths = 1 + uneven * (2 * lattice(columns, rows, seed + 1) - 1)
    cuts = np.cumsum(widths, 1) / widths.sum(1, keepdims=True)
    cuts = np.concatenate([np.zeros((rows, 1)), cuts], 1).astype(np.float32)  # (rows, columns + 1)
    y = (v + hashed(0, 0, seed + 2)) % 1
    r = np.clip(np.searchsorted(tops, y, "right") - 1, 0, rows - 1)
    x = (u + lattice(rows, 1, seed + 3)[0][r]) % 1
    i = np.zeros(x.shape, np.int64)
    for k in range(1, columns):
        i += x >= cuts[r, k]
    width, height = cuts[r, i + 1] - cuts[r, i], tops[r + 1] - tops[r]
    return Blocks(
        (x - cuts[r, i]) / width - 0.5, (y - tops[r]) / height - 0.5, width, height, i + columns * r
    )


def basket_weave(u: Array, v: Array, squares: int, bricks: int) -> tuple[Blocks, Array]:
    """Squares of parallel bricks, level and upright by turns, and where they lie level; squares is even."""
    if squares % 2:
        raise ValueError("a basket weave needs an even number of squares")
    x, y = np.broadcast_arrays(u * squares, v * squares)
    i, j = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    level = (i + j) % 2 == 0
    along, across = np.where(level, x - i, y - j), np.where(level, y - j, x - i)
    k = np.minimum(np.floor(across * bricks), bricks - 1).astype(np.int64)
    along, across = along - 0.5, across * bricks - k - 0.5
    length, breadth = 1 / squares, 1 / (squares * bricks)
    return Blocks(
        np.where(level, along, across),
        np.where(level, across, along),
        np.where(level, length, breadth),
        np.where(level, breadth, length),
        k + bricks * (i % squares + squares * (j % squares)),
    ), level


def hexagons(u: Array, v: Array, columns: int, pairs: int) -> Tiles:
    """Hexagons that stand on a corner, `pairs` double rows; regular where columns / pairs is about √3."""
    x, y = u * columns, v * pairs
    tall = np.float32(columns / pairs)  # of a double row, in widths of a hexagon
    here = np.floor(x) + 0.5, np.floor(y) + 0.5
    there = np.floor(x - 0.5) + 1, np.floor(y - 0.5) + 1
    first = (x - here[0]) ** 2 + ((y - here[1]) * tall) ** 2
    near = first < (x - there[0]) ** 2 + ((y - there[1]) * tall) ** 2
    cx, cy = np.where(near, here[0], there[0]), np.where(near, here[1], there[1])
    dx, dy = x - cx, (y - cy) * tall
    slant = np.hypot(np.float32(0.5), tall / 2)  # to the centres of the neighbours above and below
    depth = np.minimum(0.5 - np.abs(dx), slant / 2 - (np.abs(dx) * 0.5 + np.abs(dy) * tall / 2) / slant)
    ids = np.round(2 * cx).astype(np.int64) % (2 * columns)
    ids = ids + 2 * columns * (np.round(2 * cy).astype(np.int64) % (2 * pairs))
    return Tiles(np.maximum(depth, 0) / columns, dx, dy, ids)


def scallops(u: Array, v: Array, columns: int) -> Tiles:
    """Fish scales: discs one column wide, half of one apart, every row over the next one below."""
    x, y = np.broadcast_arrays(u * columns, v * columns)
    middle = np.floor(2 * y).astype(np.int64)
    depth, free = np.full(x.shape, 9, np.float32), np.ones(x.shape, bool)
    dx, dy, ids = np.zeros(x.shape, np.float32), np.zeros(x.shape, np.float32), np.zeros(x.shape, np.int64)
    for j in (middle - 1, middle, middle + 1):
        shifted = x + 0.5 * (j % 2)
        i = np.floor(shifted).astype(np.int64)
        px, py = shifted - i - 0.5, y - 0.5 * j
        inner = 0.5 - np.hypot(px, py)
        own = free & (inner >= 0)
        # every outline from the top row down to the own one bounds the tile
        depth = np.where(free, np.minimum(depth, np.abs(inner)), depth)
        dx, dy = np.where(own, px, dx), np.where(own, py, dy)
        ids = np.where(own, i % columns + columns * (j % (2 * columns)), ids)
        free &= ~own
    return Tiles(depth / columns, dx, dy, ids)


def rings(u: Array, v: Array, period: int, jitter: float, seed: int, *, blend: float = 0.12) -> Array:
    """Distance (H, W), in cells, to the nearest of period × period sites, rounded where two are as near.

    Its level lines are rings around the sites that grow together. A soft minimum, -b log Σ exp(-d / b).
    """
    sx = 0.5 + jitter * (lattice(period, period, seed) - 0.5)
    sy = 0.5 + jitter * (lattice(period, period, seed + 1) - 0.5)
    x, y = np.broadcast_arrays(u * period, v * period)
    i, j = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    fx, fy = (x - i).astype(np.float32), (y - j).astype(np.float32)
    total = np.zeros(x.shape, np.float32)
    for dj in (-2, -1, 0, 1, 2):
        for di in (-2, -1, 0, 1, 2):
            at = (j + dj) % period * period + (i + di) % period
            total += np.exp(-np.hypot(sx.take(at) + (di - fx), sy.take(at) + (dj - fy)) / blend)
    return -blend * np.log(total)


def patch(
    size: int, shift: tuple[int, int], centre: tuple[float, float], reach: float
) -> tuple[tuple[Any, ...], Array, Array]:
    """The pixels within reach of a centre (right, down), all in tiles, and the way to them from there.

    Returns:
        An index into (size, size) that wraps, dx (1, N) to the right and dy (N, 1) downwards.
    """
    x0, y0 = centre[0] + shift[1] / size, centre[1] + shift[0] / size
    ix = np.arange(int(np.floor((x0 - reach) * size)), int(np.ceil((x0 + reach) * size)))
    iy = np.arange(int(np.floor((y0 - reach) * size)), int(np.ceil((y0 + reach) * size)))
    dx, dy = ((ix + 0.5) / size - x0)[None, :], ((iy + 0.5) / size - y0)[:, None]
    return np.ix_(iy % size, ix % size), dx, dy
