"""From latents to pictures and maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F  # the field's name for it

from engine.material.from_picture import maps_from_picture
from engine.material.maps import DecodedMaps
from engine.material.relief import decode_relief
from engine.models.grad import clamp_with_grad
from engine.models.packs import Pack
from engine.models.vqgan import Wrap
from engine.settings import RunSettings
from engine.synthesis.windows import decode_in_windows

RARE = 0.005
"""Share of pixels at either end that may be cut off when heights are stretched."""

STRETCH = 2.5


@dataclass(frozen=True)
class Drawn:
    """Maps that runs begin from, and what the generator makes of them, so that only changes come from it.

    Attributes:
        maps: (B, C, H, W), 0..1.
        decoded: the same through its codes.
        share: (B, 1, H, W), 0..1: where the maps stay, 1, and where what the latent says is all, 0.
    """

    maps: Tensor
    decoded: Tensor
    share: Tensor


def decode(z: Tensor, pack: Pack, wrap: Wrap, drawn: Drawn | None = None) -> Tensor:
    """Latent → (B, C, H, W) in 0..1: decoded, or where something was drawn, that with the latent's changes.

    From few bits a place, fine lines come out soft, and what guidance changes alternates from code to
    code. So drawn maps keep their detail, as in high-fidelity inversion of GANs (Wang et al. 2022), and
    of the changes what is wider than a code.
    """
    return _with_detail(pack.generator.decode(z, wrap), pack, wrap, drawn)


@torch.no_grad()
def decode_sparingly(z: Tensor, pack: Pack, wrap: Wrap, drawn: Drawn | None = None) -> Tensor:
    """As `decode`, without gradient: in windows where the generator puts memory before time."""
    generator = pack.generator
    x = decode_in_windows(generator, z, wrap) if generator.lean else generator.decode(z, wrap)
    return _with_detail(x, pack, wrap, drawn)


def _with_detail(x: Tensor, pack: Pack, wrap: Wrap, drawn: Drawn | None) -> Tensor:
    if drawn is None:
        return x
    changed = drawn.maps + smooth(x - drawn.decoded, pack.generator.f, wrap)
    return clamp_with_grad(torch.lerp(x, changed, drawn.share), 0, 1)


def smooth(x: Tensor, f: int, wrap: Wrap) -> Tensor:
    """Means over f + 1 pixels, twice, of (B, C, H, W): nothing is left that alternates from code to code."""
    n = f // 2
    for _ in range(2):
        x = F.pad(x, (n, n, 0, 0), "circular" if wrap[1] else "replicate")
        x = F.pad(x, (0, 0, n, n), "circular" if wrap[0] else "replicate")
        x = F.avg_pool2d(x, 2 * n + 1, stride=1)
    return x


@torch.no_grad()
def decode_picture(z: Tensor, pack: Pack, wrap: Wrap, drawn: Drawn | None = None) -> Tensor:
    """Latent → base colour (B, 3, H, W), 0..1 sRGB. The arguments are those of `decode`."""
    with pack.compute.autocast():
        return decode(z, pack, wrap, drawn)[:, :3]


@torch.no_grad()
def decode_maps(z: Tensor, s: RunSettings, pack: Pack, wrap: Wrap, drawn: Drawn | None = None) -> DecodedMaps:
    """Latent → every map, in float32 so that the last bit is stable. The arguments are those of `decode`.

    A generator that decodes a picture alone leaves the maps to the pack's estimator, and where there is
    none to the classical formulas.
    """
    x = decode_sparingly(z, pack, wrap, drawn)
    if pack.channels == ("red", "green", "blue"):
        maps = maps_from_picture(x, pack.estimator, wrap)
    else:
        maps = maps_of(x, pack.channels)
        maps = replace(maps, height=spread(maps.height))
    if s.relief is not None:
        maps = replace(maps, relief=torch.full_like(maps.relief, s.relief))
    return maps


def spread(height: Tensor) -> Tensor:
    """Heights (B, 1, H, W) stretched to span 0..1, as relief takes them to; at most `STRETCH` times.

    Decoded from few bits, high comes out too low and low too high.
    """
    flat = height.flatten(1)
    quantiles = torch.tensor([RARE, 1 - RARE], device=height.device)
    low, high = flat.quantile(quantiles, dim=1).view(2, -1, 1, 1, 1)
    scale = (1 / (high - low).clamp(min=1 / STRETCH)).clamp(min=1)
    return (0.5 + (height - (low + high) / 2) * scale).clamp(0, 1)


def maps_of(x: Tensor, channels: Sequence[str]) -> DecodedMaps:
    """Decoded channels (B, C, H, W), named in order, base colour first → maps. Emission may be missing."""
    channel = {name: x[:, i : i + 1] for i, name in enumerate(channels)}
    return DecodedMaps(
        basecolor=x[:, :3],
        height=channel["height"],
        roughness=channel["roughness"],
        metallic=channel["metallic"],
        emission=channel["emission"] if "emission" in channel else torch.zeros_like(channel["height"]),
        relief=decode_relief(channel["relief"].mean((1, 2, 3))),
    )
