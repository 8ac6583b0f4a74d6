"""The starter's autoregressive prior: block after block of codes, given a caption."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.models.blocks import to_blocks
from engine.models.stream import StreamConfig, StreamPrior
from engine.models.vqgan import VQGAN
from engine.starter.training.prior import CodeStage, CodeTraining

CHUNK = 512
"""Codes of which the logits are in the cache of a processor at a time."""


class StreamTraining(CodeTraining):
    """How the autoregressive prior is trained."""

    layers: int = StreamConfig().layers
    steps: int = 3000
    batch: int = 8


class StreamStage(CodeStage[StreamPrior, StreamTraining]):
    """Next-code modelling. Grids come rolled at random, so that a torus has its seam anywhere."""

    name = "stream"

    def network(self, generator: VQGAN, text_dim: int) -> StreamPrior:
        n = generator.cfg.n_embed
        prior = StreamPrior(
            StreamConfig(
                n_embed=n,
                code_dim=generator.cfg.embed_dim,
                text_dim=text_dim,
                width=self.cfg.width,
                layers=self.cfg.layers,
            )
        )
        # Functions of a code's place find slowly that its neighbours are never used: say so at the start.
        counts = torch.from_numpy(np.bincount(self.grids.codes.ravel(), minlength=n))
        prior.common.data.copy_(((counts + 1) / (counts.sum() + n)).log())
        return prior

    def loss(self, codes: Tensor, text: Tensor, draw: np.random.Generator) -> Tensor:
        drop = self.without_text(draw)
        with self.compute.autocast():
            features, written = self.model.features(codes, text, drop), self.model.written()
        return linear_cross_entropy(features.flatten(0, 2), written, to_blocks(codes).flatten())


def linear_cross_entropy(x: Tensor, w: Tensor, target: Tensor) -> Tensor:
    """Mean cross-entropy of the logits x·wᵀ, in float32, without ever holding all of them.

    Logits of 4,096 codes at every place are most of what a step would write to memory, and half its time.

    Args:
        x: features (N, C).
        w: what each of K classes is compared with (K, C).
        target: classes (N,).

    Source: the idea is Liger Kernel's `FusedLinearCrossEntropy` (Hsu et al. 2024).
    """
    loss: Tensor = _LinearCrossEntropy.apply(x.float(), w.float(), target)
    return loss


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, target: Tensor) -> Tensor:
        loss, dx, dw = x.new_zeros(()), torch.empty_like(x), torch.zeros_like(w)
        for x_part, t_part, dx_part in zip(*(u.split(CHUNK) for u in (x, target, dx)), strict=True):
            p = x_part @ w.T
            p -= p.amax(-1, keepdim=True)
            loss -= p.gather(-1, t_part[:, None]).sum()
            total = p.exp_().sum(-1, keepdim=True)
            loss += total.log().sum()
            p /= total  # softmax; less the truth, it is the gradient of the logits
            p.scatter_add_(-1, t_part[:, None], -torch.ones_like(total))
            torch.mm(p, w, out=dx_part)
            dw.addmm_(p.T, x_part)
        ctx.save_for_backward(dx / len(x), dw / len(x))
        return loss / len(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        dx, dw = ctx.saved_tensors
        return grads[0] * dx, grads[0] * dw, None
