"""A request from settings to ranked maps, with small random networks."""

from __future__ import annotations

import copy
import dataclasses

import pytest
import torch

from engine.models.known import Known
from engine.settings import MAX_SEED, NoisePrompt, PicturePrompt, RunSettings, Spot
from engine.synthesis.inputs import Inputs
from engine.synthesis.ranking import TIE
from engine.synthesis.run import _warnings, synthesize, variation_seeds


def settings(**changes):
    base = {
        "prompt": "red bricks",
        "seed": 5,
        "variations": 2,
        "width": 128,
        "height": 128,
        "steps": 3,
        "lr": 0.2,  # large enough for every step to change codes
        "cutouts": 2,
    }
    return RunSettings(**{**base, "judge_views": 2, "proposals": 2, **changes})


def finish(run):
    phases = []
    while True:
        try:
            phases.append(next(run))
        except StopIteration as end:
            return phases, end.value


def test_phases_come_in_order_and_show_pictures(tiny_pack):
    phases, result = finish(synthesize(settings(), tiny_pack))
    names = [p.name for p in phases]
    assert names == ["propose"] * 2 + ["guide"] * 3 + ["rank"] * 2
    assert [p.step for p in phases if p.name == "guide"] == [1, 2, 3]
    assert all(p.loss is not None for p in phases if p.name == "guide")
    assert {p.picture.shape for p in phases if p.picture is not None} == {(2, 3, 128, 128)}
    assert result.maps.height.shape == (2, 1, 128, 128)
    assert result.seeds == [5, 6]
    assert all(origin.startswith("exemplar ") for origin in result.origins)
    assert 0 < result.maps.relief.min() <= result.maps.relief.max() <= 0.12


def test_the_judge_never_gets_a_gradient(tiny_pack):
    """It says afterwards how good a result is, and may have no part in any loss."""
    judge, guide = copy.deepcopy(tiny_pack.judge), copy.deepcopy(tiny_pack.guide)
    for clip in (judge, guide):
        clip.model.requires_grad_(True)
    finish(synthesize(settings(), dataclasses.replace(tiny_pack, guide=guide, judge=judge)))
    assert all(p.grad is None for p in judge.model.parameters())
    assert any(p.grad is not None for p in guide.model.parameters()), "else this test would see none"


def test_same_request_same_numbers(tiny_pack):
    a, b = (finish(synthesize(settings(), tiny_pack))[1] for _ in range(2))
    assert torch.equal(a.maps.basecolor, b.maps.basecolor)
    assert torch.equal(a.judge_scores, b.judge_scores)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 6},
        {"prompt": "green moss"},
        {"negative": "red"},
        {"steps": 2},
        {"temperature": 0.5},
        {"redraw": 0.9},
        {"coherence": 500.0},
        {"start": "prior"},
        {"start": "codes"},
        {"tile": "x"},
        {"prompt": "red bricks | moss:0.5"},
        {"prompt": "red bricks:1:1.4"},
        {"palette": ("#2f5fa8",)},
        {"anti_lettering": 0.5},
        {"noise_prompts": (NoisePrompt(seed=1, weight=0.5),)},
    ],
    ids=str,
)
def test_every_setting_matters(tiny_pack, change):
    drawn = {"redraw": 0.5}  # temperature matters to what the prior draws
    a, b = (finish(synthesize(settings(**{**drawn, **c}), tiny_pack))[1] for c in ({}, change))
    assert not torch.equal(a.maps.basecolor, b.maps.basecolor)


@pytest.mark.parametrize("steered", [False, True])
def test_a_variation_made_alone_is_the_same_picture(tiny_pack, steered):
    pictures = [torch.rand(3, 90, 140, generator=torch.Generator().manual_seed(i)) for i in range(2)]
    more = {
        "pictures": (PicturePrompt(path="/a"), PicturePrompt(path="/b", aligned=False)),
        "palette": ("#8f3a2e", "#efe6cf"),
        "noise_prompts": (NoisePrompt(seed=3),),
        "negative": "moss | text:0.2",
    }
    more, inputs = (more, Inputs(tuple(pictures))) if steered else ({}, Inputs())
    together = finish(synthesize(settings(**more), tiny_pack, inputs))[1]
    alone = finish(synthesize(settings(**{**more, "seed": 6, "variations": 1}), tiny_pack, inputs))[1]
    torch.testing.assert_close(together.maps.basecolor[1], alone.maps.basecolor[0], rtol=0, atol=1e-4)


def test_order_is_the_judges(tiny_pack):
    result = finish(synthesize(settings(variations=4, steps=0), tiny_pack))[1]
    judged = result.judge_scores[result.order]
    fresh = [i is None for i in result.ranking.repeats]
    assert all(judged[k + 1] <= judged[k] + TIE for k in range(fresh.count(True) - 1))
    assert sorted(result.order) == [0, 1, 2, 3]


def test_no_steps_keeps_the_proposal(tiny_pack):
    phases, result = finish(synthesize(settings(steps=0), tiny_pack))
    assert "guide" not in [p.name for p in phases]
    assert result.maps.basecolor.isfinite().all()


@pytest.mark.parametrize("tile", ["xy", "none"])
def test_from_random_codes_and_not_square(tiny_pack, tile):
    pack = dataclasses.replace(tiny_pack, prior=None, exemplars=None)
    _, result = finish(synthesize(settings(width=192, tile=tile), pack))
    assert result.maps.basecolor.shape == (2, 3, 128, 192)


def test_guidance_lowers_the_guides_distance(tiny_pack):
    """The loop optimises: the loss at the end lies below the loss at the start."""
    free = settings(start="codes", steps=40, lr=0.1, cutouts=4, keep=0.0, coherence=0.0)
    phases, _ = finish(synthesize(free, tiny_pack))
    losses = [p.loss for p in phases if p.name == "guide"]
    assert sum(losses[-5:]) / 5 < losses[0]


def test_relief_can_be_set(tiny_pack):
    _, result = finish(synthesize(settings(steps=0, relief=0.2), tiny_pack))
    assert result.maps.relief.tolist() == pytest.approx([0.2, 0.2])


def test_seeds_count_up_and_wrap():
    assert variation_seeds(settings(seed=MAX_SEED, variations=3)) == [MAX_SEED, 0, 1]


def test_a_strange_word_is_named_with_what_comes_closest(tiny_pack):
    guide = copy.copy(tiny_pack.guide)
    guide.known = Known(nouns={"stone wall": ()}, words=("stone", "wall"), near=("stone",), threshold=0.999)
    pack = dataclasses.replace(tiny_pack, guide=guide)
    (warning,) = _warnings(settings(prompt="a cathedral of stone"), pack)
    assert warning == (
        'The tiny pack does not know "cathedral"; the closest that it knows: stone wall. '
        "Expect something else, or use other words."
    )
    assert _warnings(settings(prompt="a wall of stone"), pack) == []
    several = settings(prompt="stone | a temple:0.5 | a cathedral:2 | a castle:-1", negative="a church")
    assert [w.split('"')[1] for w in _warnings(several, pack)] == ["temple", "cathedral"]
    spots = (Spot(prompt="a temple", mask="/m"), Spot(prompt="a castle", mask="/m", weight=-1.0))
    of_spots = _warnings(settings(prompt="stone", spots=spots), pack)
    assert [w.split('"')[1] for w in of_spots] == ["temple"]
    assert _warnings(settings(prompt="a cathedral of stone"), tiny_pack) == []
