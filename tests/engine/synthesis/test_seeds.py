"""Streams: the same numbers for a variation, whoever runs beside it."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis.strategies import integers, lists

from engine.settings import MAX_SEED
from engine.synthesis.seeds import chance, log_uniform, normal, streams, uniform


@given(seeds=lists(integers(0, MAX_SEED), min_size=1, max_size=4), at=integers(0, 3))
def test_a_variation_draws_the_same_alone_and_in_company(seeds, at):
    at %= len(seeds)
    together, alone = streams(seeds, "cutouts"), streams(seeds[at : at + 1], "cutouts")
    for draw in (
        lambda g: uniform(g, (3, 2), -1, 1),
        lambda g: log_uniform(g, (5,), 0.5, 2),
        lambda g: normal(g, (4, 5)),  # 16 and more go through another code path of torch
        lambda g: normal(g, (3,)),
        lambda g: chance(g, (7,), 0.5),
    ):
        assert torch.equal(draw(together)[at], draw(alone)[0])


def test_seeds_and_purposes_do_not_share_numbers():
    """A run's variations have neighbouring seeds, and its parts the same ones: both must differ."""
    rows = [uniform(streams([7, 8, 2**32 + 7], purpose), (8,)) for purpose in ("cutouts", "judge")]
    assert len(torch.cat(rows).unique(dim=0)) == 6


def test_the_numbers_of_a_seed_stay():
    """A sidecar's seed makes its picture again years later. Worked out with hashlib and NumPy's MT19937."""
    expected = [0.375325, 0.339393, 0.428635]
    torch.testing.assert_close(
        uniform(streams([42], "cutouts"), (3,))[0], torch.tensor(expected), rtol=0, atol=1e-6
    )


def test_draws_keep_to_their_range_and_fill_it():
    g = streams(range(4), "range")
    for x, low, high in (
        (uniform(g, (500,), -3, 2), -3, 2),
        (log_uniform(g, (500,), 0.25, 4).log2(), -2, 2),
    ):
        assert x.shape == (4, 500)
        assert low <= x.min() < low + 0.05 and high - 0.05 < x.max() <= high
        assert abs(x.mean() - (low + high) / 2) < 0.15
    assert abs(chance(g, (500,), 0.25).float().mean() - 0.25) < 0.05
    assert not chance(g, (500,), 0).any() and chance(g, (500,), 1).all()
