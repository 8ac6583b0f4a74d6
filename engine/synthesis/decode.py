"""From latents to pictures and maps."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.material.maps import DecodedMaps
from engine.material.relief import decode_relief
from engine.models.packs import Pack
from engine.models.vqgan import Wrap
from engine.settings import RunSettings


@torch.no_grad()
def decode_picture(z: Tensor, pack: Pack, wrap: Wrap) -> Tensor:
    """Latent → base colour (B, 3, H, W), 0..1 sRGB."""
    with pack.compute.autocast():
        return pack.generator.decode(z, wrap)[:, :3]


@torch.no_grad()
def decode_maps(z: Tensor, s: RunSettings, pack: Pack, wrap: Wrap) -> DecodedMaps:
    """Latent → every map that the pack's generator decodes, in float32 so that the last bit is stable."""
    x = pack.generator.decode(z, wrap)
    channel = {name: x[:, i : i + 1] for i, name in enumerate(pack.channels)}
    relief = decode_relief(channel["relief"].mean((1, 2, 3)))
    if s.relief is not None:
        relief = torch.full_like(relief, s.relief)
    return DecodedMaps(
        basecolor=x[:, :3],
        height=channel["height"],
        roughness=channel["roughness"],
        metallic=channel["metallic"],
        relief=relief,
    )
