"""Materials as a starter CLIP sees them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # the field's name for it

from engine.material.relief import decode_relief


def views(x: Tensor, px: int, draw: np.random.Generator, *, lit: float, noise: float, scale: float) -> Tensor:
    """Maps (B, 8, S, S) 0..1 → pictures (B, 3, px, px) as a camera might see them.

    Some stay bare base colour; the others get one light from a random direction with a highlight, a
    sketch of `material/shading.py` that costs next to nothing. Colours stay: they are labels.
    """
    B = len(x)
    base, height, rough = x[:, :3], x[:, 3:4], x[:, 4:5]
    slope = decode_relief(x[:, -1:]) * scale
    dx = (height.roll(-1, 3) - height.roll(1, 3)) * slope / 2
    dy = (height.roll(-1, 2) - height.roll(1, 2)) * slope / 2
    azimuth, polar = (
        torch.from_numpy(draw.uniform(a, b, (B, 1, 1, 1))).to(x) for a, b in ((0, 6.28), (0.4, 1.0))
    )
    light = [polar.sin() * azimuth.cos(), polar.sin() * azimuth.sin(), polar.cos()]
    n_l = (light[2] - dx * light[0] - dy * light[1]) / (1 + dx**2 + dy**2).sqrt()
    shine = ((n_l - light[2] + 1).clamp(0, 1.2) ** 24) * (1 - rough) ** 2 * 0.5
    shaded = (base * (0.35 + 0.85 * n_l.clamp(min=0)) + shine).clamp(0, 1)
    is_lit = torch.from_numpy(draw.random((B, 1, 1, 1)) < lit).to(x.device)
    seen = torch.where(is_lit, shaded, base)
    seen = F.interpolate(seen, (px, px), mode="bilinear", antialias=True, align_corners=False)
    gain = torch.from_numpy(draw.uniform(0.92, 1.08, (B, 3, 1, 1))).to(x)
    sigma = torch.from_numpy(draw.uniform(0, noise, (B, 1, 1, 1))).to(x)
    return seen * gain + sigma * torch.from_numpy(draw.standard_normal(seen.shape, np.float32)).to(x)
