"""Coarse to fine: changes are enlarged on the torus, detail is drawn anew, and steps are counted once."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis.strategies import integers

from engine.settings import RunSettings
from engine.synthesis import guidance, starts
from engine.synthesis.coarse import enlarged, stages
from engine.synthesis.edits import NO_EDITS, Edits
from engine.synthesis.inputs import Inputs
from engine.synthesis.memory import cost_of
from engine.synthesis.run import synthesize


def settings(**changes):
    plain = {"prompt": "red bricks", "pack": "tiny", "seed": 5, "variations": 2, "width": 256, "height": 256}
    quick = {"steps": 3, "lr": 0.2, "cutouts": 1, "proposals": 1, "judge_views": 2, "coarse": True}
    return RunSettings(**{**plain, **quick, **changes})


def finish(phases):
    seen = []
    while True:
        try:
            seen.append(next(phases))
        except StopIteration as end:
            return end.value, seen


@given(dy=integers(0, 5), dx=integers(0, 7), seed=integers(0, 2**32 - 1))
def test_enlarging_commutes_with_rolling(dy, dx, seed):
    z = torch.randn(1, 3, 6, 8, generator=torch.Generator().manual_seed(seed))
    like = torch.empty(0, 0, 12, 16)
    rolled = enlarged(z.roll((dy, dx), (-2, -1)), like, (True, True))
    expected = enlarged(z, like, (True, True)).roll((2 * dy, 2 * dx), (-2, -1))
    torch.testing.assert_close(rolled, expected, rtol=0, atol=1e-5)


def test_the_last_third_of_the_steps_is_at_full_size():
    (small, first), (whole, second) = stages(settings(steps=12, width=512), NO_EDITS)
    assert (small.width, small.height, whole.width, whole.height) == (256, 128, 512, 256)
    assert (first, second) == (range(8), range(8, 12))


@pytest.mark.parametrize(
    ("change", "edits"),
    [
        ({"coarse": False}, NO_EDITS),
        ({"steps": 0}, NO_EDITS),
        ({}, Edits(picture=torch.rand(3, 256, 256))),
        ({}, Edits(mask=torch.rand(1, 256, 256))),
    ],
)
def test_what_has_its_layout_is_made_at_full_size_from_the_start(change, edits):
    s = settings(**change)
    assert stages(s, edits) == [(s, range(s.steps))]


@pytest.mark.parametrize("start", ["exemplar", "prior", "noise"])
def test_steps_run_on_over_both_sizes(tiny_pack, monkeypatch, start):
    sizes, optimize = [], guidance.optimize

    def watched(z, objective, *rest, **more):
        seen = lambda z, p: sizes.append((tuple(z.shape), p)) or objective(z, p)
        return optimize(z, seen, *rest, **more)

    monkeypatch.setattr(guidance, "optimize", watched)
    made, seen = finish(synthesize(settings(start=start, candidates=2, redraw=0.3), tiny_pack))
    assert sizes == [((2, 4, 16, 16), 0.0), ((2, 4, 16, 16), 0.5), ((2, 4, 32, 32), 1.0)]
    assert [(p.step, p.total) for p in seen if p.name == "guide"] == [(1, 3), (2, 3), (3, 3)]
    assert made.maps.basecolor.shape == (2, 3, 256, 256)


def test_both_sizes_begin_from_one_exemplar_where_a_picture_asks(tiny_pack, monkeypatch):
    """A picture loses what is fine at half the size, and the guide sees another one there."""
    green, violet = torch.tensor([[0.4963, 0.7682, 0.0885], [0.132, 0.3074, 0.6341]]).view(2, 3, 1, 1)
    stripes = torch.where((torch.arange(256) % 2 == 1)[:, None], green, violet).expand(3, 256, 256)
    begun, propose = [], starts.propose

    def watched(s, *rest):
        proposal = yield from propose(s, *rest)
        begun.append((s.width, proposal.origins))
        return proposal

    monkeypatch.setattr(starts, "propose", watched)
    # the path is only a name here: what it holds is given
    s = settings(variations=4, steps=2, pictures=[{"path": "/stripes.png"}])
    made, _ = finish(synthesize(s, tiny_pack, Inputs((stripes,))))
    assert [width for width, _ in begun] == [128, 256]
    assert begun[0][1] == begun[1][1] == made.origins


def test_a_variation_made_alone_is_the_same_picture(tiny_pack):
    together, _ = finish(synthesize(settings(), tiny_pack))
    alone, _ = finish(synthesize(settings(seed=6, variations=1), tiny_pack))
    torch.testing.assert_close(together.maps.basecolor[1], alone.maps.basecolor[0], rtol=0, atol=1e-4)


def test_detail_is_that_of_the_recipe_at_full_size(tiny_pack):
    """Without guidance that moves anything, all of the result is the drawing at full size."""
    still = {"lr": 1e-6, "variations": 1}
    plain, _ = finish(synthesize(settings(steps=0, **still), tiny_pack))
    made, _ = finish(synthesize(settings(**still), tiny_pack))
    torch.testing.assert_close(made.maps.basecolor, plain.maps.basecolor, rtol=0, atol=0.02)


def test_memory_counts_the_size_at_which_candidates_are_guided(tiny_pack):
    cost = cost_of(tiny_pack)
    whole = cost.of_variation(settings(coarse=False))
    assert cost.of_variation(settings(candidates=2)) == whole
    assert whole < cost.of_variation(settings(candidates=16)) < 8 * whole
