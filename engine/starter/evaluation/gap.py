"""Does a picture please the guide more than the judge?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from engine.models.guide import Clip
from engine.models.packs import Pack
from engine.models.vqgan import TORUS
from engine.settings import RunSettings
from engine.starter.data import Materials, noun
from engine.synthesis.rank import score
from engine.synthesis.seeds import streams

VIEWS: int = RunSettings.model_fields["judge_views"].default


@dataclass(frozen=True)
class Scale:
    """How true materials score with a CLIP against their own names."""

    mean: float
    deviation: float

    @classmethod
    def of(cls, data: Materials, clip: Clip, limit: int = 64) -> Scale:
        """Scores of the first `limit` materials, by the same views that rank the engine's own."""
        scores = []
        for i, params in enumerate(data.params[:limit]):
            x = torch.from_numpy(data.crop(i, 0, 0, data.size_px)[..., :3]).permute(2, 0, 1)[None]
            text = clip.encode_text([f"{params['colour']} {noun(params['family'])}"])[0]
            picture = x.float().to(clip.compute.device) / 255
            scores.append(score(picture, text, clip, streams([i], "gap"), views=VIEWS, tile=TORUS))
        values = torch.cat(scores).double()
        return cls(float(values.mean()), float(values.std()))

    def z(self, values: list[float]) -> float:
        """The mean of scores, in standard deviations from that of true materials."""
        return (float(np.mean(values)) - self.mean) / self.deviation


@dataclass(frozen=True)
class Gap:
    """The scales of guide and judge.

    Source: "Gaming gap", research/materials.md 2.2; above 2, pictures exploit the guide.
    """

    guide: Scale
    judge: Scale

    @classmethod
    def of(cls, data: Materials, pack: Pack) -> Gap:
        """Both on the same materials."""
        return cls(Scale.of(data, pack.guide), Scale.of(data, pack.judge))

    def __call__(self, guide_scores: list[float], judge_scores: list[float]) -> float:
        """z of the guide minus z of the judge: above 0 a picture pleases the guide more."""
        return self.guide.z(guide_scores) - self.judge.z(judge_scores)
