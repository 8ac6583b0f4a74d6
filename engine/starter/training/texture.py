"""How far decoded maps are from the true ones: values, edges, mean colours, statistics of features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F  # the field's name for it

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


class Weights(Protocol):
    """What a stage's configuration says of its loss."""

    @property
    def stages(self) -> int:
        """Of the guide's tower that base colours are compared in."""
        ...

    @property
    def features(self) -> float:
        """Weight of their features, place by place."""
        ...

    @property
    def texture(self) -> float:
        """Weight of their features' statistics."""
        ...


@dataclass(frozen=True)
class Unlikeness:
    """What is to be lowered, and the parts of it that are worth watching."""

    loss: Tensor
    figures: dict[str, float]


class MapLoss:
    """All that generator and decoder share of their losses.

    Args:
        guide: through whose tower base colours are compared.
        cfg: of the stage.
        weights: of each of `data.CHANNELS`.
    """

    def __init__(self, guide: Clip, cfg: Weights, weights: Sequence[float]) -> None:
        self.cfg, self.texture_loss = cfg, TextureLoss(guide, cfg.stages)
        self.weights = torch.tensor(weights, device=guide.compute.device).view(1, -1, 1, 1)

    def __call__(self, out: Tensor, target: Tensor) -> Unlikeness:
        """Compares maps (B, 8, H, W) in -1..1."""
        error = (self.weights * (out - target).abs()).mean()
        edges = (self.weights.repeat(1, 2, 1, 1) * (differences(out) - differences(target)).abs()).mean()
        hue = F.l1_loss(F.avg_pool2d(out[:, :3], 16), F.avg_pool2d(target[:, :3], 16))
        features, texture = self.texture_loss(out[:, :3], target[:, :3])
        loss = error + edges + self.cfg.features * features + self.cfg.texture * texture
        parts = {"error": error, "edges": edges, "hue": hue, "features": features, "texture": texture}
        # Normalisation hides mean colours: they have to be asked for.
        return Unlikeness(loss + 5 * hue, {name: part.item() for name, part in parts.items()})
