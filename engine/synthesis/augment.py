"""What happens to a view after the warp: colour jitter, noise, erasing, each cut its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from kornia.geometry.conversions import axis_angle_to_rotation_matrix
from torch import Tensor

from engine.synthesis.seeds import chance, log_uniform, normal, uniform

LUMA = (0.299, 0.587, 0.114)
"""Rec. 601: the share of red, green and blue in the brightness of an sRGB pixel."""

BRIGHTNESS = 0.05
CONTRAST = 0.1
SATURATION = 0.1
HUE_RAD = math.radians(4)  # small: "red" must stay red
NOISE = 0.05  # standard deviation at most; the starter's CLIPs have seen as much
ERASED_SHARE = 0.5  # of the cuts
ERASED_AREA = (0.02, 0.15)  # of a view
ERASED_RATIO = (1 / 3, 3.0)  # height / width
NOISE_STEP_PX = 7


@dataclass(frozen=True)
class AugmentParams:
    """What is done to n views of side s of each of B variations. CPU tensors, float32.

    Attributes:
        colour: (B, n, 3, 4), affine map of sRGB values: three columns times (r, g, b), plus the last.
        noise: (B, 3, s + 7 (n - 1), s), standard normal; cut i adds rows 7 i .. 7 i + s.
        noise_std: (B, n), what the noise is multiplied with, in picture values.
        box: (B, n, 4), left, top, width, height of the erased rectangle, view px; width 0 erases nothing.
    """

    colour: Tensor
    noise: Tensor
    noise_std: Tensor
    box: Tensor


def draw_augment(
    streams: Sequence[torch.Generator], count: int, size_px: int, *, strength: float, grey: float
) -> AugmentParams:
    """Draws what is done to `count` views of side `size_px` of every variation.

    Args:
        streams: a CPU generator a variation.
        count: views n of a variation.
        size_px: side s of a view.
        strength: 0 changes nothing; 1 is the full range of every change.
        grey: share of the views that lose all colour, 0..1.
    """
    return AugmentParams(
        colour=_draw_colour(streams, count, strength=strength, grey=grey),
        noise=normal(streams, (3, size_px + NOISE_STEP_PX * (count - 1), size_px)),
        noise_std=uniform(streams, (count,), 0, NOISE * strength),
        box=_draw_box(streams, count, size_px, share=ERASED_SHARE * strength),
    )


def _draw_colour(streams: Sequence[torch.Generator], count: int, *, strength: float, grey: float) -> Tensor:
    """Hue, saturation, contrast and brightness as one affine map (B, n, 3, 4).

    Hue turns about the grey axis, saturation moves to and from the luma, contrast about 0.5: all linear,
    so that they compose. Source: P. Haeberli, "Matrix Operations for Image Processing", 1993.
    """
    B, spread = len(streams), strength * torch.tensor([HUE_RAD, SATURATION, CONTRAST, BRIGHTNESS])
    hue, saturation, contrast, brightness = (uniform(streams, (count, 4), -1, 1) * spread).unbind(-1)
    coloured = (1 + saturation).masked_fill(chance(streams, (count,), grey), 0)[..., None, None]
    axis_angle = hue[..., None] * torch.full((3,), 3**-0.5)
    turned = axis_angle_to_rotation_matrix(axis_angle.flatten(0, 1)).view(B, count, 3, 3)
    to_grey = torch.tensor(LUMA).expand(3, 3)
    linear = (1 + contrast)[..., None, None] * (coloured * turned + (1 - coloured) * (to_grey @ turned))
    offset = (brightness - contrast / 2)[..., None].expand(-1, -1, 3)
    return torch.cat([linear, offset[..., None]], dim=-1)


def _draw_box(streams: Sequence[torch.Generator], count: int, size_px: int, *, share: float) -> Tensor:
    """Rectangles (B, n, 4) inside the view, as `AugmentParams.box`."""
    area = uniform(streams, (count,), *ERASED_AREA)
    ratio = log_uniform(streams, (count,), *ERASED_RATIO)
    size = size_px * torch.stack([(area / ratio).sqrt(), (area * ratio).sqrt()], dim=-1)
    corner = uniform(streams, (count, 2)) * (size_px - size)
    return torch.cat([corner, size * chance(streams, (count, 1), share)], dim=-1)


def augment(views: Tensor, params: AugmentParams) -> Tensor:
    """Jitters colours, adds noise, and fills a rectangle with the view's mean, each view its own way.

    Args:
        views: (B, n, 3, s, s) in 0..1 sRGB.
        params: drawn for these B, n and s.

    Returns:
        (B, n, 3, s, s), a little beyond 0..1 where noise and contrast lead: a clamp would stop gradients.
    """
    B, n, C, s, _ = views.shape
    colour = params.colour.to(views).flatten(0, 1)  # (B·n, 3, 4)
    x = torch.baddbmm(colour[..., 3:], colour[..., :3], views.reshape(B * n, C, s * s)).view(views.shape)
    rows = params.noise.to(views).unfold(2, s, NOISE_STEP_PX)  # (B, 3, n, s across, s down)
    x = torch.addcmul(x, rows.permute(0, 2, 1, 4, 3), params.noise_std.to(views)[..., None, None, None])
    return torch.where(_inside(params.box.to(views), s), x.mean((-2, -1), keepdim=True), x)


def _inside(box: Tensor, size_px: int) -> Tensor:
    """Boxes (B, n, 4) → masks (B, n, 1, s, s): pixels whose centre lies inside."""
    centre = torch.arange(size_px, device=box.device, dtype=box.dtype) + 0.5
    left, top, width, height = (v[..., None] for v in box.unbind(-1))
    across = (centre >= left) & (centre < left + width)  # (B, n, s)
    down = (centre >= top) & (centre < top + height)
    return (down[..., :, None] & across[..., None, :])[:, :, None]
