"""Drawn maps in the colours of a palette: groups of colours move to it, and keep what is in them."""

from __future__ import annotations

import math

import torch
from kornia.color import lab_to_rgb
from torch import Tensor
from torch.nn import functional as F  # the field's name for it

from engine.synthesis.palette import LIGHTNESS, lab

SAMPLE_PX = 64
ROUNDS = 12
SOFTNESS = 0.04
"""In the unit of `lab`: between two groups this near to each, a colour belongs to both."""


def recoloured(pictures: Tensor, palette: Tensor, weight: float) -> Tensor:
    """Pictures whose main colours are those of a palette: (B, 3, H, W), sRGB, 0..1.

    As many groups are found as the palette has colours, and matched with them from dark to light, so that
    joints stay darker than stones. Each group moves as a whole, and keeps its grain:

        x' = x + s Σ_k w_k(x) (p_k - c_k),  s = 1 - exp(-weight)

    with x, centres c and palette p in Lab, and w the softmax of -‖x - c_k‖²/σ². A row does not depend on
    the others.

    Args:
        pictures: (B, 3, H, W), sRGB, 0..1.
        palette: (P, 3), sRGB, 0..1.
        weight: 0 changes nothing; at 2, the default of `palette_weight`, colours go 86 % of the way.

    After Reinhard et al. 2001, Color Transfer between Images, with groups rather than one mean.
    """
    if weight <= 0:
        return pictures
    colours = _by_lightness(lab(palette[:, :, None, None]).flatten(1))
    pixels = lab(pictures).flatten(2).mT  # (B, N, 3)
    few = lab(F.interpolate(pictures, (SAMPLE_PX, SAMPLE_PX), mode="area")).flatten(2).mT
    moved = torch.stack(
        [_moved(x, _centres(sample, len(colours)), colours) for x, sample in zip(pixels, few, strict=True)]
    )
    share = 1 - math.exp(-weight)
    changed = torch.lerp(pixels, moved, share).mT.view_as(pictures)
    unit = changed.new_tensor([LIGHTNESS, 1.0, 1.0]).view(3, 1, 1) / 100
    back: Tensor = lab_to_rgb(changed / unit)
    return back.clamp(0, 1)


def _moved(x: Tensor, centres: Tensor, colours: Tensor) -> Tensor:
    """Colours (N, 3), each moved with the groups that it belongs to."""
    share = (-torch.cdist(x, centres).square() / SOFTNESS**2).softmax(-1)
    return x + share @ (colours - centres)


def _centres(x: Tensor, count: int) -> Tensor:
    """The centres (count, 3) of groups of colours (N, 3), from dark to light: k-means.

    It begins from quantiles of lightness, so that nothing is drawn.
    """
    places = ((torch.arange(count) + 0.5) / count * len(x)).long()
    centres = _by_lightness(x)[places.to(x.device)]
    for _ in range(ROUNDS):
        member = F.one_hot(torch.cdist(x, centres).argmin(-1), count).to(x)
        sizes = member.sum(0)[:, None]
        centres = torch.where(sizes > 0, member.mT @ x / sizes.clamp(min=1), centres)
    return _by_lightness(centres)


def _by_lightness(x: Tensor) -> Tensor:
    """Colours (N, 3) in Lab, from dark to light."""
    return x[x[:, 0].argsort(stable=True)]
