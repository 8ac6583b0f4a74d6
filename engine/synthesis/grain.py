"""The fine texture of a picture on drawn maps: bricks with the grain of granite, and still bricks."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from engine.material.maps import luminance
from engine.synthesis.base import periodic
from engine.synthesis.seeds import normal, streams

COARSE = 12.0
"""Waves across the shorter side: what is no finer than so many is layout, and stays the recipe's."""

MOST = 0.9
"""Of the picture's grain at a large weight; at weight 1 it is 57 %."""

DEEP = 0.35
"""Height that grain from black to white comes to, beside the recipe's whole range."""

LOUD = 0.08
"""Deviation above which grain is quieter than in the picture: edges of its layout are no grain."""


def grained(maps: Tensor, picture: Tensor, weight: float, seeds: Sequence[int], height: int | None) -> Tensor:
    """Drawn maps with the grain of a picture added to their colours and heights.

        x' = x + s g,  s = MOST (1 - exp(-weight)) min(1, LOUD / σ(g))

    with g a texture that has the picture's spectrum above COARSE, the same in all channels' phases, and
    these at random: so edges of the picture's layout do not lie across that of the recipe, and it tiles.

    Args:
        maps: (B, C, H, W), 0..1, of which the first three are base colour.
        picture: (3, H, W), sRGB, 0..1.
        weight: above 0.
        seeds: one a row: each has a grain of its own.
        height: the channel of height, if there is one.

    Source: Galerne, Gousseau and Morel, "Random Phase Textures: Theory and Synthesis", 2011.
    """
    H, W = maps.shape[-2:]
    spectrum = torch.fft.rfft2(periodic(picture[None].to(maps), (True, True)))
    y = torch.fft.fftfreq(H, d=1 / H, device=maps.device)[:, None] * min(H, W) / H
    x = torch.fft.rfftfreq(W, d=1 / W, device=maps.device) * min(H, W) / W
    fine = 1 - torch.exp(-(y.square() + x.square()) / COARSE**2)
    phases = torch.fft.rfft2(normal(streams(seeds, "grain"), (1, H, W)).to(maps))
    grain = torch.fft.irfft2(spectrum * fine * phases / phases.abs().clamp(min=1e-9), s=(H, W))
    deviation = grain.std((1, 2, 3), keepdim=True).clamp(min=1e-6)
    grain = grain * MOST * (1 - math.exp(-weight)) * (LOUD / deviation).clamp(max=1)
    out = maps.clone()
    out[:, :3] += grain
    if height is not None:
        out[:, height : height + 1] += DEEP * luminance(grain)
    return out.clamp(0, 1)
