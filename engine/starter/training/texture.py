"""What makes a decoded picture look right beside being right: edges, and statistics of features."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.models.guide import Clip
from engine.models.towers import statistics


def differences(x: Tensor) -> Tensor:
    """Horizontal and vertical differences of neighbours, what an L1 loss alone leaves blurred."""
    dx = x[..., :-1, 1:] - x[..., :-1, :-1]
    dy = x[..., 1:, :-1] - x[..., :-1, :-1]
    return torch.cat([dx, dy], 1)


class TextureLoss:
    """Base colours compared in the first stages of a guide's tower.

    An error of pixels alone is smallest where grain is blurred away; a texture's statistics are not
    (Gatys et al. 2015).
    """

    def __init__(self, guide: Clip, stages: int) -> None:
        self.tower = guide.model.visual.trunk.stages[:stages]

    def __call__(self, out: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """How far base colours (B, 3, H, W) in -1..1 are apart, place by place and in their statistics."""
        a, b = 2 * out, 2 * target  # the guide's own normalisation of 0..1: mean 0.5, deviation 0.25
        features, texture = out.new_zeros(()), out.new_zeros(())
        for stage in self.tower:
            a = stage(a)
            with torch.no_grad():
                b = stage(b)
            features = features + (a - b).abs().mean()
            texture = texture + (statistics(a) - statistics(b)).abs().mean()
        return features, texture
