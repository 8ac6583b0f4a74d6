"""The guided loop: Adam on the latent, a step at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

Objective = Callable[[Tensor, float], Tensor]
"""(z (B, C, h, w), progress 0..1) → loss (B,): one number a variation, independent of its neighbours."""


@dataclass(frozen=True)
class LoopState:
    """All that the loop remembers between two steps, but for the random streams of its objective.

    Attributes:
        step: how many are done.
        latent: (B, C, h, w), what Adam moves.
        average: (B, C, h, w), its running average.
        first_moment: (B, C, h, w), Adam's average of gradients.
        second_moment: (B, C, h, w), that of their squares.
    """

    step: int
    latent: Tensor
    average: Tensor
    first_moment: Tensor
    second_moment: Tensor


@dataclass(frozen=True)
class Step:
    """The state after one step.

    Attributes:
        index: 1..total.
        loss: (B,) before the step's update, detached.
        z: (B, C, h, w), the running average of the latent: what is worth showing.
        state: copies what it takes to go on from here.
    """

    index: int
    total: int
    loss: Tensor
    z: Tensor
    state: Callable[[], LoopState]


def optimize(
    z: Tensor,
    objective: Objective,
    z_range: tuple[Tensor, Tensor],
    *,
    steps: int,
    lr: float,
    ema: float,
    renew: Callable[[int, Tensor], Tensor] | None = None,
    select: Callable[[int, Tensor], list[int] | None] | None = None,
    span: range | None = None,
    resume: LoopState | None = None,
) -> Iterator[Step]:
    """Guides z (B, C, h, w), one row a variation, down the objective. Yields after every step.

    The learning rate drops to a tenth for the last quarter; z is held inside the codebook's range per
    channel; the yielded latent is an exponential average whose memory grows from nothing to `ema`.
    `renew` is given the number of every step and the z that it made, and says what to go on from instead.
    `select` is given that number and the average, and says which rows go on, in which order (None: all as
    they are); the objective is then called with these. `span` are the steps to take of all, where a course
    is taken in parts.
    `resume` is where an earlier loop was: this one ends where that would have, bit for bit.
    Whoever iterates decides about progress, previews and stopping: stopping early leaves a result.

    Source: nerdyrodent/VQGAN-CLIP `generate.py` for the loop, pixray for the drop, pytti for the average.
    """
    z = (z if resume is None else resume.latent).float().clone().requires_grad_()
    z_ema = z.detach().clone() if resume is None else resume.average.clone()
    adam = torch.optim.Adam([z], lr=lr)
    own = range(steps) if span is None else span
    if resume is not None:  # its averages began with the span
        moments = {"exp_avg": resume.first_moment.clone(), "exp_avg_sq": resume.second_moment.clone()}
        adam.state[z] = {"step": torch.tensor(float(resume.step - own.start)), **moments}
    for i in own if resume is None else range(max(own.start, resume.step), own.stop):
        # In place: a new optimiser would lose its momentum.
        adam.param_groups[0]["lr"] = lr / 10 if i >= steps * 3 // 4 else lr
        loss = objective(z, i / max(1, steps - 1))
        adam.zero_grad()
        loss.sum().backward()  # sum: a row's gradient must not depend on how many rows there are
        adam.step()
        with torch.no_grad():
            z.clamp_(*z_range)
            if renew is not None:
                z.copy_(renew(i + 1, z))
            z_ema.lerp_(z, 1 - min(ema, (1 + i) / (10 + i)))
        rows = None if select is None else select(i + 1, z_ema)
        if rows is not None:
            z, z_ema = _only(adam, z, rows), z_ema[rows]
        yield Step(i + 1, steps, loss.detach(), z_ema, partial(_state, i + 1, z, z_ema, adam))


def _only(adam: torch.optim.Adam, z: Tensor, rows: list[int]) -> Tensor:
    """These rows of z, with their momentum, in place of it as what Adam moves."""
    kept = z.detach()[rows].clone().requires_grad_()
    state = adam.state.pop(z)
    adam.state[kept] = {name: x[rows] if x.shape == z.shape else x for name, x in state.items()}
    adam.param_groups[0]["params"] = [kept]
    return kept


def _state(step: int, z: Tensor, z_ema: Tensor, adam: torch.optim.Adam) -> LoopState:
    moments = (adam.state[z][name].clone() for name in ("exp_avg", "exp_avg_sq"))
    return LoopState(step, z.detach().clone(), z_ema.clone(), *moments)
