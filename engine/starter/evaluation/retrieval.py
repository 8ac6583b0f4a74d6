"""Does a CLIP find a picture's own caption among those that differ in one thing?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from engine.models.guide import Clip
from engine.starter.captions import canonical
from engine.starter.data import Materials
from engine.starter.evaluation.naming import embed_materials
from engine.starter.materials import Params, sample, sibling

CAPTIONS = 100
SEED = 17

Negative = Callable[[Params, np.random.Generator], str]
"""A material and where draws come from → a caption that is wrong of it in one thing."""


def neighbour(params: Params, rng: np.random.Generator) -> str:
    """The name of the same material with one thing changed, among what names tell: colour and conditions."""
    while True:
        name = canonical(sibling(params, int(rng.integers(2**31))))
        if name != canonical(params):
            return name


def candidates(
    params: Params, families: tuple[str, ...], rng: np.random.Generator, negative: Negative = neighbour
) -> list[str]:
    """100 different captions, the material's own first: half of the others are its one-factor neighbours.

    Where a material has fewer neighbours than that, as many draws of them are made all the same, and
    names of other materials fill up.
    """
    own = canonical(params)
    hard = {negative(params, rng) for _ in range(CAPTIONS // 2)} - {own}
    found = dict.fromkeys([own, *sorted(hard)])
    while len(found) < CAPTIONS:
        found[canonical(sample(int(rng.integers(2**31)), among=families))] = None
    return list(found)


@torch.no_grad()
def retrieval(
    data: Materials, clip: Clip, families: tuple[str, ...], negative: Negative = neighbour
) -> dict[str, Any]:
    """R-precision: the share of pictures whose own caption is the nearest of 100, and its median rank.

    Source: Park et al. 2021 (R-precision by CLIP), with hard negatives as in Yuksekgonul et al. 2023.
    """
    pictures = embed_materials(data, np.arange(len(data)), clip)
    ranks = []
    for i, params in enumerate(data.params):
        rng = np.random.default_rng([SEED, i])
        cosine = clip.encode_text(candidates(params, families, rng, negative)) @ pictures[i]
        ranks.append(1 + int((cosine[1:] >= cosine[0]).sum()))  # a tie is no find
    return {
        "pictures": len(ranks),
        "captions": CAPTIONS,
        "first": float(np.mean([r == 1 for r in ranks])),
        "among_five": float(np.mean([r <= 5 for r in ranks])),
        "median_rank": float(np.median(ranks)),
    }
