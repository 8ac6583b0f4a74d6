"""Candidates, coarse to fine, more guides, light, groups and stopping: any of them with any other."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from engine.models.packs import ExtraClip
from engine.settings import ExtraGuide, RunSettings
from engine.synthesis.coarse import stages
from engine.synthesis.course import Course
from engine.synthesis.edits import NO_EDITS
from engine.synthesis.groups import synthesize_in_groups
from engine.synthesis.halving import rungs
from engine.synthesis.memory import cost_of

PLAIN = {
    "prompt": "red bricks", "pack": "tiny", "seed": 5, "variations": 2, "width": 128, "height": 128,
    "steps": 5, "lr": 0.2, "cutouts": 2, "proposals": 1, "judge_views": 2,
}  # fmt: skip
RACE = {"candidates": 3, "start": "codes"}
COARSE = {"coarse": True}
ALL = {"guides": (ExtraGuide(name="a", weight=2.0, every=2),), "lit_cuts": 0.5}


def settings(*parts, **changes):
    return RunSettings(**{**PLAIN, **{k: v for part in parts for k, v in part.items()}, **changes})


@pytest.fixture(scope="module")
def pack(tiny_pack):
    """With another CLIP to guide beside its own: the judge, as nothing here says how good a picture is."""
    return dataclasses.replace(tiny_pack, extra=(ExtraClip("a", tiny_pack.judge, "ab"),))


@pytest.fixture
def make(pack, tiny_pack):
    """Runs settings to their end, or to a stop after so many guided steps."""

    def make(s, *, stop_at=None, saved=(), budget=None, every=0):
        written, steps = [], []
        stop = lambda: stop_at is not None and bool(steps) and steps[-1] >= stop_at
        course = Course(stop, written.append, every, saved)
        phases = synthesize_in_groups(s, pack if s.guides else tiny_pack, budget=budget, course=course)
        while True:
            try:
                phase = next(phases)
            except StopIteration as end:
                return end.value, written
            if phase.name == "guide":
                steps.append(phase.step)

    return make


def same(a, b, atol=0.0):
    assert (a.seeds, a.origins, a.order) == (b.seeds, b.origins, b.order)
    for name, x in vars(a.maps).items():
        torch.testing.assert_close(x, vars(b.maps)[name], rtol=0, atol=atol, msg=name)
    torch.testing.assert_close(a.judge_scores, b.judge_scores, rtol=0, atol=atol)


def test_the_cases_stop_where_they_say():
    assert rungs(3, 5) == {0: 2, 2: 1}
    assert [span for _, span in stages(settings(COARSE), NO_EDITS)] == [range(3), range(3, 5)]


@pytest.mark.parametrize(
    ("parts", "at"),
    [
        ((RACE,), 2),  # with the step that drops the last
        ((RACE, ALL), 3),
        ((COARSE,), 2),
        ((COARSE,), 3),  # where the coarse stage ends
        ((COARSE, ALL), 4),
        ((COARSE, RACE, ALL), 3),
        ((COARSE, {"start": "noise", "redraw": 0.5}), 4),
    ],
)
def test_a_run_goes_on_to_the_same_bits(make, parts, at):
    s = settings(*parts)
    whole, ended = make(s, every=s.steps)
    stopped, written = make(s, stop_at=at)
    assert stopped.stopped_at == [at, at]
    assert [[part.step for part in parts] for parts in written] == [[at]]
    assert stopped.maps.height.shape[-2:] == (s.height, s.width)
    again, ended_again = make(s, saved=written[0], every=s.steps)
    assert again.stopped_at == [None, None]
    same(again, whole)
    assert ended[0][0].seeds == ended_again[0][0].seeds
    for name, x in ended[0][0].tensors.items():  # more than pictures, whose codes hide small differences
        assert torch.equal(x, ended_again[0][0].tensors[name]), name


@pytest.mark.parametrize("parts", [(RACE,), (RACE, COARSE, ALL)])
def test_stopped_while_candidates_are_in_the_leaders_are_results_and_all_go_on(make, parts):
    """The best known of each pool, at the full size; the checkpoint forgets none of the others."""
    s = settings(*parts, candidates=8, steps=12)
    stopped, written = make(s, stop_at=2)
    assert stopped.stopped_at == [2, 2]
    assert [[part.step for part in parts] for parts in written] == [[2]]
    again, _ = make(s, saved=written[0])
    same(again, make(s)[0])
    assert len(stopped.seeds) == 2
    assert stopped.maps.basecolor.shape == (2, 3, s.height, s.width)
    assert stopped.maps.basecolor.isfinite().all()


@pytest.mark.parametrize("parts", [(RACE, ALL), (RACE, ALL, COARSE)])
def test_a_winner_made_again_alone_is_the_same_picture(make, parts):
    made, _ = make(settings(*parts))
    for i, seed in enumerate(made.seeds):
        alone, _ = make(settings(*parts, seed=seed, variations=1, candidates=1))
        torch.testing.assert_close(alone.maps.basecolor[0], made.maps.basecolor[i], rtol=0, atol=1e-4)


@pytest.mark.parametrize("parts", [(RACE, ALL), (RACE, ALL, COARSE)])
def test_groups_change_nothing(make, pack, parts):
    s = settings(*parts, steps=3)
    whole, _ = make(s)
    grouped, _ = make(s, budget=cost_of(pack).of_variation(s))
    same(grouped, whole, atol=1e-4)


def test_guides_and_light_are_felt_with_candidates(make):
    """Else the tests above would show nothing."""
    pictures = [
        make(settings(RACE, part))[0].maps.basecolor for part in ({}, *({k: v} for k, v in ALL.items()))
    ]
    assert not torch.equal(pictures[0], pictures[1])
    assert not torch.equal(pictures[0], pictures[2])
