"""A model's look at textures: vectors to search by, tags, and badges."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from engine.library import calibration, vocabulary
from engine.library.badges import badges
from engine.library.loading import Loaded
from engine.library.tagging import Tagger, fingerprint
from engine.library.tags import Tag
from engine.models.guide import Clip
from engine.starter.embedding import embed

SIDE_PX = 256


@dataclass(frozen=True)
class Look:
    """What a model saw of a texture: unit vectors (D,) by view, tags, and badges as JSON."""

    vectors: dict[str, NDArray[np.float32]]
    tags: list[Tag]
    badges: dict[str, Any]


class Eye:
    """One model with its calibration and the user's words.

    Args:
        clip: the model.
        folder: of the library, where a calibration of the user's own may lie.
        words: the user's own.

    Raises:
        BadWeights: the calibration cannot be read.
    """

    def __init__(self, clip: Clip, folder: Path, words: Sequence[str] = ()) -> None:
        self.clip, self.words = clip, tuple(words)
        self.model = fingerprint(clip)
        self.side_px = max(SIDE_PX, 2 * clip.size_px)  # of which quarters are looked at, too
        self.calibration = calibration.read(self.model, folder)
        self._tagger: Tagger | None = None

    @property
    def calibrated(self) -> bool:
        """Whether its confidences were fitted."""
        return self.calibration is not None and self.calibration.fitted

    @property
    def tagger(self) -> Tagger:
        """Made when first asked for: searching needs none."""
        if self._tagger is None:
            self._tagger = Tagger(self.clip, self.calibration, self.words)
        return self._tagger

    def signature(self) -> str:
        """Of everything that tags depend on but the vectors."""
        fitted = "" if self.calibration is None else self.calibration.model_dump_json()
        facts = (vocabulary.LABELS, vocabulary.TEMPLATES, self.words, fitted)
        return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]

    def embed(self, pictures: Tensor) -> Tensor:
        """Pictures (B, 3, S, S), 0..1, whole and in quarters → unit embeddings (B, D) on the CPU."""
        return embed(pictures.to(self.clip.compute.device), self.clip).cpu()

    def look(self, textures: Sequence[Loaded]) -> list[Look]:
        """At several textures at once: one pass of the network for all their views."""
        views = [(i, name, view) for i, t in enumerate(textures) for name, view in t.views.items()]
        seen = self.embed(torch.stack([view for _, _, view in views]))
        vectors: list[dict[str, Tensor]] = [{} for _ in textures]
        for (i, name, _), e in zip(views, seen, strict=True):
            vectors[i][name] = e
        pooled = torch.stack([pool(list(v.values())) for v in vectors])
        tags = self.tagger(pooled)
        looks = []
        for texture, v, found in zip(textures, vectors, tags, strict=True):
            facts = self._facts(texture, v["albedo"])
            arrays = {name: e.numpy() for name, e in v.items()}
            looks.append(Look(arrays, with_measured(found, facts), facts))
        return looks

    def _facts(self, texture: Loaded, whole: Tensor) -> dict[str, Any]:
        rule = None if self.calibration is None else self.calibration.curves.get("light")
        found = badges(texture.picture, texture.height, texture.views["albedo"], whole, rule, self.clip)
        return {**found.as_dict(), "finish": texture.finish, "notes": texture.notes}


def pool(views: Sequence[Tensor]) -> Tensor:
    """One unit vector (D,) for several views."""
    return F.normalize(torch.stack(list(views)).mean(0), dim=0)


def with_measured(tags: Sequence[Tag], facts: dict[str, Any]) -> list[Tag]:
    """Tags with what a map says instead of what a model guesses: how rough a surface is."""
    if facts.get("finish") is None:
        return list(tags)
    return [*(t for t in tags if t.facet != "finish"), Tag("finish", facts["finish"], 1.0)]
