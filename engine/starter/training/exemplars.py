"""Which materials a pack remembers: of every kind some, those that look like what they are called."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Generator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # the field's name for it

from engine.models.exemplars import NAMED, Exemplars
from engine.models.guide import Clip
from engine.starter import captions
from engine.starter.data import Materials, noun
from engine.starter.embedding import embed
from engine.starter.materials import COLOURS, FAMILIES, Params

SEED = 61
KEPT = 2 / 3
"""Share of the candidates of a name that is kept: the rest does not look like it, to the guide."""

BATCH = 16
COLOUR_AXES = 10


def configuration(count: int) -> dict[str, Any]:
    """How `count` exemplars, about, are chosen: for the record."""
    return {"count": count, "seed": SEED, "kept": KEPT, "named": NAMED, "colour_axes": COLOUR_AXES}


def candidates(params: list[Params], count: int) -> list[int]:
    """Indices of `count` materials at most, in turn from every canonical name, in a fixed random order."""
    order = np.random.default_rng(SEED).permutation(len(params)).tolist()
    named: dict[str, list[int]] = defaultdict(list)
    for i in order:
        named[captions.canonical(params[i])].append(i)
    taken: list[int] = []
    for turn in range(max(map(len, named.values()))):
        taken += [members[turn] for members in named.values() if turn < len(members)]
    return taken[:count]


@torch.no_grad()
def build(data: Materials, guide: Clip, count: int) -> Generator[tuple[int, int], None, Exemplars]:
    """Looks at the candidates; yields how many are done of how many, ends with the exemplars."""
    indices = candidates(data.params, math.ceil(count / KEPT))
    names = [captions.canonical(data.params[i]) for i in indices]
    rows = []
    for start in range(0, len(indices), BATCH):
        part = [data.crop(i, 0, 0, data.size_px)[..., :3] for i in indices[start : start + BATCH]]
        pictures = torch.from_numpy(np.stack(part)).permute(0, 3, 1, 2).float() / 255
        rows.append(embed(pictures.to(guide.compute.device), guide).cpu())
        yield min(start + BATCH, len(indices)), len(indices)
    image, text = torch.cat(rows), guide.encode_text(names).cpu()
    best = kept(names, (image * text).sum(-1))
    meant = F.normalize(
        text + guide.encode_text(captions.meanings([data.params[i] for i in indices])).cpu(), dim=-1
    )
    return Exemplars.of(
        [names[i] for i in best],
        [dict(data.params[indices[i]]) for i in best],
        F.normalize(image[best] + NAMED * meant[best], dim=-1),
        colour_axes(guide),
    )


def colour_axes(guide: Clip) -> Tensor:
    """Directions in which names of one material in all colours differ most, orthonormal (COLOUR_AXES, D)."""
    rows = [guide.encode_text([f"{colour} {noun(family)}" for colour in COLOURS]) for family in FAMILIES]
    spread = torch.cat([row - row.mean(0) for row in rows]).cpu()
    return torch.linalg.svd(spread, full_matrices=False).Vh[:COLOUR_AXES]


def kept(names: list[str], fit: Tensor) -> list[int]:
    """Of every name the share KEPT that fits best, rounded up, in the order of the candidates."""
    members: dict[str, list[int]] = defaultdict(list)
    for i, name in enumerate(names):
        members[name].append(i)
    best = [
        sorted(group, key=lambda i: -float(fit[i]))[: math.ceil(KEPT * len(group))]
        for group in members.values()
    ]
    return sorted(i for group in best for i in group)
