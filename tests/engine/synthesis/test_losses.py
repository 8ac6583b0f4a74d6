"""Distances and prompts against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis.strategies import floats

from engine.synthesis.losses import lone_changes, prompt_loss, spherical_distance

NEVER = -math.inf


def at(*angles_rad: float) -> torch.Tensor:
    """Unit vectors (len, 2) at angles from (1, 0)."""
    a = torch.tensor(angles_rad)
    return torch.stack([a.cos(), a.sin()], dim=-1)


@pytest.mark.parametrize(
    ("angle", "expected"),
    [(0, 0), (math.pi / 3, math.pi**2 / 18), (math.pi / 2, math.pi**2 / 8), (math.pi, math.pi**2 / 2)],
)
def test_distance_is_half_the_squared_angle(angle, expected):
    x, y = 3 * at(0.4), 0.2 * at(0.4 + angle)  # norms do not count
    # 0.01: just before opposites, where arcsin is held back from 1
    torch.testing.assert_close(spherical_distance(x, y), torch.tensor([expected]).float(), rtol=0, atol=1e-2)
    if angle < 3:
        torch.testing.assert_close(
            spherical_distance(x, y), torch.tensor([expected]).float(), rtol=0, atol=1e-5
        )


@given(angle=floats(0.01, 3.1))
def test_the_pull_of_the_distance_is_the_angle(angle):
    """The reason to take it: cosine pulls less and less beyond a right angle."""
    a = torch.tensor(angle, requires_grad=True)
    spherical_distance(torch.stack([a.cos(), a.sin()]), at(0)[0]).backward()
    torch.testing.assert_close(a.grad, a.detach(), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("angle", [0, math.pi])
def test_the_gradient_is_finite_at_both_ends(angle):
    x = at(angle).requires_grad_()
    spherical_distance(x, at(0)).sum().backward()
    assert x.grad.isfinite().all()


def test_distance_of_half_precision_is_computed_in_full():
    x, y = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(1)).bfloat16()
    distance = spherical_distance(x, y)
    assert distance.dtype == torch.float32
    assert torch.equal(distance, spherical_distance(x.float(), y.float()))


def test_loss_of_two_views_and_two_prompts():
    """Prompt 0 lies at 0 with weight 2, prompt 1 at π/2 with weight -0.5; views at 0 and π/3.

    Half squared angles: 0 and π²/18 to prompt 0, π²/8 and π²/72 to prompt 1.
    2 · mean(0, π²/18) - 0.5 · mean(π²/8, π²/72) = π² (1/18 - 5/144) = π²/48.
    """
    embeddings = at(0, math.pi / 3)[None]
    loss = prompt_loss(
        embeddings, at(0, math.pi / 2), torch.tensor([2.0, -0.5]), torch.tensor([NEVER, NEVER])
    )
    torch.testing.assert_close(loss, torch.tensor([math.pi**2 / 48]), rtol=0, atol=1e-6)


def test_a_view_below_its_stop_counts_but_no_longer_pulls():
    """At 0.2 and 1 rad the distances are 0.02 and 0.5: a stop of 0.1 lies between them."""
    a = torch.tensor([0.2, 1.0], requires_grad=True)
    embeddings = torch.stack([a.cos(), a.sin()], dim=-1)[None]
    loss = prompt_loss(embeddings, at(0), torch.tensor([3.0]), torch.tensor([0.1]))
    torch.testing.assert_close(loss, torch.tensor([3 * 0.26]), rtol=0, atol=1e-5)
    loss.sum().backward()
    torch.testing.assert_close(a.grad, torch.tensor([0.0, 3 * 1.0 / 2]), rtol=0, atol=1e-5)


def test_a_negative_prompt_pushes_away_until_its_stop():
    """-0.5 lies between -d at 0.2 rad (-0.02: still too near, pushed) and at 2 rad (-2: far enough)."""
    a = torch.tensor([0.2, 2.0], requires_grad=True)
    embeddings = torch.stack([a.cos(), a.sin()], dim=-1)[None]
    prompt_loss(embeddings, at(0), torch.tensor([-1.0]), torch.tensor([-0.5])).sum().backward()
    torch.testing.assert_close(a.grad, torch.tensor([-0.1, 0.0]), rtol=0, atol=1e-5)


def test_a_row_does_not_depend_on_its_neighbours():
    g = torch.Generator().manual_seed(1)
    embeddings, targets = torch.randn(3, 4, 8, generator=g), torch.randn(2, 8, generator=g)
    rest = (targets, torch.tensor([1.0, -0.3]), torch.tensor([NEVER, -1.0]))
    together = prompt_loss(embeddings, *rest)
    assert together.shape == (3,)
    for i in range(3):
        torch.testing.assert_close(prompt_loss(embeddings[i : i + 1], *rest)[0], together[i])


@pytest.mark.parametrize("wrap", [(True, True), (False, False), (True, False)], ids=str)
def test_what_changes_alike_everywhere_costs_nothing(wrap):
    assert lone_changes(torch.full((2, 3, 4, 5), 0.7), wrap).tolist() == pytest.approx([0, 0], abs=1e-12)


def test_grain_costs_more_than_a_patch():
    """By hand: a checkerboard of ±1 on the torus has 3 x 3 means of ±1/9, so every place is 8/9 off."""
    i, j = torch.arange(6)[:, None], torch.arange(6)[None]
    checks = (1.0 - 2 * ((i + j) % 2)).expand(1, 1, 6, 6)
    patch = torch.zeros(1, 1, 6, 6)
    patch[..., 1:5, 1:5] = 1.5  # the same mean square
    assert lone_changes(checks, (True, True)).item() == pytest.approx((8 / 9) ** 2, rel=1e-5)
    assert patch.square().mean() == checks.square().mean()
    assert lone_changes(patch, (True, True)) < 0.5 * lone_changes(checks, (True, True))
    assert lone_changes(checks.roll(1, 3), (True, True)) == lone_changes(checks, (True, True))
