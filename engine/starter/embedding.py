"""Whole materials in a CLIP's space."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # the field's name for it

from engine.models.guide import Clip


@torch.no_grad()
def embed(pictures: Tensor, clip: Clip) -> Tensor:
    """Pictures (B, 3, S, S) in 0..1, seen whole and in quarters → unit embeddings (B, D)."""
    half = pictures.shape[-1] // 2
    quarters = [pictures[..., a : a + half, b : b + half] for a in (0, half) for b in (0, half)]
    px = (clip.size_px, clip.size_px)
    seen = [F.interpolate(x, px, mode="bilinear", antialias=True) for x in (pictures, *quarters)]
    return F.normalize(torch.stack([clip.encode_image(x) for x in seen]).mean(0), dim=-1)
