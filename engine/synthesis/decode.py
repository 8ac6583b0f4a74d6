"""From latents to pictures and maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from engine.material.from_picture import maps_from_picture
from engine.material.maps import DecodedMaps
from engine.material.relief import decode_relief
from engine.models.grad import clamp_with_grad
from engine.models.packs import Pack
from engine.models.vqgan import Wrap
from engine.settings import RunSettings

RARE = 0.005
"""Share of pixels at either end that may be cut off when heights are stretched."""

STRETCH = 2.5


def decode(z: Tensor, pack: Pack, wrap: Wrap, detail: Tensor | None = None) -> Tensor:
    """Latent → what the generator decodes, (B, C, H, W) in 0..1, and the detail that it cannot say.

    Args:
        z: (B, embed_dim, h, w).
        pack: whose generator decodes.
        wrap: axes (vertical, horizontal) along which the picture closes.
        detail: (B, C, H, W), the start less its own decoding: from few bits a place, fine lines come out
            soft. What guidance changes is added to the start, as inversion of GANs does it (Wang et al.
            2022, "High-fidelity GAN inversion").
    """
    x = pack.generator.decode(z, wrap)
    return x if detail is None else clamp_with_grad(x + detail, 0, 1)


@torch.no_grad()
def decode_picture(z: Tensor, pack: Pack, wrap: Wrap, detail: Tensor | None = None) -> Tensor:
    """Latent → base colour (B, 3, H, W), 0..1 sRGB. The arguments are those of `decode`."""
    with pack.compute.autocast():
        return decode(z, pack, wrap, detail)[:, :3]


@torch.no_grad()
def decode_maps(
    z: Tensor, s: RunSettings, pack: Pack, wrap: Wrap, detail: Tensor | None = None
) -> DecodedMaps:
    """Latent → every map, in float32 so that the last bit is stable. The arguments are those of `decode`.

    A generator that decodes a picture alone leaves the maps to the pack's estimator, and where there is
    none to the classical formulas.
    """
    x = decode(z, pack, wrap, detail)
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
