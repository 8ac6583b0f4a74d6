"""The starter's autoregressive prior: block after block of codes, given a caption."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from engine.models.blocks import to_blocks
from engine.models.stream import StreamConfig, StreamPrior
from engine.models.vqgan import VQGAN
from engine.starter.training.cross_entropy import linear_cross_entropy
from engine.starter.training.prior import CodeStage, CodeTraining


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
        prior.common.data.copy_(self.grids.commonness(n))
        return prior

    def loss(self, codes: Tensor, text: Tensor, draw: np.random.Generator) -> Tensor:
        drop = self.without_text(draw)
        with self.compute.autocast():
            features, written = self.model.features(codes, text, drop), self.model.written()
        return linear_cross_entropy(features.flatten(0, 2), written, to_blocks(codes).flatten())
