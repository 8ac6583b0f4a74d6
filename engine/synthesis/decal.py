"""Alpha for decals: an outline that follows the relief, so that a stain ends where the stones do."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.material.maps import DecodedMaps
from engine.models.vqgan import PLANE
from engine.settings import RunSettings
from engine.synthesis.starts import noise

RAGGED = 0.35
"""How far noise moves the outline, beside a fall from 1 in the middle to 0 at the border."""

RELIEF = 0.15
"""How far height does: what is high stays on longer, as paint on the stones of a wall."""

EDGE = 0.06
"""Over which part of that fall opacity goes from 0 to 1."""

GROUND = 0.08
"""Share of each side that stays free at the border, at least."""


def decal_alpha(s: RunSettings, seeds: list[int], maps: DecodedMaps, given: Tensor | None) -> Tensor | None:
    """Opacity (B, 1, H, W), 0..1, of the decals that a run makes; None for a run that makes none.

    Args:
        s: `decal` is the share that is opaque of an outline of its own.
        seeds: of each variation; the outline is random.
        maps: height is what the outline follows.
        given: an outline (1, H, W) to take instead, for all variations.
    """
    if given is not None:
        return given.to(maps.height).expand(len(seeds), -1, -1, -1)
    if s.decal <= 0:
        return None
    H, W = maps.height.shape[-2:]
    y, x = ((torch.arange(n) + 0.5) / n * 2 - 1 for n in (H, W))
    middle = 1 - torch.maximum(y.abs()[:, None], x.abs()[None]).pow(2)
    middle = middle * (1 - (y[:, None].square() + x[None].square()) / 2)
    field = middle + RAGGED * (noise(seeds, (1, H, W), PLANE) - 0.5).to(middle)
    field = field.to(maps.height) + RELIEF * (maps.height - 0.5)
    free = torch.maximum(y.abs()[:, None], x.abs()[None]) > 1 - 2 * GROUND
    field = field.masked_fill(free.to(field.device), -1.0)
    level = field.flatten(1).quantile(1 - min(s.decal, float(1 - free.float().mean())), dim=1)
    return ((field - level.view(-1, 1, 1, 1)) / EDGE + 0.5).clamp(0, 1)
