"""Pictures at other sizes, filtered across the borders on which they close."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F  # the field's name for it

from engine.models.vqgan import TORUS, Wrap

REACH = 8
"""Pixels across a border that decide what lies at it."""


def resized(x: Tensor, height: int, width: int, wrap: Wrap = TORUS) -> Tensor:
    """Pictures (B, C, H, W) → (B, C, height, width), bicubic, anti-aliased; it may overshoot their range.

    Args:
        x: pictures.
        height: px.
        width: px.
        wrap: which axes (vertical, horizontal) close on themselves; others go on as they end.
    """
    return _resized(_resized(x.mT, width, wraps=wrap[1]).mT, height, wraps=wrap[0])


def _resized(x: Tensor, height: int, *, wraps: bool) -> Tensor:
    """(B, C, H, W) → (B, C, height, W)."""
    n = x.shape[-2]
    if n == height:
        return x
    common = math.gcd(n, height)
    times = math.ceil(REACH * common / min(n, height))
    before, after = times * n // common, times * height // common  # of the same length, in whole pixels
    index = torch.arange(-before, n + before, device=x.device)
    wide = F.interpolate(
        x[..., index % n if wraps else index.clamp(0, n - 1), :],
        (height + 2 * after, x.shape[-1]),
        mode="bicubic",
        antialias=True,
        align_corners=False,
    )
    return wide[..., after : after + height, :]
