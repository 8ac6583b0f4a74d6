"""What the generator keeps of a true material, and whether its decoding commutes with rolling."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.material.seams import seam_score
from engine.models.packs import Pack
from engine.models.vqgan import TORUS, VQGAN
from engine.starter.data import CHANNELS, Materials
from engine.synthesis.decode import maps_of

SCALARS = ("height", "roughness", "metallic", "emission", "relief")


def known_planes(data: Materials, index: int, channels: tuple[str, ...]) -> Tensor:
    """One material as a pack's generator knows it, (1, len(channels), H, W) in 0..1."""
    x = torch.from_numpy(data.crop(index, 0, 0, data.size_px)).permute(2, 0, 1).float() / 255
    relief = torch.full_like(x[:1], float(data.reliefs[index]))
    planes = dict(zip(CHANNELS, torch.cat([x, relief]), strict=True))
    return torch.stack([planes[name] for name in channels])[None]


@torch.no_grad()
def through_codes(x: Tensor, pack: Pack) -> tuple[Tensor, Tensor]:
    """Maps (1, C, H, W) → their codes (1, h, w), and the maps that these decode to, on the CPU."""
    codes = pack.generator.codes_of(x.to(pack.compute.device), TORUS)
    return codes, pack.generator.decode(pack.generator.lookup(codes), TORUS).cpu()


def reconstruction(data: Materials, pack: Pack, limit: int = 64) -> dict[str, Any]:
    """PSNR (dB) of every map through the codes, share of codes used, seams and commutation error."""
    count = min(limit, len(data))
    slices = {"basecolor": slice(0, 3)}
    slices |= {name: slice(k, k + 1) for k, name in enumerate(pack.channels) if name in SCALARS}
    errors: dict[str, list[float]] = {name: [] for name in slices}
    used, seams = set(), []
    for i in range(count):
        x = known_planes(data, i, pack.channels)
        codes, y = through_codes(x, pack)
        used.update(codes.flatten().tolist())
        for name, s in slices.items():
            errors[name].append(float((x[:, s] - y[:, s]).square().mean()))
        seams.append(float(seam_score(maps_of(y, pack.channels), "xy")))
    return {
        "materials": count,
        "psnr": {name: psnr(values) for name, values in errors.items()},
        "codes_used": len(used) / pack.generator.cfg.n_embed,
        "seam_median": float(np.median(seams)),
        "seam_max": max(seams),
        "commutation": commutation(pack.generator, codes),
    }


def psnr(squared_errors: list[float]) -> float:
    """Peak signal-to-noise ratio in dB of the mean squared error, for a peak of 1; 100 at most.

    Some materials have no metal at all and come back without any: an infinite ratio says nothing more.
    """
    return -10 * math.log10(max(float(np.mean(squared_errors)), 1e-10))


@torch.no_grad()
def commutation(generator: VQGAN, codes: Tensor) -> dict[str, float]:
    """max |D(roll(z, 1)) - roll(D(z), f)| for one step of z along each axis; 0 is exactly seamless.

    Args:
        generator: the decoder D, of factor f.
        codes: (B, h, w), of which z is.
    """
    z = generator.lookup(codes)
    decoded, f = generator.decode(z, TORUS), generator.f
    return {
        name: float((generator.decode(z.roll(1, axis), TORUS) - decoded.roll(f, axis)).abs().max())
        for name, axis in (("vertical", -2), ("horizontal", -1))
    }
