"""A second pass over the generator's decoder: sharper pictures from the same codes.

The encoder and the codebook stay, so that codes keep their meaning and a prior that knows them stays
right.
"""

from __future__ import annotations

import torch
from pydantic import BaseModel, ConfigDict
from torch import nn

from engine.compute import Compute
from engine.models.guide import Clip
from engine.models.vqgan import PLANE, TORUS, VQGAN
from engine.starter.data import Materials
from engine.starter.training.loop import Average, Learner, rng, warm_cosine
from engine.starter.training.texture import MapLoss


class DecoderTraining(BaseModel):
    """How the decoder is sharpened."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = 5
    steps: int = 2400
    batch: int = 8
    crop_px: int = 96
    whole_every: int = 4  # steps; whole tiles on the torus, a fifth as many
    lr: float = 4e-4
    stages: int = 3  # of the guide's tower
    features: float = 0.15
    texture: float = 0.3
    ema: float = 0.998


class DecoderStage(Learner):
    """Training of a generator's decoder alone."""

    name = "decoder"

    def __init__(
        self, data: Materials, generator: VQGAN, guide: Clip, cfg: DecoderTraining, compute: Compute
    ) -> None:
        self.data, self.cfg, self.compute, self.total_steps = data, cfg, compute, cfg.steps
        self.model = generator
        self.unlike = MapLoss(guide, cfg, (2, 2, 2, 1, 1, 1, 1, 0.25))
        generator.requires_grad_(False)
        generator.decoder.requires_grad_(True)
        generator.post_quant_conv.requires_grad_(True)
        self.learning = [p for p in generator.parameters() if p.requires_grad]
        self.average = Average(generator, cfg.ema)
        self.adam = torch.optim.AdamW(self.learning, cfg.lr, betas=(0.9, 0.99), weight_decay=0.0)

    def step(self, i: int) -> dict[str, float]:
        cfg = self.cfg
        for group in self.adam.param_groups:
            group["lr"] = cfg.lr * warm_cosine(i, cfg.steps, warmup=100)
        draw = rng(cfg.seed, i)
        whole = i % cfg.whole_every == 0
        side, count, wrap = (
            (self.data.size_px, max(1, cfg.batch // 5), TORUS) if whole else (cfg.crop_px, cfg.batch, PLANE)
        )
        x = self.data.batch(draw.integers(0, len(self.data), count), draw, side).to(self.compute.device)
        with self.compute.autocast():
            with torch.no_grad():
                z = self.model.lookup(self.model.codes_of(x, wrap))
            out = self.model.decode_raw(z, wrap)
        out, target = out.float(), 2 * x - 1
        unlikeness = self.unlike(out, target)
        self.adam.zero_grad()
        unlikeness.loss.backward()
        nn.utils.clip_grad_norm_(self.learning, 1.0)
        self.adam.step()
        self.average.update(self.model, i)
        return unlikeness.figures
