"""Maps of a material and the formulas between them: torch, batched, differentiable, wrap-around.

Pictures are (B, C, H, W) float tensors in 0..1, row 0 at the top. `relief` is the full range of the
height as a fraction of the tile's width, so a pixel is 1/W of the tile along both axes, square picture
or not. `wrap` says which axes (vertical, horizontal) close on themselves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from engine.models.vqgan import TORUS, Wrap

AO_DIRECTIONS = 12
AO_STEPS = 8
AO_RADIUS = 0.08
"""How far ambient occlusion looks for what hides the sky, as a fraction of the tile's width."""

GLOW_FLOOR = 0.1
"""Emission up to this may be a network's rounding."""
GLOWING_SHARE = 0.001
"""How much of a surface has to exceed the floor: less is speckles, which no one would miss."""

FLAT = 1e-6
"""Height ranges below this are rounding, not relief."""


@dataclass(frozen=True)
class DecodedMaps:
    """What a generator decodes; normal and ambient occlusion follow from it by formula.

    Attributes:
        basecolor: (B, 3, H, W), sRGB, 0..1.
        height: (B, 1, H, W), 0..1, 1 is nearest to the viewer.
        roughness: (B, 1, H, W), linear data, 0..1.
        metallic: (B, 1, H, W), linear data, 0..1.
        emission: (B, 1, H, W), 0..1, how strongly it glows in its base colour; 0 if a pack has none.
        relief: (B,), height 0 to 1 as a fraction of the tile's width.
    """

    basecolor: Tensor
    height: Tensor
    roughness: Tensor
    metallic: Tensor
    emission: Tensor
    relief: Tensor

    def __len__(self) -> int:
        return self.height.shape[0]

    def select(self, i: int) -> DecodedMaps:
        """Material i alone, as a batch of one.

        Raises:
            IndexError: there is no material i.
        """
        i = range(len(self))[i]  # a slice beyond the end would be empty, not wrong
        rows = slice(i, i + 1)
        return DecodedMaps(**{name: x[rows] for name, x in vars(self).items()})


def luminance(rgb: Tensor) -> Tensor:
    """0.2126 R + 0.7152 G + 0.0722 B (Rec. 709) of either encoding, (B, 3, H, W) → (B, 1, H, W)."""
    weights = rgb.new_tensor([0.2126, 0.7152, 0.0722])
    return (rgb * weights[:, None, None]).sum(1, keepdim=True)


def srgb_to_linear(x: Tensor) -> Tensor:
    """Decode sRGB 0..1 to linear light 0..1, any shape (IEC 61966-2-1)."""
    curve = ((x.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4
    return torch.where(x <= 0.04045, x / 12.92, curve)


def linear_to_srgb(x: Tensor) -> Tensor:
    """Encode linear light 0..1 as sRGB 0..1, any shape (IEC 61966-2-1). The gradient is finite at 0 too."""
    curve = 1.055 * x.clamp(min=0.0031308) ** (1 / 2.4) - 0.055  # the root alone is infinitely steep at 0
    return torch.where(x <= 0.0031308, x * 12.92, curve)


def emitted(maps: DecodedMaps) -> Tensor:
    """What a surface gives off by itself, (B, 3, H, W), linear, 0..1: base colour times emission."""
    return srgb_to_linear(maps.basecolor) * maps.emission


def glows(maps: DecodedMaps) -> Tensor:
    """Whether a material glows visibly anywhere, (B,) bool."""
    light = emitted(maps).amax(1)  # of the strongest primary, as red lava has a low luminance
    return (light > GLOW_FLOOR).float().mean((1, 2)) > GLOWING_SHARE


def normal_from_height(height: Tensor, relief: Tensor, wrap: Wrap = TORUS) -> Tensor:
    """Tangent-space normals of a height field, OpenGL: green is above one half where the surface faces up.

    n = normalise(-∂h/∂x, -∂h/∂y, 1) with x to the right and y up; slopes by the 3x3 Scharr operator,
    at an edge that does not tile one-sided across it.

    Args:
        height: (B, 1, H, W), 0..1.
        relief: (B,), fraction of the tile's width.
        wrap: which axes (vertical, horizontal) tile.

    Returns:
        (B, 3, H, W), n/2 + 1/2, red right, green up, blue towards the viewer.

    Source: research/materials.md 3.2.
    """
    W = height.shape[-1]
    h = _pad_by_one(height, wrap)
    along_x, along_y = h[..., :, 2:] - h[..., :, :-2], h[..., 2:, :] - h[..., :-2, :]
    gx = (3 * along_x[..., :-2, :] + 10 * along_x[..., 1:-1, :] + 3 * along_x[..., 2:, :]) / 32
    gy = (3 * along_y[..., :-2] + 10 * along_y[..., 1:-1] + 3 * along_y[..., 2:]) / 32
    scale = relief.to(h).view(-1, 1, 1, 1) * W  # height steps a pixel → slope
    # Rows run downwards: what falls from row to row faces up, hence +gy.
    n = torch.cat([-gx * scale, gy * scale, torch.ones_like(gx)], 1)
    return n / n.square().sum(1, keepdim=True).sqrt() * 0.5 + 0.5


def ao_from_height(height: Tensor, relief: Tensor, wrap: Wrap = TORUS) -> Tensor:
    """Ambient occlusion of a height field: the mean over directions of cos² of the horizon's elevation.

    In each of 12 directions the steepest of 8 rays, of up to 8 % of the tile's width, is the horizon:
    t = max(0, Δz/distance), and its share of the sky is cos²(arctan t) = 1/(1 + t²). Beyond an edge
    that does not tile, the surface goes on level.

    Args:
        height: (B, 1, H, W), 0..1.
        relief: (B,), fraction of the tile's width.
        wrap: which axes (vertical, horizontal) tile.

    Returns:
        (B, 1, H, W), 0..1: 1 is open to the sky.

    Source: research/materials.md 3.2.
    """
    H, W = height.shape[-2:]
    reach = round(AO_RADIUS * W)
    z = _pad_by_index(height * relief.to(height).view(-1, 1, 1, 1), reach, wrap)
    here = z[..., reach : reach + H, reach : reach + W]
    open_sky = torch.zeros_like(here)
    for rays in _ao_rays(W):
        t = torch.zeros_like(here)
        for dy, dx in rays:
            there = z[..., reach + dy : reach + dy + H, reach + dx : reach + dx + W]
            t = torch.maximum(t, (there - here) * (W / math.hypot(dy, dx)))
        open_sky = open_sky + 1 / (1 + t * t)
    return open_sky / AO_DIRECTIONS


def normalise_height(maps: DecodedMaps) -> DecodedMaps:
    """The same surface with its height spread over all of 0..1, and the relief scaled to match.

    16 bits then go to the relief that is there, and `relief` is what its users take it for: the full
    range of the height over the tile's width. Normals stay as they are. A flat height becomes 0.5,
    Blender's middle level, with relief 0.
    """
    low, high = maps.height.amin((1, 2, 3), keepdim=True), maps.height.amax((1, 2, 3), keepdim=True)
    span = high - low
    flat = span < FLAT
    height = torch.where(flat, 0.5, (maps.height - low) / span.clamp(min=FLAT)).clamp(0, 1)
    relief = torch.where(flat.flatten(), 0.0, maps.relief * span.flatten().to(maps.relief))
    return replace(maps, height=height, relief=relief)


def _ao_rays(W: int) -> list[list[tuple[int, int]]]:
    """Whole-pixel offsets (down, right) of the rays, by direction; nearer ones lie closer together."""
    rays = []
    for k in range(AO_DIRECTIONS):
        angle = 2 * math.pi * (k + 0.5) / AO_DIRECTIONS
        lengths = [AO_RADIUS * W * (s / AO_STEPS) ** 1.5 for s in range(1, AO_STEPS + 1)]
        offsets = [(round(math.sin(angle) * r), round(math.cos(angle) * r)) for r in lengths]
        rays.append([offset for offset in dict.fromkeys(offsets) if offset != (0, 0)])
    return rays


def _pad_by_index(x: Tensor, pixels: int, wrap: Wrap) -> Tensor:
    """More of the surface on all sides, as many pixels: from the far side, or the border repeated."""
    for axis, wraps in zip((-2, -1), wrap, strict=True):
        n = x.shape[axis]
        index = torch.arange(-pixels, n + pixels, device=x.device)
        x = x.index_select(axis, index % n if wraps else index.clamp(0, n - 1))
    return x


def _pad_by_one(x: Tensor, wrap: Wrap) -> Tensor:
    """One more pixel on all sides: from the far side, or the border's slope continued.

    A repeated border would halve the slope there: central differences span two pixels.
    """
    for axis, wraps in zip((-2, -1), wrap, strict=True):
        n = x.shape[axis]
        first, last = x.narrow(axis, 0, 1), x.narrow(axis, n - 1, 1)
        if wraps:
            x = torch.cat([last, x, first], axis)
        else:
            second, before_last = x.narrow(axis, min(1, n - 1), 1), x.narrow(axis, max(n - 2, 0), 1)
            x = torch.cat([2 * first - second, x, 2 * last - before_last], axis)
    return x
