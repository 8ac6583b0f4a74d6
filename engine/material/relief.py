"""Relief as a channel: how a network says how deep a surface is."""

from __future__ import annotations

import math

import torch
from torch import Tensor

RELIEF_RANGE = (0.0005, 0.12)
"""Smallest and largest relief (height range / tile width) that the relief channel can say."""


def encode_relief(relief: float) -> float:
    """Relief → 0..1 on a logarithmic scale: marble and cobbles differ by two orders of magnitude."""
    low, high = (math.log(r) for r in RELIEF_RANGE)
    return min(1.0, max(0.0, (math.log(max(relief, 1e-9)) - low) / (high - low)))


def decode_relief(x: Tensor) -> Tensor:
    """The inverse of `encode_relief`, on tensors."""
    low, high = (math.log(r) for r in RELIEF_RANGE)
    return torch.exp(low + x.clamp(0, 1) * (high - low))
