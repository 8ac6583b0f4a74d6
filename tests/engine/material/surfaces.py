"""Surfaces whose every number is known."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from engine.material.maps import DecodedMaps


def waves(H: int, W: int, *, seed: int = 0, B: int = 1) -> Tensor:
    """Smooth periodic noise (B, 1, H, W), 0..1: a few sine waves with whole periods."""
    draw = torch.Generator().manual_seed(seed)
    y, x = torch.meshgrid(torch.arange(H) / H, torch.arange(W) / W, indexing="ij")
    out = torch.zeros(B, 1, H, W)
    for fy, fx in ((1, 0), (0, 1), (1, 2), (3, -1), (2, 3), (5, 4)):
        phase = torch.rand(B, 1, 1, 1, generator=draw)
        out += torch.sin(2 * math.pi * (fy * y + fx * x + phase)) / (1 + abs(fy) + abs(fx))
    low, high = out.amin((1, 2, 3), True), out.amax((1, 2, 3), True)
    return (out - low) / (high - low)


def material(H: int = 32, W: int = 32, *, seed: int = 0, B: int = 1, **numbers: float) -> DecodedMaps:
    """Waves in every map but emission: nothing glows. A number replaces the map (or relief) of that name."""

    def picture(name: str, channels: int, k: int) -> Tensor:
        if name in numbers:
            return torch.full((B, channels, H, W), numbers[name])
        return torch.cat([waves(H, W, seed=10 * seed + k + c, B=B) for c in range(channels)], 1)

    return DecodedMaps(
        basecolor=picture("basecolor", 3, 0),
        height=picture("height", 1, 3),
        roughness=picture("roughness", 1, 4),
        metallic=picture("metallic", 1, 5),
        emission=torch.full((B, 1, H, W), numbers.get("emission", 0.0)),
        relief=torch.full((B,), numbers.get("relief", 0.05)),
    )
