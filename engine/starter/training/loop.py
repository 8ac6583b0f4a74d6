"""The loop that all stages share: resumable at any step to the same result, with progress."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from pydantic import BaseModel
from torch import nn

log = logging.getLogger(__name__)


class Stage(Protocol):
    """One network being trained. A step draws its batch from (seed, step) alone, so no state of a
    random generator has to be stored.
    """

    name: str
    total_steps: int

    @property
    def cfg(self) -> BaseModel:
        """How it is trained."""
        ...

    def step(self, i: int) -> dict[str, float]:
        """Takes optimiser step i (from 0); returns what is worth watching."""
        ...

    def state(self) -> dict[str, Any]:
        """Everything needed to go on: weights, averages, optimiser. Tensors, numbers, dicts, lists."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of `state`."""
        ...


def rng(seed: int, step: int, purpose: str = "batch") -> np.random.Generator:
    """The random numbers of one step, the same whether or not training was interrupted before it."""
    return np.random.default_rng([seed, step, *purpose.encode()])


def warm_cosine(step: int, total: int, warmup: int = 200, floor: float = 0.02) -> float:
    """Learning rate factor: linear to 1 over `warmup` steps, then half a cosine down to `floor`.

    Short runs warm up for a fifth of their steps at most, or they would do little else.
    """
    warmup = min(warmup, max(1, total // 5))
    if step < warmup:
        return (step + 1) / warmup
    t = (step - warmup) / max(1, total - warmup)
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, t)))


class Average:
    """Exponential moving average of a network's weights, what is kept in the end.

    The share of the old average grows from 0 to `decay`, so that early steps do not linger.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.values = {k: v.detach().clone() for k, v in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Takes in the weights after `step`."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for k, v in model.state_dict().items():
            if v.is_floating_point():
                self.values[k].lerp_(v, 1 - decay)
            else:
                self.values[k].copy_(v)


class Learner:
    """The state of a stage that trains a network: weights, their average, the optimiser."""

    model: Any  # open_clip's have no types
    average: Average
    adam: torch.optim.Optimizer

    def state(self) -> dict[str, Any]:
        """Everything needed to go on, as `Stage` wants it."""
        return {
            "model": self.model.state_dict(),
            "average": self.average.values,
            "adam": self.adam.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of `state`."""
        self.model.load_state_dict(state["model"])
        self.average.values = state["average"]
        self.adam.load_state_dict(state["adam"])


def spent(stage: Stage, folder: Path) -> float:
    """Seconds that the steps up to the last checkpoint took, over all runs."""
    return float(torch.load(folder / f"{stage.name}.pt", weights_only=True)["seconds"])


def run(stage: Stage, folder: Path, *, every: int = 250) -> Iterator[tuple[int, dict[str, float]]]:
    """Trains to the end, or from where `folder` left off; yields (step, figures) after every step.

    A checkpoint is written every `every` steps and at the end, to a temporary name and then renamed,
    so that a kill at any time costs at most `every` steps.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stage.name}.pt"
    start, before_s = 0, 0.0
    if path.exists():
        saved = torch.load(path, weights_only=True)
        stage.restore(saved["stage"])
        start, before_s = saved["step"], saved["seconds"]
        log.info("%s goes on from step %d of %d", stage.name, start, stage.total_steps)
    began = time.monotonic()
    for i in range(start, stage.total_steps):
        figures = stage.step(i)
        if not all(math.isfinite(v) for v in figures.values()):
            raise FloatingPointError(f"{stage.name} diverged at step {i}: {figures}")
        if (i + 1) % every == 0 or i + 1 == stage.total_steps:
            partial = path.with_suffix(".partial")
            seconds = time.monotonic() - began
            torch.save({"step": i + 1, "seconds": before_s + seconds, "stage": stage.state()}, partial)
            partial.replace(path)
            rate = (i + 1 - start) / seconds
            text = ", ".join(f"{k} {v:.4g}" for k, v in figures.items())
            log.info("%s step %d of %d, %.2f steps/s: %s", stage.name, i + 1, stage.total_steps, rate, text)
        yield i + 1, figures
