"""A palette as a target: pixels are drawn to the nearest of its colours."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from kornia.color import rgb_to_lab
from torch import Tensor

LIGHTNESS = 0.5
"""Share of lightness in how far colours are apart: a palette is about hues, shade belongs to the relief."""

CLAIM = 0.5
"""Of its even share of the picture, what each colour of a palette has at least."""


def lab(rgb: Tensor) -> Tensor:
    """sRGB (B, 3, H, W) in 0..1 → CIE Lab, lightness at its share, in hundreds: black to white is 0.5."""
    scale = torch.tensor([LIGHTNESS, 1.0, 1.0], device=rgb.device).view(3, 1, 1) / 100
    scaled: Tensor = rgb_to_lab(rgb.float().clamp(0, 1)) * scale
    return scaled


def palette_of(colours: Sequence[str], like: Tensor) -> Tensor:
    """Hex colours such as "#8f3a2e" → sRGB (P, 3), 0..1, with the device of `like`."""
    levels = [list(bytes.fromhex(colour.removeprefix("#"))) for colour in colours]
    return torch.tensor(levels, device=like.device) / 255


def palette_distance(pictures: Tensor, palette: Tensor) -> Tensor:
    """Mean distance of pixels to the nearest colour of a palette, and of colours to their nearest pixels.

    The first alone is content with one colour for everything. So each colour also claims the pixels that
    are nearest to it, half of its even share of the picture.

    Args:
        pictures: (B, 3, H, W), sRGB, 0..1.
        palette: (P, 3), sRGB, 0..1.

    Returns:
        (B,), float32, in the unit of `lab`: 0 where the palette is kept and used, about 1 from red to green.
        A row does not depend on the others.

    The first after the palette loss of pixray, in Lab rather than in RGB.
    """
    pixels = lab(pictures).flatten(2)  # (B, 3, N)
    colours = lab(palette[:, :, None, None]).flatten(1)  # (P, 3)
    squares = (pixels[:, None] - colours[:, :, None]).square().sum(2)  # (B, P, N)
    d = (squares + 1e-6).sqrt()  # sqrt' is infinite at 0
    claimed = max(1, round(CLAIM * d.shape[2] / d.shape[1]))
    return (d.amin(1).mean(-1) + d.topk(claimed, largest=False).values.mean((1, 2))) / 2
