"""How many different things there are among some."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count, islice
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.models.guide import Clip
from engine.starter.embedding import embed
from engine.starter.materials import render, sample
from engine.synthesis.diversity import vendi


def true_materials(family: str, colour: str, n: int, size_px: int = 128) -> Tensor:
    """Base colours (n, 3, size_px, size_px) of one family in one colour, each of its own seed."""
    drawn = (sample(seed, family) for seed in count(30_000_000))
    wanted = islice((p for p in drawn if p["colour"] == colour), n)
    pictures = np.stack([render(p, size_px, supersampling=2).basecolor for p in wanted])
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float()


def reference(pairs: Sequence[tuple[str, str]], n: int, clip: Clip) -> float:
    """What true materials reach: the mean Vendi score of n of each family and colour.

    A judge that was taught to name materials lays those of one name close together, so that n itself
    is out of reach for anything that fits its prompt.
    """
    scores = [vendi(embed(true_materials(*pair, n).to(clip.compute.device), clip)) for pair in pairs]
    return float(np.mean(scores))


def diversity(scores: Sequence[float], among: int, of_true_materials: float) -> dict[str, Any]:
    """Mean and worst Vendi score over prompts, beside that of true materials."""
    return {
        "prompts": len(scores),
        "variations": among,
        "mean": float(np.mean(scores)),
        "min": float(min(scores)),
        "true_materials": of_true_materials,
    }
