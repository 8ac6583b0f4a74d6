"""Maps from one picture by formula: what Materialize and its kin do, on the torus.

A fallback for pictures without a network that knows better. Pictures are (B, 3, H, W), sRGB, 0..1.
Source of all formulas: research/materials.md 3.2.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from engine.material.maps import DecodedMaps, linear_to_srgb, luminance, srgb_to_linear
from engine.models.vqgan import TORUS, Wrap

BANDS = (0.15, 0.19, 0.3, 0.5, 0.7, 0.9, 1.0)
"""Weights of detail at 1, 2, 4 ... 64 px, after Materialize: what is large is deep."""

RELIEF = 0.008
"""As deep as brightness can be trusted: on 40 lit starter materials normals are 14.5° off, as flat ones are
14.7°; the best, 14.2°, is at 0.0045 and looks flat, and 0.02 gives 17.8°."""

DELIGHT = 0.5
"""How much of the slow change of brightness is taken for light: 0 none, 1 all."""

ROUGHNESS, FROM_DARKNESS, FROM_GRAIN = 0.6, 0.15, 0.8
ROUGHNESS_RANGE = (0.05, 1.0)

ROUNDING = 1e-4
"""Heights closer than this are equal: a flat picture must not become a landscape of rounding errors."""


def classical_maps(picture: Tensor, wrap: Wrap = TORUS) -> DecodedMaps:
    """Every map by formula. Nothing is metal: brightness alone cannot tell.

    Args:
        picture: (B, 3, H, W), sRGB, 0..1.
        wrap: which axes (vertical, horizontal) tile.
    """
    height = height_from_luminance(picture, wrap)
    return DecodedMaps(
        basecolor=delight(picture, wrap),
        height=height,
        roughness=roughness_from_luminance(picture, wrap),
        metallic=torch.zeros_like(height),
        emission=torch.zeros_like(height),
        relief=picture.new_full((len(picture),), RELIEF),
    )


def delight(picture: Tensor, wrap: Wrap = TORUS) -> Tensor:
    """Evens out slow changes of brightness: I · (mean B / B)^DELIGHT with B the luminance, blurred by W/8 px.

    Returns:
        (B, 3, H, W), sRGB, 0..1.
    """
    linear = srgb_to_linear(picture)
    slow = gaussian(luminance(linear), picture.shape[-1] / 8, wrap).clamp(min=1e-4)
    gain = (slow.mean((-2, -1), keepdim=True) / slow) ** DELIGHT
    return linear_to_srgb((linear * gain).clamp(0, 1))


def height_from_luminance(picture: Tensor, wrap: Wrap = TORUS) -> Tensor:
    """Bright is high: bands of log luminance, the coarse ones weighing more, spread evenly over 0..1.

    h = rank(Σ_k w_k (G_{2^k} - G_{2^(k+1)}) L), L = log(Y + 0.02).

    Returns:
        (B, 1, H, W), 0..1; all 0.5 where the picture is flat.
    """
    L = (luminance(picture) + 0.02).log()
    blurred = [gaussian(L, 2.0**k, wrap) for k in range(len(BANDS) + 1)]
    bands = [w * (blurred[k] - blurred[k + 1]) for k, w in enumerate(BANDS)]
    return _rank(torch.stack(bands).sum(0))


def roughness_from_luminance(picture: Tensor, wrap: Wrap = TORUS) -> Tensor:
    """Dark and grainy is rough: 0.6 + 0.15 (1 - Y) + 0.8 σ, σ the deviation of Y within about 2 px.

    Returns:
        (B, 1, H, W), 0.05..1.
    """
    Y = luminance(picture)
    mean = gaussian(Y, 2.0, wrap)
    grain = gaussian((Y - mean).square(), 2.0, wrap).clamp(min=0).sqrt()
    return (ROUGHNESS + FROM_DARKNESS * (1 - Y) + FROM_GRAIN * grain).clamp(*ROUGHNESS_RANGE)


def gaussian(x: Tensor, sigma_px: float, wrap: Wrap = TORUS) -> Tensor:
    """Gaussian blur by its transfer function exp(-2π²σ²f²): exact on the torus, mirrored at an edge.

    Args:
        x: (B, C, H, W).
        sigma_px: standard deviation.
        wrap: which axes (vertical, horizontal) tile.
    """
    for axis, wraps in zip((-2, -1), wrap, strict=True):
        n = x.shape[axis]
        y = x if wraps else torch.cat([x, x.flip(axis)], axis)  # a mirrored picture tiles
        f = torch.fft.rfftfreq(y.shape[axis], device=x.device, dtype=x.dtype)
        transfer = torch.exp(-2 * (math.pi * sigma_px * f).square())
        spectrum = torch.fft.rfft(y, dim=axis) * (transfer[:, None] if axis == -2 else transfer)
        x = torch.fft.irfft(spectrum, n=y.shape[axis], dim=axis).narrow(axis, 0, n)
    return x


def _rank(x: Tensor) -> Tensor:
    """Each value's place among all of its picture's, 0..1; equal values share the middle of theirs."""
    flat = (x / ROUNDING).round().flatten(1)
    values = flat.sort(-1).values
    below = torch.searchsorted(values, flat, right=False)
    up_to = torch.searchsorted(values, flat, right=True)
    return ((below + up_to).to(x.dtype) / (2 * flat.shape[-1])).view_as(x)
