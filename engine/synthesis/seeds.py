"""Random numbers: a stream a variation and purpose, drawn on the CPU so that all devices get the same."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

import torch
from torch import Tensor


def streams(seeds: Sequence[int], purpose: str) -> list[torch.Generator]:
    """A CPU generator a variation, from its own seed: made alone or among forty, it is the same picture.

    Args:
        seeds: one for each variation; those of a run count up from the run's seed.
        purpose: what the numbers are for. Two purposes never share numbers, so that more draws for one
            leave the other alone.
    """
    digests = (hashlib.sha256(f"{seed}/{purpose}".encode()).digest() for seed in seeds)
    return [torch.Generator().manual_seed(int.from_bytes(digest[:8], "big")) for digest in digests]


def uniform(
    generators: Sequence[torch.Generator], shape: Sequence[int], low: float = 0.0, high: float = 1.0
) -> Tensor:
    """(B, *shape), float32, evenly in low..high, row i from generator i."""
    return torch.stack([torch.rand(*shape, generator=g) for g in generators]).mul_(high - low).add_(low)


def log_uniform(
    generators: Sequence[torch.Generator], shape: Sequence[int], low: float, high: float
) -> Tensor:
    """(B, *shape), float32, in low..high (both > 0), as often in 1..2 as in 2..4."""
    return uniform(generators, shape, math.log(low), math.log(high)).exp()


def normal(generators: Sequence[torch.Generator], shape: Sequence[int]) -> Tensor:
    """(B, *shape), float32, mean 0, standard deviation 1, row i from generator i."""
    return torch.stack([torch.randn(*shape, generator=g) for g in generators])


def chance(generators: Sequence[torch.Generator], shape: Sequence[int], p: float) -> Tensor:
    """(B, *shape), bool, true with probability p."""
    return uniform(generators, shape) < p
