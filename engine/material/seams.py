"""Does a tile tile? A number for what happens where its opposite edges meet."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.material.maps import DecodedMaps, luminance
from engine.models.vqgan import tile_axes
from engine.settings import Tile

SEAMLESS = 1.25
"""Seam scores up to this are seamless: true tiles stay below 1.18, cuts have 2.9 in the median."""


def seam_score(maps: DecodedMaps, tile: Tile = "xy") -> Tensor:
    """S99: the step across the wrap over the largest steps inside, of base colour and height together.

    With d the mean absolute step between neighbouring rows (or columns) and s that from the last one
    back to the first, S99 = s / (Q₀.₉₉(d) + 1e-6). The quantile rather than the mean, because bricks
    rightly have a strong line wherever two courses meet. The score is the largest over the axes that
    tile and over the luminance of the base colour and the height.

    Args:
        maps: of B materials.
        tile: "xy", "x", "y" or "none": the axes that are meant to tile.

    Returns:
        (B,), float64, on the CPU: about 0.8 for true tiles, `SEAMLESS` at most; larger is a
        visible cut. 0 where nothing is meant to tile: there is no seam that could show.

    Source: research/materials.md 2.1.
    """
    return _worst((luminance(maps.basecolor.cpu().double()), maps.height.cpu().double()), tile)


def picture_seam_score(pictures: Tensor, tile: Tile = "xy") -> Tensor:
    """As `seam_score`, of base colours (B, 3, H, W) whose heights nobody knows."""
    return _worst((luminance(pictures.cpu().double()),), tile)


def _worst(planes: Sequence[Tensor], tile: Tile) -> Tensor:
    """The largest S99 of planes (B, 1, H, W) over the axes that tile, (B,).

    They come in float64 on the CPU: Apple's GPUs have none, and a report should not differ between devices.
    """
    score = planes[0].new_zeros(len(planes[0]))
    for axis, tiles in zip((-2, -1), tile_axes(tile), strict=True):
        if tiles:
            for plane in planes:
                score = torch.maximum(score, s99(plane, axis))
    return score


def s99(picture: Tensor, axis: int) -> Tensor:
    """S99 of pictures (B, 1, H, W) across the wrap of one axis, -2 or -1: (B,). See `seam_score`."""
    n = picture.shape[axis]
    other = -3 - axis  # the axis along the line
    steps = picture.diff(dim=axis).abs().mean(other).flatten(1)  # (B, n-1)
    across = (picture.select(axis, 0) - picture.select(axis, n - 1)).abs().mean(-1).flatten()
    return across / (steps.quantile(0.99, dim=1) + 1e-6)
