"""Several guides: their gradients add with their weights, each on the steps that are its own."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from engine.models.packs import ExtraClip
from engine.settings import ExtraGuide, RunSettings
from engine.synthesis.extra_guides import Helpers
from engine.synthesis.memory import cost_of
from engine.synthesis.run import synthesize

WRAP = (True, True)


def settings(*guides, **changes):
    plain = {"prompt": "red bricks", "seed": 5, "variations": 2, "width": 128, "height": 128, "steps": 5}
    more = {"cutouts": 2, "proposals": 1, "judge_views": 2, "lr": 0.2, "start": "codes", "guides": guides}
    return RunSettings(**{**plain, **more, **changes})


@pytest.fixture
def pack(tiny_pack):
    """With two more CLIPs; the judge may guide here, as nothing is ranked."""
    extra = (ExtraClip("a", tiny_pack.judge, "ab"), ExtraClip("b", tiny_pack.guide, "cd"))
    return dataclasses.replace(tiny_pack, extra=extra)


def gradient(s, pack, step):
    """Of what the helpers add at a step, with respect to the picture."""
    picture = torch.rand(2, 3, 128, 128, generator=torch.Generator().manual_seed(0)).requires_grad_()
    helpers = Helpers.of(s, pack, [5, 6], WRAP, [])
    losses = helpers.losses(lambda cut, params: cut(picture, params), (128, 128), step / (s.steps - 1))
    if losses:
        sum(losses).sum().backward()
    return torch.zeros_like(picture) if picture.grad is None else picture.grad


def one(pack, which):
    return dataclasses.replace(pack, extra=pack.extra[which : which + 1])


def test_gradients_add_with_their_weights(pack):
    """The second alone draws from the stream of the first, so it is compared as the first."""
    a, b = ExtraGuide(name="a", weight=0.5), ExtraGuide(name="b", weight=2.0)
    same = dataclasses.replace(pack, extra=(pack.extra[0], pack.extra[0]))
    unit = gradient(settings(ExtraGuide(name="a")), one(pack, 0), 0)
    torch.testing.assert_close(gradient(settings(a), one(pack, 0), 0), 0.5 * unit)
    both, first = gradient(settings(a, b), pack, 0), gradient(settings(a), one(pack, 0), 0)
    assert not torch.equal(both, first)
    never = ExtraGuide(name="a", every=1000)
    rest = gradient(settings(never, b), same, 1)
    half = gradient(settings(never, ExtraGuide(name="b", weight=1.0)), same, 1)
    torch.testing.assert_close(rest, 2 * half)
    alone = gradient(settings(never, b), pack, 1)
    all_at_1 = gradient(settings(a, b), pack, 1)
    torch.testing.assert_close(all_at_1, alone + gradient(settings(a), one(pack, 0), 1))


def test_a_costly_guide_is_asked_every_so_many_steps(pack):
    s = settings(ExtraGuide(name="a", every=2))
    asked = [bool(gradient(s, one(pack, 0), step).any()) for step in range(s.steps)]
    assert asked == [True, False, True, False, True]


def made(s, pack):
    phases = synthesize(s, pack)
    while True:
        try:
            next(phases)
        except StopIteration as end:
            return end.value


def test_a_run_follows_its_guides_and_a_variation_is_its_own(pack):
    s = settings(ExtraGuide(name="a", weight=2.0, every=2))
    plain, helped = made(settings(), dataclasses.replace(pack, extra=())), made(s, one(pack, 0))
    assert not torch.equal(plain.maps.basecolor, helped.maps.basecolor)
    alone = made(s.model_copy(update={"seed": 6, "variations": 1}), one(pack, 0))
    torch.testing.assert_close(helped.maps.basecolor[1], alone.maps.basecolor[0], rtol=0, atol=1e-4)


def test_the_estimate_of_memory_counts_them(pack):
    plain = cost_of(dataclasses.replace(pack, extra=())).of_variation(settings())
    assert plain < cost_of(one(pack, 0)).of_variation(settings()) < cost_of(pack).of_variation(settings())
