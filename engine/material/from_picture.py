"""A picture of a surface → its maps: by an estimator where there is one, else by formula."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.material.classical import classical_maps
from engine.material.maps import DecodedMaps
from engine.material.relief import decode_relief
from engine.models.estimator import Estimator
from engine.models.vqgan import TORUS, Wrap


@torch.no_grad()
def maps_from_picture(picture: Tensor, estimator: Estimator | None, wrap: Wrap = TORUS) -> DecodedMaps:
    """Every map of a surface from a picture of it, lit or not.

    Args:
        picture: (B, 3, H, W), sRGB, 0..1, on the estimator's device.
        estimator: None for the classical formulas.
        wrap: which axes (vertical, horizontal) tile.

    Raises:
        ValueError: a side is no multiple of the estimator's `factor`; the formulas take any size.
    """
    if estimator is None:
        return classical_maps(picture, wrap)
    return named_maps(estimator(picture, wrap), estimator)


def named_maps(x: Tensor, estimator: Estimator) -> DecodedMaps:
    """What an estimator returns, (B, C, H, W), by name, and relief for the picture's own width."""
    channel = {name: x[:, i : i + 1] for i, name in enumerate(estimator.cfg.channels)}
    scale = estimator.cfg.reference_px / x.shape[-1]
    return DecodedMaps(
        basecolor=x[:, :3],
        height=channel["height"],
        roughness=channel["roughness"],
        metallic=channel["metallic"],
        emission=torch.zeros_like(channel["height"]),
        relief=decode_relief(channel["relief"].mean((1, 2, 3))) * scale,
    )
