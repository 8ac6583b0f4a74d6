"""Many candidates, of which the better ones go on: the same ones whoever runs beside them."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis.strategies import integers

from engine.settings import MAX_SEED, RunSettings
from engine.synthesis import guidance, halving
from engine.synthesis.groups import synthesize_in_groups
from engine.synthesis.halving import fittest, guided, pool, rungs
from engine.synthesis.memory import cost_of
from engine.synthesis.propose import SHARES
from engine.synthesis.run import synthesize


def settings(**changes):
    plain = {"prompt": "red bricks", "pack": "tiny", "seed": 5, "variations": 2, "width": 128, "height": 128}
    quick = {"steps": 4, "lr": 0.2, "cutouts": 1, "proposals": 2, "judge_views": 2, "candidates": 4}
    return RunSettings(**{**plain, **quick, "start": "codes", **changes})


def finish(phases):
    seen = []
    while True:
        try:
            seen.append(next(phases))
        except StopIteration as end:
            return end.value, seen


@given(seed=integers(0, MAX_SEED), candidates=integers(1, 16))
def test_a_pool_holds_its_seed_and_begins_where_that_would(seed, candidates):
    seeds = pool(seed, candidates)
    assert seed in seeds and len(set(seeds)) == candidates
    assert all(0 <= s <= MAX_SEED for s in seeds)
    assert all({s % step for s in seeds} == {seed % step} for step in range(1, SHARES + 1))


@given(seed=integers(0, MAX_SEED // 2), candidates=integers(1, 16))
def test_all_of_a_pool_have_the_same_and_neighbours_share_none(seed, candidates):
    seeds = pool(seed, candidates)
    assert all(pool(s, candidates) == seeds for s in seeds)
    assert not set(seeds) & set(pool(seed + 1, candidates))


@pytest.mark.parametrize(
    ("candidates", "steps", "expected"),
    [
        (1, 12, {}),
        (4, 12, {0: 2, 4: 1}),
        (8, 12, {0: 4, 2: 2, 4: 1}),
        (3, 12, {0: 2, 4: 1}),
        (16, 1, {0: 4, 1: 1}),
        (8, 0, {0: 1}),
    ],
)
def test_halves_go_early_and_one_is_left(candidates, steps, expected):
    assert rungs(candidates, steps) == expected


@given(candidates=integers(2, 16), steps=integers(0, 50))
def test_in_the_end_one_is_left(candidates, steps):
    found = rungs(candidates, steps)
    assert max(found) <= steps and found[max(found)] == 1
    assert list(found) == sorted(found) and list(found.values()) == sorted(found.values(), reverse=True)
    assert max(found.values()) <= guided(candidates)


def test_the_best_of_each_variation_stay_best_first():
    scores = torch.tensor([0.1, 0.9, 0.5, 0.7, 0.2, 0.2, 0.2, 0.1])
    assert fittest(scores, 4, 2) == [1, 3, 4, 5]
    assert fittest(scores, 4, 1) == [1, 4]
    assert fittest(scores, 8, 3) == [1, 3, 2]


def test_without_steps_the_judge_has_the_best_of_the_pool(tiny_pack):
    """What comes of it is the candidate that, made alone, the same judge with the same views likes best."""
    made, _ = finish(synthesize(settings(steps=0), tiny_pack))
    for i, own in enumerate((5, 6)):
        seeds = pool(own, 4)
        alone = [
            finish(synthesize(settings(steps=0, candidates=1, variations=1, seed=s), tiny_pack))[0]
            for s in seeds
        ]
        views = halving.streams([seeds[0]] * 4, "halving/0")
        pictures = torch.cat([a.maps.basecolor for a in alone])
        text = tiny_pack.judge.encode_templates("red bricks", ("{}",))
        wrap = (True, True)
        scores = halving.score(pictures, text, tiny_pack.judge, views, views=halving.VIEWS, tile=wrap)
        best = int(scores.argmax())
        assert made.seeds[i] == seeds[best]
        torch.testing.assert_close(made.maps.basecolor[i], pictures[best], rtol=0, atol=1e-4)


@pytest.fixture(scope="module")
def raced(tiny_pack):
    return finish(synthesize(settings(), tiny_pack))


def test_one_picture_a_variation_is_made_and_shown(raced):
    made, seen = raced
    assert len(made.seeds) == len(made.maps) == 2
    assert {len(p.picture) for p in seen if p.picture is not None} == {2}
    assert [p.step for p in seen if p.name == "guide"] == [1, 2, 3, 4]


def test_same_request_same_winners(raced, tiny_pack):
    again, _ = finish(synthesize(settings(), tiny_pack))
    assert again.seeds == raced[0].seeds
    assert torch.equal(again.maps.basecolor, raced[0].maps.basecolor)


def test_groups_change_nothing(raced, tiny_pack):
    grouped, seen = finish(synthesize_in_groups(settings(), tiny_pack, budget=1))
    assert {p.first for p in seen if p.name == "guide"} == {0, 1}
    assert grouped.seeds == raced[0].seeds
    torch.testing.assert_close(grouped.maps.basecolor, raced[0].maps.basecolor, rtol=0, atol=1e-4)


@pytest.mark.parametrize("candidates", [4, 1])
def test_a_winner_made_again_alone_from_its_seed_is_the_same_picture(raced, tiny_pack, candidates):
    """From the pool again, and as it is: a race that is lost leaves no trace in who wins."""
    winner = raced[0].seeds[1]
    alone, _ = finish(synthesize(settings(seed=winner, variations=1, candidates=candidates), tiny_pack))
    assert alone.seeds == [winner]
    torch.testing.assert_close(alone.maps.basecolor[0], raced[0].maps.basecolor[1], rtol=0, atol=1e-4)


def test_the_weaker_ones_are_guided_no_longer(tiny_pack, monkeypatch):
    rows, optimize = [], guidance.optimize

    def watched(z, objective, *rest, **more):
        return optimize(z, lambda z, p: rows.append(len(z)) or objective(z, p), *rest, **more)

    monkeypatch.setattr(guidance, "optimize", watched)
    finish(synthesize(settings(candidates=8, steps=6), tiny_pack))
    assert rows == [8, 4, 2, 2, 2, 2]


def test_candidates_take_memory(tiny_pack):
    cost = cost_of(tiny_pack)
    assert cost.of_variation(settings(candidates=8)) == 4 * cost.of_variation(settings(candidates=1))
