"""Drawn maps in the colours of a palette: groups of colours move to it, and keep what is in them."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from kornia.color import lab_to_rgb
from torch import Tensor
from torch.nn import functional as F  # the field's name for it

from engine.synthesis.palette import CLAIM, LIGHTNESS, lab

SAMPLE_PX = 64
BLOCKS = 64
"""Groups consist of whole 64ths of a picture."""

SOFTNESS = 0.04
"""In the unit of `lab`: between two groups this near to each, a colour belongs to both."""


def recoloured(pictures: Tensor, palette: Tensor, weight: float) -> Tensor:
    """Pictures whose main colours are those of a palette: (B, 3, H, W), sRGB, 0..1.

    As many groups are found as the palette has colours, and matched with them from dark to light, so that
    joints stay darker than stones. Each group moves as a whole, and keeps its grain:

        x' = x + s Σ_k w_k(x) (p_k - c_k),  s = 1 - exp(-1.5 weight)

    with x, centres c and palette p in Lab, and w the softmax of -‖x - c_k‖²/σ². A row does not depend on
    the others.

    Args:
        pictures: (B, 3, H, W), sRGB, 0..1.
        palette: (P, 3), sRGB, 0..1.
        weight: 0 changes nothing; at 2, the default of `palette_weight`, colours go 95 % of the way.

    After Reinhard et al. 2001, Color Transfer between Images, with groups rather than one mean.
    """
    if weight <= 0:
        return pictures
    colours = _by_lightness(lab(palette[:, :, None, None]).flatten(1))
    pixels = lab(pictures).flatten(2).mT  # (B, N, 3)
    few = lab(F.interpolate(pictures, (SAMPLE_PX, SAMPLE_PX), mode="nearest")).flatten(2).mT
    moved = torch.stack(
        [_moved(x, _centres(sample, len(colours)), colours) for x, sample in zip(pixels, few, strict=True)]
    )
    share = 1 - math.exp(-1.5 * weight)
    return _to_rgb(torch.lerp(pixels, moved, share).mT.view_as(pictures))


def _to_rgb(x: Tensor) -> Tensor:
    """Colours (B, 3, H, W) in the unit of `lab` → sRGB, 0..1."""
    unit = x.new_tensor([LIGHTNESS, 1.0, 1.0]).view(3, 1, 1) / 100
    rgb: Tensor = lab_to_rgb(x / unit)
    return rgb.clamp(0, 1)


def main_colours(picture: Tensor, count: int) -> Tensor:
    """So many colours (count, 3) of a picture (3, H, W), sRGB, 0..1, from dark to light."""
    small = F.interpolate(picture[None], (SAMPLE_PX, SAMPLE_PX), mode="nearest")
    centres = _centres(lab(small)[0].flatten(1).mT, count)
    return _to_rgb(centres.mT[None, :, :, None])[0, :, :, 0].mT


def _moved(x: Tensor, centres: Tensor, colours: Tensor) -> Tensor:
    """Colours (N, 3), each moved with the groups that it belongs to."""
    share = (-torch.cdist(x, centres).square() / SOFTNESS**2).softmax(-1)
    return x + share @ (colours - centres)


def _centres(x: Tensor, count: int) -> Tensor:
    """The centres (count, 3) of groups of colours (N, 3), from dark to light.

    Colours stand in a row along their main axis. Of all ways to cut it into groups that have at least half
    of their even share each, it is the one that leaves the least variance: dynamic programming over blocks.
    So every colour of a palette gets something to colour, and dark and light bricks may go two ways.
    """
    ordered = x[_along(x).argsort(stable=True)]
    blocks = ordered[: len(x) // BLOCKS * BLOCKS].view(BLOCKS, -1, 3).mean(1).double().cpu()
    sums = F.pad(blocks.cumsum(0), (0, 0, 1, 0))
    squares = F.pad(blocks.square().sum(1).cumsum(0), (1, 0))
    least = max(1, round(CLAIM * BLOCKS / count))

    def spread(a: int, b: int) -> float:
        """Of the blocks a to b - 1, around their mean."""
        return float(squares[b] - squares[a] - (sums[b] - sums[a]).square().sum() / (b - a))

    best = {0: (0.0, [0])}  # end of the groups so far → variance and cuts
    for k in range(1, count + 1):
        ends = range(k * least, BLOCKS - (count - k) * least + 1) if k < count else [BLOCKS]
        best = {
            end: min(
                (cost + spread(start, end), [*cuts, end])
                for start, (cost, cuts) in best.items()
                if start + least <= end
            )
            for end in ends
        }
    _, cuts = best[BLOCKS]
    centres = [(sums[b] - sums[a]) / (b - a) for a, b in pairwise(cuts)]
    return _by_lightness(torch.stack(centres).to(x))


def _along(x: Tensor) -> Tensor:
    """Where colours (N, 3) lie on the axis on which they differ most, dark before light: (N,)."""
    apart = x - x.mean(0)
    axis = torch.linalg.eigh((apart.mT @ apart).double().cpu())[1][:, -1].to(x)
    return apart @ axis * (1 if axis[0] >= 0 else -1)


def _by_lightness(x: Tensor) -> Tensor:
    """Colours (N, 3) in Lab, from dark to light."""
    return x[x[:, 0].argsort(stable=True)]
