"""Ranking by a CLIP that did not guide."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.models.guide import Clip
from engine.synthesis.cutouts import Cutouts


@torch.no_grad()
def looks(
    pictures: Tensor,
    clip: Clip,
    streams: list[torch.Generator],
    *,
    views: int,
    tile: tuple[bool, bool],
) -> Tensor:
    """What a CLIP sees in pictures: unit embeddings (B, n, D) of n augmented views of each.

    The arguments are those of `score`.
    """
    cutouts = Cutouts(size_px=clip.size_px, count=views, tile=tile, strength=0.5)
    params = cutouts.draw(streams, (pictures.shape[-2], pictures.shape[-1]), 0.5)
    seen = cutouts(pictures, params)  # (B, n, 3, s, s)
    return torch.stack([clip.encode_image(row) for row in seen])


def score(
    pictures: Tensor,
    target: Tensor,
    clip: Clip,
    streams: list[torch.Generator],
    *,
    views: int,
    tile: tuple[bool, bool],
) -> Tensor:
    """How well pictures fit a text, averaged over augmented views.

    A single view can be fooled by an adversarial pattern, the mean over many hardly: the AugCLIP score
    of FuseDream (Liu et al. 2021).

    Args:
        pictures: (B, 3, H, W) in 0..1 sRGB.
        target: unit embedding (D,) of the text, or (B, D) where each picture has its own.
        clip: the model that judges.
        streams: a CPU generator a picture.
        views: views a picture.
        tile: axes (vertical, horizontal) along which views may cross the border.

    Returns:
        (B,) mean cosine, -1..1, float32.
    """
    return fit(looks(pictures, clip, streams, views=views, tile=tile), target)


def fit(seen: Tensor, target: Tensor) -> Tensor:
    """Mean cosine (B,) of views, unit vectors (B, n, D), and a text (D,), or one each (B, D)."""
    each = target.unsqueeze(-1) if target.ndim == 2 else target
    return (seen @ each).view(*seen.shape[:2]).mean(1)
