"""Materials as the tensors that generators read and write, at any size."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from engine.material.relief import encode_relief
from engine.material.resize import resized
from engine.starter.materials import Params, render

SMOOTH_PX = 512
"""Up to this side materials are drawn twice as large and averaged; beyond it, aliasing is too fine to see."""


def draw_maps(params: Params, channels: Sequence[str], height: int, width: int) -> Tensor:
    """A material's maps, (C, height, width) float32 in 0..1, periodic, in the order of `channels`.

    A picture that is not square repeats the tile, whole, along its longer side: as often as distorts least.
    Its relief is a fraction of its own width, so of several tiles where they lie side by side.

    Args:
        params: as `engine.starter.materials.sample` makes them.
        channels: of red, green, blue, height, roughness, metallic, emission and relief.
        height: px.
        width: px.

    Raises:
        KeyError: there is no such channel, or the recipe names what there is not.
    """
    short = min(height, width)
    rows, columns = round(height / short), round(width / short)
    side = 2 ** math.ceil(math.log2(max(height / rows, width / columns)))
    material = render(params, side, supersampling=2 if side <= SMOOTH_PX else 1)
    maps = {name: material.basecolor[..., i] for i, name in enumerate(("red", "green", "blue"))}
    maps |= {name: getattr(material, name) for name in ("height", "roughness", "metallic", "emission")}
    maps["relief"] = np.full((side, side), encode_relief(material.relief / columns), np.float32)
    x = torch.from_numpy(np.stack([maps[name] for name in channels])).repeat(1, rows, columns)
    return resized(x[None], height, width)[0].clamp(0, 1).contiguous()
