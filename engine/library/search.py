"""Exact nearest neighbours among all vectors of a library: one product of a matrix and a vector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.library.store import Store

MAX_PAIRS = 100_000
BLOCK = 2048
NEAR = 0.97
"""Cosine from which two textures may be the same picture; thumbnails decide."""

SAME = 0.97
"""Correlation of thumbnails from which they are, at the best of all shifts."""

FLAT = 2.0
"""Deviation of a thumbnail's values (of 255) below which there is no structure to compare."""


@dataclass(frozen=True)
class Matrix:
    """All vectors of an index, in memory.

    Attributes:
        version: of the index that they were read from.
        ids: (N,), ascending.
        vectors: (N, D) float32, unit rows.
    """

    version: int
    ids: NDArray[np.int64]
    vectors: Tensor

    @classmethod
    def of(cls, store: Store, before: Matrix | None = None) -> Matrix:
        """Those of an index; `before` itself where nothing changed since.

        Raises:
            BadIndex: it cannot be read.
        """
        version = store.version()
        if before is not None and before.version == version:
            return before
        ids, x = store.vectors()
        return cls(version, ids, torch.from_numpy(x))

    def __len__(self) -> int:
        return len(self.ids)


def best(
    vectors: Tensor, queries: Sequence[tuple[Tensor, float]], k: int, allowed: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """The k rows that score highest, exactly.

    A text lies much farther from every picture than pictures lie from each other, so where there are
    several queries the cosines of each are standardised over the library before they are weighed.

    Args:
        vectors: (N, D), unit rows.
        queries: unit vectors (D,) with weights, which may be negative.
        k: how many; fewer come back where there are fewer.
        allowed: (N,) bool, rows that may be found; None for all.

    Returns:
        Row numbers (k,), best first, and scores (k,): cosine for one query of weight 1.
    """
    if not len(vectors) or not queries:
        return torch.zeros(0, dtype=torch.int64), torch.zeros(0)
    if len(queries) == 1:
        query, weight = queries[0]
        scores = torch.mv(vectors, query * weight)
    else:
        cosines = vectors @ torch.stack([q for q, _ in queries], 1)  # (N, Q)
        deviation = cosines.std(0, correction=0).clamp(min=1e-6)
        weights = cosines.new_tensor([w for _, w in queries])
        scores = ((cosines - cosines.mean(0)) / deviation) @ weights
    found = min(k, len(vectors))
    if allowed is not None:
        scores = scores.masked_fill(~allowed, -torch.inf)
        found = min(found, int(allowed.sum()))
    top = scores.topk(found)
    return top.indices, top.values


def mask(ids: NDArray[np.int64], wanted: NDArray[np.int64]) -> Tensor:
    """Which of ids (N,) are among the wanted ones, (N,) bool."""
    return torch.from_numpy(np.isin(ids, wanted))


def near_pairs(vectors: Tensor, least: float = NEAR) -> list[tuple[int, int]]:
    """Pairs of rows (i < j) whose cosine is at least this, block by block; the nearest `MAX_PAIRS`."""
    pairs: list[tuple[float, int, int]] = []
    for start in range(0, len(vectors), BLOCK):
        block = vectors[start : start + BLOCK]
        for other in range(start, len(vectors), BLOCK):
            cosines = block @ vectors[other : other + BLOCK].T
            i, j = (cosines >= least).nonzero(as_tuple=True)
            values = cosines[i, j]
            rows, columns = i + start, j + other
            upper = rows < columns
            found = zip(values[upper].tolist(), rows[upper].tolist(), columns[upper].tolist(), strict=True)
            pairs += found
            if len(pairs) > 2 * MAX_PAIRS:
                pairs = sorted(pairs, reverse=True)[:MAX_PAIRS]
    return [(i, j) for _, i, j in sorted(pairs, reverse=True)[:MAX_PAIRS]]


def same_picture(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> bool:
    """Whether two thumbnails (H, W, 3) show one picture, rolled or not, of any size or compression.

    The correlation of the two at the best shift on the torus. A CLIP that describes textures by statistics
    takes two draws of one material for the same; what is where differs.
    """
    x, y = (t.astype(np.float64) for t in (a, b))
    if np.abs(x.mean((0, 1)) - y.mean((0, 1))).max() > 12:
        return False
    x, y = x - x.mean((0, 1)), y - y.mean((0, 1))
    norms = np.sqrt((x**2).sum()), np.sqrt((y**2).sum())
    flat = FLAT * np.sqrt(x.size)
    if max(norms) < flat:
        return True
    if min(norms) < flat / 2:
        return False
    spectrum = np.fft.fft2(x, axes=(0, 1)) * np.conj(np.fft.fft2(y, axes=(0, 1)))
    correlation = np.fft.ifft2(spectrum, axes=(0, 1)).real.sum(-1)
    return bool(correlation.max() / (norms[0] * norms[1]) >= SAME)


def duplicates(store: Store, matrix: Matrix) -> list[list[int]]:
    """Groups of ids, each ascending, of textures that are nearly the same picture; largest groups first."""
    leader = list(range(len(matrix)))

    def find(i: int) -> int:
        while leader[i] != i:
            leader[i] = leader[leader[i]]
            i = leader[i]
        return i

    pairs = near_pairs(matrix.vectors)
    involved = sorted({i for pair in pairs for i in pair})
    small = dict(zip(involved, store.thumbnails([int(matrix.ids[i]) for i in involved]), strict=True))
    for i, j in pairs:
        if find(i) != find(j) and same_picture(small[i], small[j]):
            leader[find(j)] = find(i)
    groups: dict[int, list[int]] = {}
    for i in involved:
        groups.setdefault(find(i), []).append(int(matrix.ids[i]))
    return sorted((g for g in groups.values() if len(g) > 1), key=lambda g: (-len(g), g))
