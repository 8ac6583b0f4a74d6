"""The map estimator: pictures of materials in, as cameras and other generators show them; maps out."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from engine.compute import Compute
from engine.material.maps import DecodedMaps, normal_from_height
from engine.material.relief import decode_relief
from engine.material.shading import random_lights, shade
from engine.models.estimator import Estimator, EstimatorConfig
from engine.models.vqgan import PLANE, TORUS, Wrap
from engine.starter.data import CHANNELS, Materials
from engine.starter.training.loop import Average, Learner, rng, warm_cosine
from engine.starter.training.texture import differences

BLUR = (0.25, 0.5, 0.25)


class EstimatorTraining(BaseModel):
    """How the estimator is trained, and on what pictures. Shares are of pictures."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: EstimatorConfig = EstimatorConfig()
    seed: int = 9
    steps: int = 5000
    batch: int = 8
    crop_px: int = 128
    whole_every: int = 3  # steps; whole tiles on the torus, a quarter as many
    lr: float = 1.5e-3
    unlit: float = 0.4
    exposure: float = 0.25  # largest change of a lit picture's brightness, either way
    tint: float = 0.08  # largest change of a colour channel, either way
    noise: float = 0.02  # largest standard deviation
    blurred: float = 0.25
    compressed: float = 0.3
    normals: float = 3.0
    edges: float = 2.0  # of differences between neighbours
    ema: float = 0.998


def true_maps(x: Tensor, full_px: int) -> DecodedMaps:
    """Maps of a batch (B, 8, S, S) cut from tiles of `full_px`; relief is for the cut's own width."""
    relief = decode_relief(x[:, 7].mean((1, 2))) * full_px / x.shape[-1]
    return DecodedMaps(x[:, :3], x[:, 3:4], x[:, 4:5], x[:, 5:6], x[:, 6:7], relief)


@torch.no_grad()
def pictures(maps: DecodedMaps, draw: np.random.Generator, cfg: EstimatorTraining, wrap: Wrap) -> Tensor:
    """Materials as someone's pictures show them, (B, 3, S, S) sRGB, 0..1.

    Some bare, the others under one light each, too bright or too dark and tinted; all of them noisy, and
    some blurred or saved once too often.
    """
    B, bare = len(maps), maps.basecolor
    lit = shade(maps, random_lights(torch.Generator().manual_seed(int(draw.integers(2**62))), B), wrap)
    gain = 1 + _uniform(draw, (B, 1, 1, 1), cfg.exposure) + _uniform(draw, (B, 3, 1, 1), cfg.tint)
    is_lit = _chosen(draw, B, 1 - cfg.unlit)
    x = torch.where(is_lit.to(bare.device), lit * gain.to(bare), bare)
    x = torch.where(_chosen(draw, B, cfg.blurred).to(x.device), blur(x, wrap), x)
    sigma = torch.from_numpy(draw.uniform(0, cfg.noise, (B, 1, 1, 1))).float()
    x = x + (sigma * torch.from_numpy(draw.standard_normal(x.shape, np.float32))).to(x)
    strength = torch.from_numpy(draw.uniform(0.01, 0.05, (B, 1, 1, 1))).to(x)
    return torch.where(_chosen(draw, B, cfg.compressed).to(x.device), compress(x, strength), x).clamp(0, 1)


def blur(x: Tensor, wrap: Wrap) -> Tensor:
    """A binomial 3x3 blur of (B, C, H, W)."""
    for axis, wraps in zip((-2, -1), wrap, strict=True):
        n = x.shape[axis]
        i = torch.arange(n, device=x.device)
        before, after = (i - 1, i + 1)
        before, after = (j % n if wraps else j.clamp(0, n - 1) for j in (before, after))
        x = BLUR[0] * x.index_select(axis, before) + BLUR[1] * x + BLUR[2] * x.index_select(axis, after)
    return x


def compress(x: Tensor, strength: Tensor) -> Tensor:
    """What JPEG does to a picture (B, C, H, W): the cosines of 8x8 blocks, rounded, high ones coarsely.

    Args:
        strength: (B, 1, 1, 1), rounding step of the flattest cosine; it grows to five times that.
    """
    B, C, H, W = x.shape
    basis = _cosines().to(x)
    blocks = x.view(B, C, H // 8, 8, W // 8, 8).transpose(3, 4)
    frequency = torch.arange(8, device=x.device, dtype=x.dtype)
    step = strength.view(B, 1, 1, 1, 1, 1) * (1 + 4 * (frequency[:, None] + frequency) / 14)
    coefficients = ((basis @ blocks @ basis.T) / step).round() * step
    return (basis.T @ coefficients @ basis).transpose(3, 4).reshape(B, C, H, W)


@lru_cache(maxsize=1)
def _cosines() -> Tensor:
    """The orthonormal 8-point DCT-II, (8, 8)."""
    k, n = torch.arange(8.0)[:, None], torch.arange(8.0)
    basis = torch.cos(math.pi * (n + 0.5) * k / 8) / 2
    basis[0] /= math.sqrt(2)
    return basis


def angles(a: Tensor, b: Tensor) -> Tensor:
    """Angle in radians between normal maps (B, 3, H, W), encoded 0..1, as their chord: (B, H, W)."""
    half = (a - b).square().sum(1)  # n = 2a - 1, so this is |n_a - n_b|² / 4 = sin²(θ/2)
    return 2 * (half + 1e-6).sqrt()  # the root alone is infinitely steep at 0


class EstimatorStage(Learner):
    """Training of the map estimator on freshly lit materials."""

    name = "estimator"

    def __init__(self, data: Materials, cfg: EstimatorTraining, compute: Compute) -> None:
        torch.manual_seed(cfg.seed)
        self.data, self.cfg, self.compute, self.total_steps = data, cfg, compute, cfg.steps
        # A pixel of the tiles as rendered is what relief is measured by.
        architecture = cfg.architecture.model_copy(update={"reference_px": data.size_px})
        self.model = Estimator(architecture).to(compute.device)
        self.average = Average(self.model, cfg.ema)
        self.adam = torch.optim.AdamW(self.model.parameters(), cfg.lr, betas=(0.9, 0.98), weight_decay=0.01)
        self.wanted = [CHANNELS.index(name) for name in self.model.cfg.channels]
        weights = {"height": 1.0, "roughness": 1.0, "metallic": 1.0, "relief": 0.0}  # relief: see `step`
        self.weights = torch.tensor([weights.get(name, 2.0) for name in self.model.cfg.channels])
        self.weights = self.weights.view(1, -1, 1, 1).to(compute.device)

    def step(self, i: int) -> dict[str, float]:
        cfg = self.cfg
        for group in self.adam.param_groups:
            group["lr"] = cfg.lr * warm_cosine(i, cfg.steps, warmup=100)
        draw = rng(cfg.seed, i)
        whole = i % cfg.whole_every == 0
        side, count, wrap = (
            (self.data.size_px, max(1, cfg.batch // 4), TORUS) if whole else (cfg.crop_px, cfg.batch, PLANE)
        )
        x = self.data.batch(draw.integers(0, len(self.data), count), draw, side).to(self.compute.device)
        truth = true_maps(x, self.data.size_px)
        seen = pictures(truth, draw, cfg, wrap)
        with self.compute.autocast():
            out = self.model.estimate_raw(seen, wrap)
        target = x[:, self.wanted]
        error = (self.weights * (out - target).abs()).mean()
        edges = (self.weights.repeat(1, 2, 1, 1) * (differences(out) - differences(target)).abs()).mean()
        # One number a material: what a place alone would say does not matter, the mean does.
        k = self.model.cfg.channels.index("relief")
        relief = out[:, k].mean((1, 2))
        relief_error = (relief - target[:, k, 0, 0]).abs().mean()
        angle = self._angle(out, relief, truth, wrap)
        loss = error + cfg.edges * edges + 0.5 * relief_error + cfg.normals * angle
        self.adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.adam.step()
        self.average.update(self.model, i)
        return {
            "error": error.item(),
            "edges": edges.item(),
            "relief": relief_error.item(),
            "angle": math.degrees(angle.item()),
        }

    def _angle(self, out: Tensor, relief: Tensor, truth: DecodedMaps, wrap: Wrap) -> Tensor:
        """Mean angle between the estimated normals and the true ones, radians."""
        k = self.model.cfg.channels.index("height")
        scale = self.data.size_px / out.shape[-1]
        estimated = normal_from_height(out[:, k : k + 1], decode_relief(relief) * scale, wrap)
        return angles(estimated, normal_from_height(truth.height, truth.relief, wrap)).mean()


def _uniform(draw: np.random.Generator, shape: tuple[int, ...], largest: float) -> Tensor:
    return torch.from_numpy(draw.uniform(-largest, largest, shape)).float()


def _chosen(draw: np.random.Generator, n: int, share: float) -> Tensor:
    return torch.from_numpy(draw.random((n, 1, 1, 1)) < share)
