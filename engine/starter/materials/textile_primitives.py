"""Woven threads, and the colours that cloth is dyed in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.starter.materials.primitives import Array, Ints
from engine.starter.materials.registry import Canvas, Palette

DYED: dict[str, Palette] = {
    "red": Palette("red", "5c1018 8c1c26 b43440", 1.5),
    "navy": Palette("blue", "101c3e 1c2f60 33497f", 1.5),
    "blue": Palette("blue", "1e4078 3060a4 5585c6"),
    "green": Palette("green", "123a24 20583a 3d7a58"),
    "brown": Palette("brown", "3c2615 5f3f26 835c3c", 1.5),
    "grey": Palette("grey", "4e5053 75777b 9a9ca0"),
    "purple": Palette("purple", "34164e 532a78 764a9c"),
    "black": Palette("black", "0c0c0e 17171a 2a2a2e"),
}
FURNISHING: dict[str, Palette] = DYED | {
    "beige": Palette("beige", "b0986e cfb88e e4d3b0", 1.5),
    "cream": Palette("cream", "d9ccab ece1c6 f7f0de"),
}


@dataclass(frozen=True)
class Weave:
    """Upright warp and level weft threads. All (H, W), about the thread that one sees there.

    over says where that is the warp; ids number the threads of both kinds, the weft from 4096 on; height is
    0..1, 0 in the gaps; along is 0..1 over one float (the length for which a thread stays on one side), and
    across -0.5..0.5 over its lane.
    """

    over: NDArray[np.bool_]
    ids: Ints
    height: Array
    across: Array
    along: Array

    def fibre(self, c: Canvas, fine: int = 64, long: int = 16) -> Array:
        """Noise (H, W) in 0..1 drawn out along the threads."""
        upright, level = c.noise("fibre.y", fine, long, octaves=2), c.noise("fibre.x", long, fine, octaves=2)
        return np.where(self.over, upright, level)


def weave(
    u: Array,
    v: Array,
    columns: int,
    rows: int,
    cycle: int = 2,
    floats: int = 1,
    *,
    width: tuple[Array | float, Array | float] = (0.96, 0.96),
    dive: float = 0.5,
) -> Weave:
    """Threads of which the warp lies on top for `floats` of every `cycle` crossings, a step on in each row.

    Plain weave is (2, 1), denim (3, 2), the twill of tartans (4, 2).

    Args:
        u: coordinates in tiles, as those of a Canvas; v the same.
        v: downwards.
        columns: warp threads a tile; a multiple of the cycle, as are the rows.
        rows: weft threads a tile.
        cycle: crossings until a thread's course repeats.
        floats: crossings of a cycle where the warp is on top.
        width: of warp and weft threads as shares of their lanes.
        dive: share of the height by which a thread sinks from its top to its bottom.

    Raises:
        ValueError: columns or rows are no multiple of the cycle, so the cloth would not tile.
    """
    if columns % cycle or rows % cycle:
        raise ValueError(f"{columns} × {rows} threads do not repeat after {cycle}")
    x, y = np.broadcast_arrays(u * columns, v * rows)
    i, j = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    fx, fy = x - i, y - j
    step = (i + j) % cycle
    up = step < floats
    start, length = np.where(up, 0, floats), np.where(up, floats, cycle - floats)
    side = np.where(up, 1, -1)

    def thread(across: Array, along: Array, share: Array | float, sign: Array) -> Array:
        profile = np.sqrt(np.clip(1 - (2 * (across - 0.5) / share) ** 2, 0, 1))
        return profile * (1 - dive * (0.5 - 0.5 * sign * np.sin(np.pi * along)))

    along_warp, along_weft = (step - start + fy) / length, (step - start + fx) / length
    warp, weft = thread(fx, along_warp, width[0], side), thread(fy, along_weft, width[1], -side)
    over = np.where(warp == weft, up, warp > weft)
    return Weave(
        over,
        np.where(over, i % columns, j % rows + 4096),
        np.maximum(warp, weft),
        np.where(over, fx, fy) - 0.5,
        np.where(over, along_warp, along_weft),
    )
