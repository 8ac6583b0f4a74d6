"""Materials as the tensors that generators read and write, at any size."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from engine.material.relief import encode_relief
from engine.material.resize import resized
from engine.starter.border import calmest
from engine.starter.materials import Params, render

SMOOTH_PX = 512
"""Up to this side materials are drawn twice as large and averaged; beyond it, aliasing is too fine to see."""

MOST_REPEATS = 4
REPEAT_COST = 0.02
"""In distortion, by its logarithm: a tile that is repeated shows, and what is on it gets smaller."""


def repeats(height: int, width: int) -> tuple[int, int]:
    """How many rows and columns of a square tile a picture holds: 2 x 3 in 256 x 384.

    Whole tiles have to fill it, and stay nearly square, even if that takes several along the shorter side.
    """
    short, long = min(height, width), max(height, width)

    def distortion(n: int) -> float:
        return abs(math.log(long * n / short / round(long * n / short)))

    across = min(range(1, MOST_REPEATS + 1), key=lambda n: distortion(n) + REPEAT_COST * (n - 1))
    along = round(long * across / short)
    return (along, across) if height > width else (across, along)


def draw_maps(params: Params, channels: Sequence[str], height: int, width: int) -> Tensor:
    """A material's maps, (C, height, width) float32 in 0..1, periodic, in the order of `channels`.

    At every size its border lies where little happens: see `border.calmest`.

    A picture that is not square repeats the tile, whole: see `repeats`. Its relief is a fraction of
    its own width, so of several tiles where they lie side by side.

    Args:
        params: as `engine.starter.materials.sample` makes them.
        channels: of red, green, blue, height, roughness, metallic, emission and relief.
        height: px.
        width: px.

    Raises:
        KeyError: there is no such channel, or the recipe names what there is not.
    """
    rows, columns = repeats(height, width)
    side = 2 ** math.ceil(math.log2(max(height / rows, width / columns)))
    material = render(params, side, supersampling=2 if side <= SMOOTH_PX else 1)
    maps = {name: material.basecolor[..., i] for i, name in enumerate(("red", "green", "blue"))}
    maps |= {name: getattr(material, name) for name in ("height", "roughness", "metallic", "emission")}
    maps["relief"] = np.full((side, side), encode_relief(material.relief / columns), np.float32)
    down, right = (round(share * side) for share in calmest(params))
    x = torch.from_numpy(np.stack([maps[name] for name in channels])).roll((-down, -right), (1, 2))
    x = x.repeat(1, rows, columns)
    return resized(x[None], height, width)[0].clamp(0, 1).contiguous()
