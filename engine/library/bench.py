"""How fast an exact search is, measured with synthetic vectors."""

from __future__ import annotations

import statistics
import time
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.library.search import best

SIZES = (100_000, 1_000_000)
LIMITS_S = {100_000: 0.05, 1_000_000: 0.3}
"""What an artist does not notice as waiting, on two cores."""

WIDTH = 128
"""Of the starter's embeddings; published CLIPs have 512 and more."""

REPEATS = 15
RESULTS = 60


def bench(sizes: tuple[int, ...] = SIZES, width: int = WIDTH, repeats: int = REPEATS) -> list[dict[str, Any]]:
    """Seconds of one search by words, and of one by words and picture, filtered.

    Args:
        sizes: how many textures.
        width: D.
        repeats: measured searches, after one to warm up.

    Returns:
        For each size: "textures", "width", "threads", "bytes", "words_s" and "both_s" (medians),
        "fastest_s" of a search by words, and "limit_s" where there is one.
    """
    rows = []
    for n in sizes:
        draw = torch.Generator().manual_seed(n)
        vectors = _unit_rows(n, width, draw)
        text, picture = _unit_rows(2, width, draw)
        allowed = torch.rand(n, generator=draw) < 0.5
        words = _seconds(lambda v=vectors, t=text: best(v, [(t, 1.0)], RESULTS), repeats)
        both = _seconds(
            lambda v=vectors, t=text, p=picture, a=allowed: best(v, [(t, 0.5), (p, 0.5)], RESULTS, a),
            repeats,
        )
        rows.append(
            {
                "textures": n,
                "width": width,
                "threads": torch.get_num_threads(),
                "bytes": vectors.numel() * vectors.element_size(),
                "words_s": statistics.median(words),
                "fastest_s": min(words),
                "both_s": statistics.median(both),
                "limit_s": LIMITS_S.get(n),
            }
        )
    return rows


def _unit_rows(n: int, width: int, draw: torch.Generator) -> Tensor:
    """Random directions, made in parts: a million at once would need twice the memory."""
    out = torch.empty(n, width)
    for part in out.split(65_536):
        part.copy_(F.normalize(torch.randn(part.shape, generator=draw), dim=-1))
    return out


def _seconds(work: Any, repeats: int) -> list[float]:
    work()
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return found
