"""What every trial works on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.starter.data import Materials
from engine.starter.evaluation.bench import Bench

Show = Callable[[str, int, int], None]
"""Told the variant, the step and of how many."""


@dataclass(frozen=True)
class Place:
    """What a trial works on.

    Attributes:
        data: the training set.
        bench: held-out materials, prompts, and the pack whose judge reads what comes out.
        weights: folder of the pack's networks.
        work: folder of the trial's own checkpoints; what is there already is used again.
    """

    data: Materials
    bench: Bench
    weights: Path
    work: Path
