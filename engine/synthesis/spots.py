"""Spot prompts: words for a part of the picture, and the others for the rest."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.models.guide import Clip
from engine.models.packs import Pack
from engine.models.vqgan import Wrap
from engine.settings import RunSettings
from engine.synthesis.cutouts import CutoutParams, Cutouts
from engine.synthesis.edits import Edits
from engine.synthesis.losses import spherical_distance
from engine.synthesis.mask import softened
from engine.synthesis.warp import warp

TINY = 1e-6


@dataclass(frozen=True)
class Spots:
    """The parts that have prompts of their own.

    Attributes:
        parts: (P, 1, H, W), 0..1, with soft borders.
        targets: the guide's unit embeddings (P, D).
        weights: (P,); a negative one repels.
        clip: the guide.
    """

    parts: Tensor
    targets: Tensor
    weights: Tensor
    clip: Clip

    @classmethod
    def of(cls, s: RunSettings, edits: Edits, pack: Pack, wrap: Wrap) -> Spots | None:
        """Those of a request; None where it has none."""
        if not s.spots:
            return None
        device = pack.compute.device
        parts = softened(torch.stack(edits.spots).to(device), pack.generator.f, wrap)
        targets = torch.stack([pack.guide.encode_templates(spot.prompt, s.templates) for spot in s.spots])
        weights = torch.tensor([spot.weight for spot in s.spots], device=device)
        return cls(parts, targets, weights, pack.guide)

    def elsewhere(self, picture: Tensor) -> Tensor:
        """The same picture (B, 3, H, W), of which gradients reach only what no spot draws to itself."""
        taken = self.parts[self.weights > 0].sum(0).clamp(max=1)
        return only(picture, 1 - taken)

    def loss(self, picture: Tensor, cutouts: Cutouts, params: CutoutParams) -> Tensor:
        """Mean distance of views to each spot's words, by how much of it they show, weighted: (B,).

        Views are the run's own, surroundings and all, but only the part itself learns from them.
        """
        total = picture.new_zeros(len(picture))
        for part, target, weight in zip(self.parts, self.targets, self.weights, strict=True):
            views = cutouts(only(picture, part), params)
            shown = self._shown(part, params, cutouts)  # (B, n)
            e = self.clip.encode_image(views.flatten(0, 1)).view(*views.shape[:2], -1)
            d = spherical_distance(e, target)
            total = total + weight * (d * shown).sum(1) / (shown.sum(1) + TINY)
        return total

    def _shown(self, part: Tensor, params: CutoutParams, cutouts: Cutouts) -> Tensor:
        """Share of each view that a part (1, H, W) takes, (B, n)."""
        pictures = part.expand(len(params.matrix), -1, -1, -1)
        return warp(pictures, params.matrix, cutouts.size_px, cutouts.tile).mean((-3, -2, -1))


def only(x: Tensor, share: Tensor) -> Tensor:
    """x (B, C, H, W) in value; its gradient times a share (1, H, W)."""
    return x.detach() + (x - x.detach()) * share
