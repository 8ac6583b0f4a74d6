"""Periodic building blocks on the unit torus: noise, cells, bricks, strokes.

Coordinates u (to the right) and v (downwards) are in tiles. On a plain grid u is (1, W) and v is (H, 1),
which makes noise a product of small matrices; warped coordinates are (H, W) each. Everything takes integer
periods and looks its randomness up on a lattice modulo the period, so every result tiles exactly.
Formulas: research/materials.md 4.1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]


def _mix(x: NDArray[np.uint32]) -> NDArray[np.uint32]:
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D)
    x = (x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))


def hashed(i: Ints | int, j: Ints | int, seed: int) -> Array:
    """Uniform in [0, 1) for every pair of integers, the same for the same seed everywhere."""
    with np.errstate(over="ignore"):
        start = _mix(np.asarray(i).astype(np.uint32) + np.uint32(seed & 0xFFFFFFFF) * np.uint32(0x9E3779B9))
        bits = _mix(np.asarray(j).astype(np.uint32) ^ start)
    return (bits >> np.uint32(8)).astype(np.float32) * np.float32(1 / 2**24)


def lattice(px: int, py: int, seed: int) -> Array:
    """Random numbers (py, px) in [0, 1), one for each point of a periodic lattice."""
    j, i = np.mgrid[:py, :px]
    return hashed(i, j, seed)


def smoothstep(lo: float, hi: float, x: Array) -> Array:
    """0 below lo, 1 above hi, smooth between; lo > hi falls instead of rising."""
    t = np.clip((x - lo) / (hi - lo), 0, 1)
    return t * t * (3 - 2 * t)


def _fade(t: Array) -> Array:
    return t * t * t * (t * (t * 6 - 15) + 10)


def _axis_weights(t: Array, period: int) -> tuple[Array, Array]:
    """For t (N,): interpolation weights (N, period), and the same times the offset from the point."""
    x = t * period
    low = np.floor(x)
    offset = (x - low).astype(np.float32)
    at = low.astype(np.int64) % period
    rise = _fade(offset)
    rows = np.arange(len(t))
    weights, moments = np.zeros((2, len(t), period), np.float32)
    # += because with period 1 both neighbours are the same point
    weights[rows, at] += 1 - rise
    moments[rows, at] += (1 - rise) * offset
    weights[rows, (at + 1) % period] += rise
    moments[rows, (at + 1) % period] += rise * (offset - 1)
    return weights, moments


def perlin(u: Array, v: Array, px: int, py: int, seed: int) -> Array:
    """Gradient noise (H, W), about -0.7..0.7, standard deviation about 0.25."""
    angle = lattice(px, py, seed) * np.float32(2 * np.pi)
    gx, gy = np.cos(angle), np.sin(angle)
    if u.shape[0] == 1 and v.shape[1] == 1:
        wu, mu = _axis_weights(u[0], px)
        wv, mv = _axis_weights(v[:, 0], py)
        return wv @ (gx @ mu.T) + mv @ (gy @ wu.T)
    x, y = u * px, v * py
    i, j = np.floor(x), np.floor(y)
    fx, fy = x - i, y - j
    i, j = i.astype(np.int64), j.astype(np.int64)
    columns, rows = (i % px, (i + 1) % px), (j % py * px, (j + 1) % py * px)

    def corner(a: int, b: int) -> Array:
        at = rows[b] + columns[a]
        return gx.take(at) * (fx - a) + gy.take(at) * (fy - b)

    s, t = _fade(fx), _fade(fy)
    top = corner(0, 0) * (1 - s) + corner(1, 0) * s
    bottom = corner(0, 1) * (1 - s) + corner(1, 1) * s
    return top + (bottom - top) * t


def fbm(u: Array, v: Array, px: int, py: int, octaves: int, gain: float, seed: int, size: int) -> Array:
    """Sum of noise octaves (H, W) in 0..1, mean 0.5, standard deviation about 0.2.

    Octaves finer than two pixels are left out, and the rest stay as they are: sizes agree on what both show.
    """
    total: Array = np.zeros(np.broadcast_shapes(u.shape, v.shape), np.float32)
    weight, norm = 1.0, 0.0
    for k in range(octaves):
        norm += weight
        if max(px, py) << k <= size // 2:
            total += weight * perlin(u, v, px << k, py << k, seed + 17 * k)
        weight *= gain
    return np.clip(0.5 + total / norm * 1.25, 0, 1)


@dataclass(frozen=True)
class Cells:
    """Voronoi cells, lengths in cells.

    f1 is the distance to the nearest site, edge the exact distance to the border of the cell (bisectors with
    all neighbours, after Quilez's "voronoi edges"), rx and ry lead to the site; ids differ between cells.
    """

    f1: Array
    edge: Array
    rx: Array
    ry: Array
    ids: Ints


def voronoi(u: Array, v: Array, px: int, py: int, jitter: float, seed: int, *, borders: bool = True) -> Cells:
    """Voronoi diagram (H, W) of a jittered px × py lattice; without borders it is faster, and edge is 0."""
    sx = 0.5 + jitter * (lattice(px, py, seed) - 0.5)
    sy = 0.5 + jitter * (lattice(px, py, seed + 1) - 0.5)
    x, y = u * px, v * py
    ci, cj = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    fx, fy = (x - ci).astype(np.float32), (y - cj).astype(np.float32)
    shape = np.broadcast_shapes(u.shape, v.shape)
    f1 = np.full(shape, 9, np.float32)
    rx, ry, ids = np.zeros(shape, np.float32), np.zeros(shape, np.float32), np.zeros(shape, np.int64)

    def site(di: int, dj: int) -> tuple[Array, Array, Ints]:
        at = (cj + dj) % py * px + (ci + di) % px
        return sx.take(at) + (di - fx), sy.take(at) + (dj - fy), at

    for dj in (-1, 0, 1):
        for di in (-1, 0, 1):
            qx, qy, at = site(di, dj)
            d = qx * qx + qy * qy
            near = d < f1
            f1, ids = np.where(near, d, f1), np.where(near, at, ids)
            rx, ry = np.where(near, qx, rx), np.where(near, qy, ry)
    edge = np.zeros(shape, np.float32)
    if borders:
        edge = _border_distance(site, rx, ry)
    return Cells(np.sqrt(f1), edge, rx, ry, ids)


def _border_distance(site: Callable[[int, int], tuple[Array, Array, Ints]], rx: Array, ry: Array) -> Array:
    edge: Array = np.full(rx.shape, 9, np.float32)
    for dj in (-2, -1, 0, 1, 2):
        for di in (-2, -1, 0, 1, 2):
            qx, qy, _ = site(di, dj)
            dx, dy = qx - rx, qy - ry
            length = np.sqrt(dx * dx + dy * dy)
            bisector = 0.5 * ((qx + rx) * dx + (qy + ry) * dy) / np.maximum(length, 1e-4)
            edge = np.minimum(edge, np.where(length > 1e-4, bisector, 9))
    return np.maximum(edge, 0)


@dataclass(frozen=True)
class Blocks:
    """A tiling by rectangles: x, y in -0.5..0.5 across each, its width and height in tiles, and its id."""

    x: Array
    y: Array
    width: Array | float
    height: Array | float
    ids: Ints


def running_bond(u: Array, v: Array, columns: int, rows: int, offset: float = 0.5) -> Blocks:
    """Courses of equal blocks, every second one shifted. Rows must be even where there is an offset."""
    if rows % 2 and offset:
        raise ValueError("an offset needs an even number of rows")
    r = np.floor(v * rows).astype(np.int64)
    x = u * columns + offset * (r % 2)
    c = np.floor(x).astype(np.int64)
    ids = c % columns + columns * (r % rows)
    return Blocks(x - c - 0.5, v * rows - r - 0.5, 1 / columns, 1 / rows, ids)


def herringbone(u: Array, v: Array, repeats: int, length: int) -> tuple[Blocks, NDArray[np.bool_]]:
    """Blocks of length × 1 cells, 2 · length · repeats cells a side, and which of them lie level."""
    n = 2 * length * repeats
    i, j = np.broadcast_arrays(np.floor(u * n).astype(np.int64), np.floor(v * n).astype(np.int64))
    d = (i - j) % (2 * length)
    level = d < length
    x0 = np.where(level, i - d, i)
    y0 = np.where(level, j, j - (2 * length - 1 - d))
    w, h = np.where(level, length, 1), np.where(level, 1, length)
    x, y = (u * n - x0) / w - 0.5, (v * n - y0) / h - 0.5
    return Blocks(x, y, w / n, h / n, x0 % n + n * (y0 % n)), level


def inside(blocks: Blocks, gap: float, radius: float = 0.0) -> Array:
    """Distance (H, W), in tiles, into each block from its rounded outline; gap is the joint's full width."""
    dx = np.abs(blocks.x) * blocks.width - (np.asarray(blocks.width) / 2 - gap / 2 - radius)
    dy = np.abs(blocks.y) * blocks.height - (np.asarray(blocks.height) / 2 - gap / 2 - radius)
    outer = np.sqrt(np.maximum(dx, 0) ** 2 + np.maximum(dy, 0) ** 2)
    return radius - outer - np.minimum(np.maximum(dx, dy), 0)


def equalised(x: Array) -> Array:
    """Ranks of x (H, W), spread evenly over 0..1."""
    order = np.argsort(x, axis=None, kind="stable")
    ranks = np.empty(x.size, np.float32)
    ranks[order] = np.linspace(0, 1, x.size, dtype=np.float32)
    return ranks.reshape(x.shape)


def blurred(x: Array, sigma: float) -> Array:
    """Gaussian blur (H, W) on the torus; sigma in tiles."""
    fy, fx = np.fft.fftfreq(x.shape[0])[:, None] * x.shape[0], np.fft.rfftfreq(x.shape[1])[None] * x.shape[1]
    transfer = np.exp(-2 * np.pi**2 * sigma**2 * (fx**2 + fy**2))
    return np.fft.irfft2(np.fft.rfft2(x) * transfer, x.shape).astype(np.float32)


def cavities(height: Array, reach: float = 0.02) -> Array:
    """Evenly spread over 0..1 (H, W), high where a surface lies lower than around it, `reach` in tiles."""
    return equalised(blurred(height, reach) - height)


def covering(field: Array, share: float, softness: float) -> Array:
    """A mask (H, W), 0..1, that covers this share of the picture, where the field is highest."""
    level = float(np.quantile(field, 1 - share))
    return smoothstep(level - softness, level + softness, field)
