"""Does a CLIP find a picture's own caption among those that differ in one thing?"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from engine.models.guide import Clip
from engine.starter.captions import canonical, negative
from engine.starter.data import Materials
from engine.starter.evaluation.naming import embed_materials
from engine.starter.materials import Params, sample

CAPTIONS = 100
SEED = 17


def candidates(params: Params, families: tuple[str, ...], rng: np.random.Generator) -> list[str]:
    """100 different captions, the material's own first: half of the others are wrong of it in one thing."""
    own = canonical(params)
    hard = {negative(params, rng) for _ in range(CAPTIONS // 2)} - {own}
    found = dict.fromkeys([own, *sorted(hard)])
    while len(found) < CAPTIONS:
        found[canonical(sample(int(rng.integers(2**31)), among=families))] = None
    return list(found)


@torch.no_grad()
def retrieval(data: Materials, clip: Clip, families: tuple[str, ...]) -> dict[str, Any]:
    """R-precision: the share of pictures whose own caption is the nearest of 100, and its median rank.

    Source: Park et al. 2021 (R-precision by CLIP), with hard negatives as in Yuksekgonul et al. 2023.
    """
    pictures = embed_materials(data, np.arange(len(data)), clip)
    ranks = []
    for i, params in enumerate(data.params):
        rng = np.random.default_rng([SEED, i])
        cosine = clip.encode_text(candidates(params, families, rng)) @ pictures[i]
        ranks.append(1 + int((cosine[1:] >= cosine[0]).sum()))  # a tie is no find
    return {
        "pictures": len(ranks),
        "captions": CAPTIONS,
        "first": float(np.mean([r == 1 for r in ranks])),
        "among_five": float(np.mean([r <= 5 for r in ranks])),
        "median_rank": float(np.median(ranks)),
    }
