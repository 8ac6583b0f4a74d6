"""Materials under light: a GGX key light, a two-tone environment, ambient occlusion. Differentiable.

The view is orthographic from straight above and light comes from infinitely far away, so that the
picture of a material that tiles tiles as well.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.material.maps import (
    DecodedMaps,
    ao_from_height,
    emitted,
    linear_to_srgb,
    luminance,
    normal_from_height,
    srgb_to_linear,
)
from engine.models.vqgan import TORUS, Wrap

SKY = (0.95, 1.0, 1.08)
GROUND = (0.34, 0.31, 0.28)
DIFFUSE_AMBIENT = 0.55
SPECULAR_AMBIENT = 1.0
"""Source says 0.8; then gold that lies flat looks like mud."""
GLOW = 2.0
"""Full emission against a white diffuse surface that faces a light of energy 1."""
MIN_ROUGHNESS = 0.04
"""Below this a highlight is sharper than a pixel, and gradients are noise."""

MEDIAN_LUMINANCE = (0.25, 0.5)
"""Where automatic exposure wants the median of a picture, in linear light."""
GAIN = (2 / 3, 1.5)
"""How far automatic exposure may go: coal must stay black, and snow white."""


@dataclass(frozen=True)
class Light:
    """n light set-ups; a set-up of n = 1 lights a whole batch.

    Attributes:
        direction: (n, 3), unit vectors towards the key light: x right, y up, z towards the viewer.
        energy: (n, 3), RGB; 1 shows a white diffuse surface that faces the light as white.
        horizon: (n, 2), unit vectors (x, y) towards the bright side of the environment.
    """

    direction: Tensor
    energy: Tensor
    horizon: Tensor

    def to(self, device: torch.device) -> Light:
        """The same light on a device."""
        return Light(self.direction.to(device), self.energy.to(device), self.horizon.to(device))


def light_from(polar_deg: float, azimuth_deg: float, energy: float = 1.1) -> Light:
    """One white light with the sky on its side.

    Args:
        polar_deg: 0 is straight above, 90 is grazing.
        azimuth_deg: 0 comes from the right, 90 from the top of the picture.
        energy: as in `Light`.
    """
    polar, azimuth = math.radians(polar_deg), math.radians(azimuth_deg)
    x, y = math.cos(azimuth), math.sin(azimuth)
    direction = torch.tensor([[math.sin(polar) * x, math.sin(polar) * y, math.cos(polar)]])
    return Light(direction, torch.full((1, 3), energy), torch.tensor([[x, y]]))


def random_lights(generator: torch.Generator, n: int) -> Light:
    """One light a view: five in six from high up (polar angle 25..60°), one in six grazing (70..80°).

    Azimuth and the environment's bright side are uniform, energy is 0.8..1.4, and red against blue
    varies by 15 % to either side.

    Args:
        generator: on the CPU, so that every device gets the same light.
        n: how many.

    Source: the directional part of "Light sampling", research/materials.md 5.2.
    """
    grazing, polar, azimuth, horizon, energy, warmth = torch.rand(6, n, generator=generator).unbind()
    polar = torch.deg2rad(torch.where(grazing < 1 / 6, 70 + 10 * polar, 25 + 35 * polar))
    azimuth, horizon = 2 * math.pi * azimuth, 2 * math.pi * horizon
    direction = torch.stack([polar.sin() * azimuth.cos(), polar.sin() * azimuth.sin(), polar.cos()], 1)
    tint = (0.3 * warmth - 0.15) / 2  # half of it up in red, half of it down in blue
    rgb = torch.stack([1 + tint, torch.ones(n), 1 - tint], 1)
    energy = (0.8 + 0.6 * energy)[:, None] * rgb
    return Light(direction, energy, torch.stack([horizon.cos(), horizon.sin()], 1))


def shade(
    maps: DecodedMaps,
    light: Light,
    wrap: Wrap = TORUS,
    *,
    auto_exposure: bool = True,
    occlusion: bool = True,
) -> Tensor:
    """Materials under light, as a camera straight above sees them.

    Args:
        maps: of B materials.
        light: one set-up for all materials, or one for each.
        wrap: which axes (vertical, horizontal) of the materials close on themselves.
        auto_exposure: brings the median luminance towards 0.25..0.5 of linear light, by a factor of 1.5
            at most. Gradients take the factor for a constant.
        occlusion: whether pits are dark. It takes most of the time and memory; guiding does without.

    Returns:
        (B, 3, H, W), sRGB, 0..1, float32.

    Source: research/materials.md 5.2: GGX with height-correlated Smith visibility, Schlick's Fresnel,
    Karis' analytic split-sum for the environment. It leaves open how bright emission is: see `GLOW`.
    """
    height = maps.height.float()
    light = light.to(height.device)
    n = normal_from_height(height, maps.relief, wrap) * 2 - 1
    ao = ao_from_height(height, maps.relief, wrap) if occlusion else torch.ones_like(height)
    a, m = srgb_to_linear(maps.basecolor.float()), maps.metallic.float()
    r = maps.roughness.float().clamp(MIN_ROUGHNESS, 1)
    f0 = 0.04 * (1 - m) + a * m
    linear = _key(n, a, r, m, f0, light) + _ambient(n, a, r, m, f0, ao, light)
    linear = linear + GLOW * emitted(maps).float()
    if auto_exposure:
        linear = linear * _exposure(linear)
    return linear_to_srgb(_tone(linear).clamp(0, 1))


def under_key(maps: DecodedMaps) -> Tensor:
    """Materials under a key light from the upper left and a soft sky, as sheets show them, (B, 3, H, W)."""
    return shade(maps, light_from(50, 135))


def _key(n: Tensor, a: Tensor, r: Tensor, m: Tensor, f0: Tensor, light: Light) -> Tensor:
    """Diffuse and GGX reflection of the key light, (B, 3, H, W), linear."""
    view = light.direction.new_tensor([[0.0, 0.0, 1.0]])
    half = F.normalize(light.direction + view, dim=1)
    n_l, n_v, n_h = _cosine(n, light.direction), _cosine(n, view), _cosine(n, half)
    v_h = _everywhere(half[:, 2:])
    alpha2 = r**4  # α = r²
    D = alpha2 / (math.pi * (n_h.square() * (alpha2 - 1) + 1).square())
    smith_v = n_l * (n_v.square() * (1 - alpha2) + alpha2).sqrt()
    smith_l = n_v * (n_l.square() * (1 - alpha2) + alpha2).sqrt()
    V = 0.5 / (smith_v + smith_l)  # = G / (4 n·l n·v)
    fresnel = f0 + (1 - f0) * (1 - v_h) ** 5
    reflected = (1 - fresnel) * (1 - m) * a / math.pi + D * V * fresnel
    return reflected * n_l * _everywhere(light.energy) * math.pi


def _ambient(n: Tensor, a: Tensor, r: Tensor, m: Tensor, f0: Tensor, ao: Tensor, light: Light) -> Tensor:
    """Diffuse light and reflection of an environment that is ground on one side, sky on the other."""
    sky, ground = (a.new_tensor(c)[:, None, None] for c in (SKY, GROUND))
    n_v = n[:, 2:].clamp(1e-3, 1)
    towards_sky = (n[:, :2] * _everywhere(light.horizon)).sum(1, keepdim=True)
    mirrored = 2 * n_v * towards_sky  # of R = 2 (n·v) n - v, along the horizon; v has no part there
    width = 0.04 + 0.9 * r**1.5  # a rough surface blurs the line between ground and sky
    t = (0.5 + mirrored / (2 * width)).clamp(0, 1)
    environment = ground + (sky - ground) * (t * t * (3 - 2 * t))
    irradiance = ground + (sky - ground) * (0.5 + 0.5 * towards_sky)
    diffuse = ao * irradiance * a * (1 - m) * DIFFUSE_AMBIENT
    # Reflections come from a lobe, not from the whole sky: a pit takes less of them.
    return diffuse + (0.3 + 0.7 * ao) * environment * _split_sum(f0, r, n_v) * SPECULAR_AMBIENT


def _split_sum(f0: Tensor, r: Tensor, n_v: Tensor) -> Tensor:
    """What share of a uniform environment a GGX surface reflects (Karis 2014, split-sum)."""
    x, y, z, w = 1 - r, 0.0425 - 0.0275 * r, 1.04 - 0.572 * r, 0.022 * r - 0.04
    a004 = torch.minimum(x * x, 2 ** (-9.28 * n_v)) * x + y
    # The fit dips below 0 for rough surfaces; black metal would get no gradient to leave black by.
    return f0 * (z - 1.04 * a004) + (w + 1.04 * a004).clamp(min=0)


def _exposure(linear: Tensor) -> Tensor:
    """The gain (B, 1, 1, 1) that brings the median luminance towards its range."""
    median = luminance(linear.detach()).flatten(1).median(1).values.clamp(min=1e-6)
    gain = median.clamp(*MEDIAN_LUMINANCE) / median
    return gain.clamp(*GAIN)[:, None, None, None]


def _tone(x: Tensor) -> Tensor:
    """A soft shoulder: 0.5 → 0.44, 1 → 0.79, white at about 1.4."""
    return x * (1 + x / 16) / (1 + 0.35 * x)


def _cosine(n: Tensor, direction: Tensor) -> Tensor:
    """n·direction, kept off 0 where visibility divides by it: (B, 3, H, W), (n, 3) → (B, 1, H, W)."""
    return (n * _everywhere(direction)).sum(1, keepdim=True).clamp(1e-3, 1)


def _everywhere(x: Tensor) -> Tensor:
    """(n, C) → (n, C, 1, 1)."""
    return x[:, :, None, None]
