"""The guided loop on objectives whose course is known."""

from __future__ import annotations

import pytest
import torch

from engine.synthesis.optimize import optimize

WIDE = (torch.full((1, 1, 1, 1), -10.0), torch.full((1, 1, 1, 1), 10.0))


def towards(goal):
    return lambda z, progress: (z - goal).square().sum((1, 2, 3))


def test_reaches_the_minimum_and_reports_every_step():
    z = torch.zeros(1, 1, 2, 2)
    seen = list(optimize(z, towards(1.0), WIDE, steps=120, lr=0.1, ema=0.5))
    assert [s.index for s in seen] == list(range(1, 121))
    torch.testing.assert_close(seen[-1].z, torch.ones(1, 1, 2, 2), rtol=0, atol=0.02)
    assert seen[0].loss.tolist() == [4.0]
    assert z.abs().sum() == 0, "the caller's start must stay as it was"


def test_first_steps_are_adams_and_the_last_quarter_is_a_tenth():
    """Adam's step on a constant gradient is lr at first and lr / 10 after the drop."""
    goal = lambda z, progress: z.sum((1, 2, 3))
    seen = [s.z.item() for s in optimize(torch.zeros(1, 1, 1, 1), goal, WIDE, steps=8, lr=0.1, ema=0.0)]
    moves = [a - b for a, b in zip([0.0, *seen], seen, strict=False)]
    assert moves[:6] == pytest.approx([0.1] * 6, abs=1e-5)
    assert moves[6:] == pytest.approx([0.01] * 2, abs=1e-5)


def test_latent_stays_inside_the_codebook():
    low, high = torch.tensor([-0.3, -0.1]).view(1, 2, 1, 1), torch.tensor([0.2, 0.4]).view(1, 2, 1, 1)
    last = list(optimize(torch.zeros(1, 2, 1, 1), towards(5.0), (low, high), steps=30, lr=0.1, ema=0.0))[-1]
    assert last.z.flatten().tolist() == pytest.approx([0.2, 0.4])


def test_a_row_does_not_depend_on_its_neighbours():
    goals = torch.tensor([1.0, -2.0, 0.3]).view(3, 1, 1, 1)
    together = list(optimize(torch.zeros(3, 1, 2, 2), towards(goals), WIDE, steps=10, lr=0.1, ema=0.9))[-1]
    alone = list(optimize(torch.zeros(1, 1, 2, 2), towards(goals[1]), WIDE, steps=10, lr=0.1, ema=0.9))[-1]
    assert torch.equal(together.z[1], alone.z[0])


def test_progress_runs_from_zero_to_one():
    seen = []
    list(
        optimize(
            torch.zeros(1, 1, 1, 1),
            lambda z, p: seen.append(p) or z.sum((1, 2, 3)),
            WIDE,
            steps=5,
            lr=1e-3,
            ema=0,
        )
    )
    assert seen == [0, 0.25, 0.5, 0.75, 1]


def test_no_steps_is_no_work():
    assert list(optimize(torch.zeros(1, 1, 1, 1), towards(1.0), WIDE, steps=0, lr=0.1, ema=0.9)) == []
