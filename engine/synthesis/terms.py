"""Wishes about a picture that words say badly: one function a term, weighted by the setting of its name.

A term takes pictures (B, 3, H, W), sRGB, 0..1, and which axes (vertical, horizontal) close on themselves. It
returns (B,): less is better, and a row does not depend on the others. Luminance Y is Rec. 709, of sRGB.
Terms see base colour only, and through the guide's own changes: a drawn start lets them move tones, not its
fine detail.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from engine.material.classical import gaussian
from engine.material.maps import luminance
from engine.models.vqgan import Wrap
from engine.settings import RunSettings

Term = Callable[[Tensor, Wrap], Tensor]

SLOW = 1 / 8
"""Deviation of the blur that leaves what may be light, as a share of the picture's width."""

EDGE_BLUR_PX = 1.0
MARGIN = 1 / 16
"""Width of the margin, as a share of the shorter side."""

TINY = 1e-8
"""Under a root: its slope at 0 is infinite."""


def symmetry_x(x: Tensor, _: Wrap) -> Tensor:
    """Mean square of x less its mirror image, left for right. Source: `SymmetryLoss` of pixray."""
    return (x - x.flip(-1)).square().mean((1, 2, 3))


def symmetry_y(x: Tensor, _: Wrap) -> Tensor:
    """Mean square of x less its mirror image, top for bottom."""
    return (x - x.flip(-2)).square().mean((1, 2, 3))


def saturation(x: Tensor, _: Wrap) -> Tensor:
    """Minus colourfulness: -(σ + 0.3 μ), with σ² = σ²_rg + σ²_yb, μ² = μ²_rg + μ²_yb.

    The opponents are rg = R - G and yb = (R + G)/2 - B.

    Source: Hasler and Süsstrunk, "Measuring colourfulness in natural images", 2003.
    """
    R, G, B = x.unbind(1)
    opponents = torch.stack([R - G, (R + G) / 2 - B], 1).flatten(2)  # (B, 2, H·W)
    sigma = (opponents.var(-1, correction=0).sum(-1) + TINY).sqrt()
    mu = (opponents.mean(-1).square().sum(-1) + TINY).sqrt()
    return -(sigma + 0.3 * mu)


def smoothness(x: Tensor, wrap: Wrap) -> Tensor:
    """Total variation: mean |∂x/∂row| + mean |∂x/∂column|, over the border where it closes.

    Source: Rudin, Osher and Fatemi 1992, in its anisotropic form.
    """
    steps = [_steps(x, axis, wraps=wraps) for axis, wraps in zip((-2, -1), wrap, strict=True)]
    return torch.stack([step.abs().mean((1, 2, 3)) for step in steps]).sum(0)


def flat_lighting(x: Tensor, wrap: Wrap) -> Tensor:
    """Variance of Y blurred by a Gaussian of W/8: what changes that slowly is light, not material.

    Source: the slow brightness that `engine.material.classical.delight` takes for light.
    """
    slow = gaussian(luminance(x.float()), x.shape[-1] * SLOW, wrap)
    return slow.flatten(1).var(-1, correction=0)


def edges(x: Tensor, wrap: Wrap) -> Tensor:
    """Minus mean |∇Y|, of Y blurred by a pixel: lines count, and grain hardly.

    Forward differences. Source: isotropic total variation (Rudin, Osher and Fatemi 1992), turned round.
    """
    Y = gaussian(luminance(x.float()), EDGE_BLUR_PX, wrap)
    down, right = (_steps(Y, axis, wraps=wraps) for axis, wraps in zip((-2, -1), wrap, strict=True))
    H, W = min(down.shape[-2], right.shape[-2]), min(down.shape[-1], right.shape[-1])
    squares = down[..., :H, :W].square() + right[..., :H, :W].square()
    return -(squares + TINY).sqrt().mean((1, 2, 3))


def margin(x: Tensor, _: Wrap) -> Tensor:
    """Variance of colour within a margin of 1/16 along the border: the picture then stands on a ground.

    Source: `EdgeLoss` of pixray, with the margin's own mean for a colour.
    """
    n = max(1, round(min(x.shape[-2:]) * MARGIN))
    inside = torch.zeros_like(x[0, 0], dtype=torch.bool)
    inside[n:-n, n:-n] = True
    return x[..., ~inside].var(-1, correction=0).mean(-1)


TERMS: dict[str, Term] = {
    "symmetry_x": symmetry_x,
    "symmetry_y": symmetry_y,
    "saturation": saturation,
    "smoothness": smoothness,
    "flat_lighting": flat_lighting,
    "edges": edges,
    "margin": margin,
}
"""By the name of the setting that is its weight."""


def weighted(s: RunSettings) -> list[tuple[float, Term]]:
    """The terms that a run asks for, with their weights."""
    asked = ((float(getattr(s, name)), term) for name, term in TERMS.items())
    return [(weight, term) for weight, term in asked if weight != 0]


def _steps(x: Tensor, axis: int, *, wraps: bool) -> Tensor:
    """From each row (axis -2) or column (-1) to the next, and where it wraps from the last to the first."""
    return x.roll(-1, axis) - x if wraps else x.diff(dim=axis)
