"""What summary and sidecar say of how good a variation is: scores, what it repeats, what is wrong with it."""

from __future__ import annotations

from typing import Any

from engine.synthesis.ranking import Ranking
from engine.synthesis.run import Synthesis

DIGITS = 4


def of(result: Synthesis, i: int) -> dict[str, Any]:
    """Facts of variation i, for JSON.

    - judge_score, guide_score: mean cosine over views. gap: the guide's less the judge's; the larger it is
      beside that of other variations, the more the picture pleases only the guide.
    - repeats: rank of the better variation that it nearly is, or null.
    - artefacts: what is wrong with its base colour; measures: in numbers (see `engine.material.artefacts`).
    """
    judge, guide = float(result.judge_scores[i]), float(result.guide_scores[i])
    return {
        "judge_score": judge,
        "guide_score": guide,
        "gap": guide - judge,
        **of_ranking(result.ranking, i),
    }


def of_ranking(ranking: Ranking, i: int) -> dict[str, Any]:
    """What `of` says without scores: repeats, artefacts and measures."""
    first = ranking.repeats[i]
    return {
        "repeats": None if first is None else ranking.order.index(first) + 1,
        "artefacts": list(ranking.flags[i]),
        "measures": {name: round(float(x[i]), DIGITS) for name, x in ranking.measures.items()},
    }
