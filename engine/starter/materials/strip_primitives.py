"""Long thin pieces laid one over another: flakes, straw, fibres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.starter.materials.primitives import Array
from engine.starter.materials.registry import Canvas


@dataclass(frozen=True)
class Strip:
    """One piece, only where it lies: `window` indexes the picture, the rest is (h, w) in that window.

    p runs along it, -0.5..0.5, q across it, -1..1 between its edges; cover is 0..1, soft over one pixel.
    """

    window: tuple[NDArray[np.intp], ...]
    p: Array
    q: Array
    cover: Array

    def paint(self, layer: Array, value: Array | float, share: float = 1.0) -> None:
        """Lay the value (a number or (h, w)) into a layer (H, W)."""
        layer[self.window] += share * self.cover * (value - layer[self.window])


def strip(
    c: Canvas,
    centre: Array,
    angle: float,
    length: float,
    width: float,
    *,
    bend: float = 0.0,
    slant: float = 0.0,
) -> Strip:
    """The strip around a centre (u, v), lengths in tiles; the window must stay narrower than the tile.

    Args:
        c: where it is drawn.
        centre: (2,), in tiles.
        angle: of its length, clockwise from the u axis, radians.
        length: from end to end.
        width: from edge to edge.
        bend: how far its middle bows out, as a share of its length.
        slant: by how much of its length one edge is shifted against the other.
    """
    n = c.size
    cos, sin = np.cos(angle), np.sin(angle)
    reach, side = length * (0.5 + abs(slant)), width / 2 + abs(bend) * length
    half_x, half_y = abs(cos) * reach + abs(sin) * side, abs(sin) * reach + abs(cos) * side
    x0, y0 = centre[0] + c.shift[1] / n, centre[1] + c.shift[0] / n
    ix = np.arange(int(np.floor((x0 - half_x) * n)) - 1, int(np.ceil((x0 + half_x) * n)) + 1)
    iy = np.arange(int(np.floor((y0 - half_y) * n)) - 1, int(np.ceil((y0 + half_y) * n)) + 1)
    dx, dy = ((ix + 0.5) / n - x0)[None, :], ((iy + 0.5) / n - y0)[:, None]
    p = (dx * cos + dy * sin) / length
    q = (dy * cos - dx * sin + bend * length * (1 - 4 * p * p)) / (width / 2)
    p = p + slant * q
    ends, edges = (0.5 - np.abs(p)) * length * n, (1 - np.abs(q)) * width / 2 * n
    cover = np.clip(np.minimum(ends, edges) + 0.5, 0, 1)
    return Strip(np.ix_(iy % n, ix % n), p, q, cover)
