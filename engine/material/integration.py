"""A height field from normals: the way back from `normal_from_height`, for maps that came without one."""

from __future__ import annotations

import math

import torch
from torch import Tensor

STEEPEST = 0.05
"""Least z of a normal: a wall of 87°, beyond which slopes are rounding errors."""


def height_from_normal(normal: Tensor) -> tuple[Tensor, Tensor]:
    """The surface whose slopes are nearest to those that normals say, on the torus.

    Args:
        normal: (B, 3, H, W), 0..1, OpenGL: green is above one half where the surface faces up.

    Returns:
        Height (B, 1, H, W), 0..1, and its range as a fraction of the width, (B,). A flat surface is 0.5.

    Source: Frankot and Chellappa 1988, with frequencies of the Fourier transform as derivatives.
    """
    H, W = normal.shape[-2:]
    n = normal.float() * 2 - 1
    z = n[:, 2].clamp(min=STEEPEST)
    slope_x, slope_y = -n[:, 0] / z, n[:, 1] / z  # per px; rows run downwards
    u = 2 * math.pi * torch.fft.fftfreq(W, device=n.device)[None, :]
    v = 2 * math.pi * torch.fft.fftfreq(H, device=n.device)[:, None]
    square = u.square() + v.square()
    square[0, 0] = 1  # the mean height is free
    spectrum = -1j * (u * torch.fft.fft2(slope_x) + v * torch.fft.fft2(slope_y)) / square
    spectrum[:, 0, 0] = 0
    height = torch.fft.ifft2(spectrum).real[:, None]
    low, high = height.amin((1, 2, 3), keepdim=True), height.amax((1, 2, 3), keepdim=True)
    span = high - low
    flat = span < 1e-4
    return torch.where(flat, 0.5, (height - low) / span.clamp(min=1e-4)), span.flatten() / W
