"""Stopped and gone on with, a run ends with the same bits."""

from __future__ import annotations

import pytest
import torch

from engine.settings import RunSettings
from engine.synthesis.course import Course
from engine.synthesis.groups import synthesize_in_groups
from engine.synthesis.memory import cost_of
from engine.synthesis.optimize import optimize

WIDE = (torch.full((1, 1, 1, 1), -10.0), torch.full((1, 1, 1, 1), 10.0))


def settings(**changes):
    plain = {"prompt": "red bricks", "pack": "tiny", "seed": 5, "variations": 2, "width": 128, "height": 128}
    more = {"steps": 5, "cutouts": 2, "proposals": 1, "judge_views": 2, "lr": 0.2, "start": "codes"}
    return RunSettings(**{**plain, **more, **changes})


def run(phases):
    """What comes of it, and the guided steps on the way."""
    steps = []
    while True:
        try:
            phase = next(phases)
        except StopIteration as end:
            return end.value, steps
        if phase.name == "guide":
            steps.append(phase.step)


def stop_after(n):
    """Says yes when asked for the n-th time, and from then on."""
    asked = []

    def stop():
        asked.append(None)
        return len(asked) >= n

    return stop


def same(a, b):
    assert (a.order, a.stopped_at, a.warnings) == (b.order, b.stopped_at, b.warnings)
    for name, x in vars(a.maps).items():
        assert torch.equal(x, vars(b.maps)[name]), name
    assert torch.equal(a.judge_scores, b.judge_scores)


def test_the_loop_goes_on_bit_for_bit_from_any_step():
    """The learning rate's drop, Adam's bias correction and the average's growth know the step."""

    def objective(z, progress):
        return (z * z.roll(1, -1) - 0.3 - progress).square().sum((1, 2, 3))

    z = torch.randn(2, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    loop = {"steps": 8, "lr": 0.1, "ema": 0.9}
    whole = [(step.z.clone(), step.state()) for step in optimize(z, objective, WIDE, **loop)]
    for _, state in whole[:-1]:
        rest = [s.z.clone() for s in optimize(z, objective, WIDE, **loop, resume=state)]
        assert len(rest) == 8 - state.step
        assert torch.equal(rest[-1], whole[-1][0])


def test_a_stopped_run_has_results_and_goes_on_to_the_same_end(tiny_pack):
    """Lit views too: their lights come from a stream of their own."""
    s, written = settings(lit_cuts=0.5), []
    whole, _ = run(synthesize_in_groups(s, tiny_pack))
    stopped, steps = run(
        synthesize_in_groups(s, tiny_pack, course=Course(stop_after(2), written.append, saved=()))
    )
    assert steps == [1, 2]
    assert stopped.stopped_at == [2, 2]
    assert stopped.maps.basecolor.isfinite().all()
    assert not torch.equal(stopped.maps.basecolor, whole.maps.basecolor)
    (saved,) = written
    again, steps = run(synthesize_in_groups(s, tiny_pack, course=Course(saved=saved)))
    assert steps == [3, 4, 5]
    same(again, whole)


@pytest.mark.parametrize(
    ("changes", "at", "left"),
    [({"steps": 9}, 1, 4), ({"steps": 9}, 2, 2), ({"coarse": True, "width": 256, "height": 256}, 1, 2)],
)
def test_a_run_stopped_while_candidates_race_goes_on_to_the_same_end(tiny_pack, changes, at, left):
    """All of them stand in what is saved, and the rungs that are left decide as they would have."""
    s, written = settings(candidates=8, lit_cuts=0.5, **changes), []
    whole, _ = run(synthesize_in_groups(s, tiny_pack))
    course = Course(stop_after(at), written.append)
    stopped, _ = run(synthesize_in_groups(s, tiny_pack, course=course))
    assert stopped.stopped_at == [at, at]
    ((saved,),) = written
    assert (len(saved.seeds), len(saved.tensors["latent"])) == (2 * left, 2 * left)
    again, steps = run(synthesize_in_groups(s, tiny_pack, course=Course(saved=[saved])))
    assert steps == list(range(at + 1, s.steps + 1))
    assert again.seeds == whole.seeds
    same(again, whole)


def test_groups_are_stopped_and_gone_on_with_too(tiny_pack):
    """One variation at once: the first is whole, the second is not, the third was never begun."""
    s, written = settings(variations=3, steps=3), []
    one = cost_of(tiny_pack).of_variation(s)
    whole, _ = run(synthesize_in_groups(s, tiny_pack, budget=one))
    course = Course(
        stop_after(5), written.append
    )  # two steps of the first ask, once between, two of the next
    stopped, _ = run(synthesize_in_groups(s, tiny_pack, budget=one, course=course))
    assert stopped.stopped_at == [None, 2]
    assert len(stopped.maps) == 2
    assert torch.equal(stopped.maps.basecolor[0], whole.maps.basecolor[0])
    again, steps = run(synthesize_in_groups(s, tiny_pack, budget=1 << 40, course=Course(saved=written[-1])))
    assert len(steps) == 1 + 3
    same(again, whole)


def test_states_are_saved_as_often_as_asked(tiny_pack):
    written = []
    run(synthesize_in_groups(settings(), tiny_pack, course=Course(save=written.append, every=2)))
    assert [[part.step for part in parts] for parts in written] == [[2], [4]]
    assert set(written[0][0].tensors) == {
        "latent", "average", "first_moment", "second_moment", "stream/cutouts"
    }  # fmt: skip
