"""Zero-shot naming: which material and which colour a CLIP reads off a picture."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.models.guide import Clip
from engine.starter.data import Materials, noun
from engine.starter.embedding import embed
from engine.starter.materials import COLOURS

Name = tuple[str, str]
"""Family and colour."""


@dataclass(frozen=True)
class Namer:
    """Which of all "COLOUR NOUN" texts lies nearest to a picture."""

    clip: Clip
    families: tuple[str, ...]
    texts: Tensor  # (families · colours, D)

    @classmethod
    def of(cls, clip: Clip, families: tuple[str, ...]) -> Namer:
        """Encodes every pair of a family's noun and a colour."""
        pairs = itertools.product(families, COLOURS)
        texts = clip.encode_text([f"{colour} {noun(family)}" for family, colour in pairs])
        return cls(clip, families, texts)

    def __call__(self, embeddings: Tensor) -> list[Name]:
        """Unit image embeddings (N, D) → family and colour of the nearest text of each."""
        best = (embeddings @ self.texts.T).argmax(-1).tolist()
        return [(self.families[b // len(COLOURS)], COLOURS[b % len(COLOURS)]) for b in best]

    def read(self, pictures: Tensor) -> list[Name]:
        """Base colours (B, 3, S, S) in 0..1 → family and colour of each."""
        return self(embed(pictures, self.clip))


def embed_materials(data: Materials, indices: np.ndarray, clip: Clip) -> Tensor:
    """Base colours of materials → unit embeddings (N, D)."""
    rows = []
    for part in np.array_split(indices, math.ceil(len(indices) / 32)):
        x = torch.stack([torch.from_numpy(data.crop(int(i), 0, 0, data.size_px)) for i in part])
        rows.append(embed(x[..., :3].permute(0, 3, 1, 2).float().to(clip.compute.device) / 255, clip))
    return torch.cat(rows)


def shares(named: Sequence[Name], meant: Sequence[Name]) -> dict[str, float]:
    """Shares of pictures whose family and whose colour were read as they were meant."""
    pairs = list(zip(named, meant, strict=True))
    return {
        "family": float(np.mean([a[0] == b[0] for a, b in pairs])),
        "colour": float(np.mean([a[1] == b[1] for a, b in pairs])),
    }


def naming(data: Materials, clip: Clip, families: tuple[str, ...]) -> dict[str, Any]:
    """Shares of true materials whose family, one of these, and colour a CLIP names right."""
    named = Namer.of(clip, families)(embed_materials(data, np.arange(len(data)), clip))
    meant = [(p["family"], p["colour"]) for p in data.params]
    return {"pictures": len(named), **shares(named, meant)}
