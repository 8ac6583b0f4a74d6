"""The starter's masked prior, and what training a prior of any kind is: which codes go with a caption."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F  # the field's name for it

from engine.compute import Compute
from engine.models.guide import Clip
from engine.models.prior import Prior, PriorConfig
from engine.models.vqgan import TORUS, VQGAN
from engine.starter import captions
from engine.starter.materials import Params
from engine.starter.training.codes import Grids
from engine.starter.training.cross_entropy import linear_cross_entropy
from engine.starter.training.loop import Average, Learner, rng, warm_cosine

Network = TypeVar("Network", bound=nn.Module)
Training = TypeVar("Training", bound="CodeTraining")


class CodeTraining(BaseModel):
    """How a prior of any kind is trained.

    `start` is a folder with an older prior to begin from: it knows codes by their place on the sphere, so
    another codebook in about the same space is no stranger to it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int = 192
    seed: int = 31
    start: str | None = None
    steps: int
    batch: int
    lr: float = 1e-3
    weight_decay: float = 0.03
    no_text: float = 0.1  # share of rows that learn to do without the caption
    text_noise: float = 0.03  # so that a caption a little off still lands
    ema: float = 0.998


class PriorTraining(CodeTraining):
    """How the masked prior is trained."""

    dilations: tuple[int, ...] = PriorConfig().dilations
    steps: int = 2400
    batch: int = 6


def take_over(model: nn.Module, folder: Path) -> None:
    """Copies the weights of a prior in a folder, all but its codebook and how common its codes are."""
    found = load_file(folder / "model.safetensors")
    wanted = model.state_dict()
    for key in found.keys() - {"codebook", "common"}:
        wanted[key].copy_(found[key])


class CodeStage(Learner, ABC, Generic[Network, Training]):
    """Learning what codes stand where, given a caption, as any kind of prior does.

    The grids come from the frozen generator, on the torus, captions through the frozen guide.
    """

    name: str

    def __init__(
        self,
        grids: Grids,
        params: list[Params],
        generator: VQGAN,
        guide: Clip,
        cfg: Training,
        compute: Compute,
    ) -> None:
        torch.manual_seed(cfg.seed)
        self.grids, self.params, self.guide = grids, params, guide
        self.cfg, self.compute, self.total_steps = cfg, compute, cfg.steps
        text_dim = guide.encode_text(["stone"]).shape[-1]
        self.model = self.network(generator, text_dim).to(compute.device)
        if cfg.start is not None:
            take_over(self.model, Path(cfg.start))
        self.model.get_buffer("codebook").copy_(generator.codebook)
        self.average = Average(self.model, cfg.ema)
        self.adam = torch.optim.AdamW(
            self.model.parameters(), cfg.lr, betas=(0.9, 0.96), weight_decay=cfg.weight_decay
        )

    @abstractmethod
    def network(self, generator: VQGAN, text_dim: int) -> Network:
        """The untrained prior of a generator's codes."""

    @abstractmethod
    def loss(self, codes: Tensor, text: Tensor, draw: np.random.Generator) -> Tensor:
        """What a step lowers, for codes (B, h, w) and their captions' embeddings (B, D)."""

    def step(self, i: int) -> dict[str, float]:
        cfg = self.cfg
        for group in self.adam.param_groups:
            group["lr"] = cfg.lr * warm_cosine(i, cfg.steps)
        draw = rng(cfg.seed, i)
        indices = draw.integers(0, len(self.params), cfg.batch)
        codes = self.grids.batch(indices, draw).to(self.compute.device)
        loss = self.loss(codes, self._texts(indices, draw), draw)
        self.adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.adam.step()
        self.average.update(self.model, i)
        return {"loss": loss.item()}

    def without_text(self, draw: np.random.Generator) -> Tensor:
        """Rows of a batch that learn to do without the caption, (B,)."""
        return torch.from_numpy(draw.random(self.cfg.batch) < self.cfg.no_text).to(self.compute.device)

    @torch.no_grad()
    def _texts(self, indices: np.ndarray, draw: np.random.Generator) -> Tensor:
        text = self.guide.encode_text([captions.caption(self.params[j], draw) for j in indices])
        noise = torch.from_numpy(draw.standard_normal(text.shape, np.float32)).to(text.device)
        return F.normalize(text + self.cfg.text_noise * noise, dim=-1)


class PriorStage(CodeStage[Prior, PriorTraining]):
    """Masked code modelling: hide a cosine-distributed share of a grid, tell what was there."""

    name = "prior"

    def network(self, generator: VQGAN, text_dim: int) -> Prior:
        prior = Prior(
            PriorConfig(
                n_embed=generator.cfg.n_embed,
                code_dim=generator.cfg.embed_dim,
                text_dim=text_dim,
                width=self.cfg.width,
                dilations=self.cfg.dilations,
            )
        )
        prior.common.data.copy_(self.grids.commonness(generator.cfg.n_embed))
        return prior

    def loss(self, codes: Tensor, text: Tensor, draw: np.random.Generator) -> Tensor:
        share = np.cos(draw.uniform(0, math.pi / 2, (len(codes), 1, 1)))
        hidden = torch.from_numpy(draw.random(codes.shape) < share).to(codes.device)
        drop = self.without_text(draw)
        with self.compute.autocast():
            features = self.model.features(codes.masked_fill(hidden, self.model.mask), text, drop, TORUS)
            written = self.model.written()
        return linear_cross_entropy(features[hidden], written, codes[hidden])
