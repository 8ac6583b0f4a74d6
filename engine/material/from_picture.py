"""A picture of a surface → its maps: by an estimator where there is one, else by formula."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.material.classical import classical_maps
from engine.material.maps import DecodedMaps
from engine.material.relief import decode_relief
from engine.material.resize import resized
from engine.models.estimator import Estimator
from engine.models.vqgan import TORUS, Wrap


@torch.no_grad()
def maps_from_picture(picture: Tensor, estimator: Estimator | None, wrap: Wrap = TORUS) -> DecodedMaps:
    """Every map of a surface from a picture of it, lit or not.

    A picture whose sides are no multiples of the estimator's `factor` is looked at a little larger. Of its
    base colour only what light did to it is found so: the picture keeps its own pixels.

    Args:
        picture: (B, 3, H, W), sRGB, 0..1, on the estimator's device.
        estimator: None for the classical formulas.
        wrap: which axes (vertical, horizontal) tile.
    """
    if estimator is None:
        return classical_maps(picture, wrap)
    H, W = picture.shape[-2:]
    factor = estimator.factor
    larger = -(-H // factor) * factor, -(-W // factor) * factor
    if larger == (H, W):
        return named_maps(estimator(picture, wrap), estimator)
    seen = resized(picture, *larger, wrap).clamp(0, 1)
    found = estimator(seen, wrap)
    found = resized(torch.cat([found[:, :3] - seen, found[:, 3:]], 1), H, W, wrap)
    x = torch.cat([picture + found[:, :3], found[:, 3:]], 1).clamp(0, 1)
    return named_maps(x, estimator, seen_px=larger[1])


def named_maps(x: Tensor, estimator: Estimator, seen_px: int | None = None) -> DecodedMaps:
    """What an estimator returns, (B, C, H, W), by name, and relief for the width that it saw: that of x."""
    channel = {name: x[:, i : i + 1] for i, name in enumerate(estimator.cfg.channels)}
    scale = estimator.cfg.reference_px / (seen_px or x.shape[-1])
    return DecodedMaps(
        basecolor=x[:, :3],
        height=channel["height"],
        roughness=channel["roughness"],
        metallic=channel["metallic"],
        emission=torch.zeros_like(channel["height"]),
        relief=decode_relief(channel["relief"].mean((1, 2, 3))) * scale,
    )
