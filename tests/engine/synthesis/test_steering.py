"""What an artist adds to a prompt leads where it says: the starter pack, small and short."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from engine.compute import Compute
from engine.models import packs
from engine.settings import NoisePrompt, PicturePrompt, RunSettings
from engine.starter.drawing import draw_maps
from engine.starter.materials import sample
from engine.synthesis import targets
from engine.synthesis.cutouts import Cutouts
from engine.synthesis.inputs import Inputs
from engine.synthesis.palette import palette_distance, palette_of
from engine.synthesis.run import synthesize
from engine.synthesis.seeds import streams

SIDE = 128


@pytest.fixture(scope="module")
def pack():
    return packs.load("starter", Compute(torch.device("cpu"), torch.float32))


@pytest.fixture(scope="module")
def moss(pack):
    """A picture (3, H, W) of a material far from bricks."""
    return draw_maps(sample(4, "moss"), pack.channels, SIDE, SIDE)[:3]


def made(pack, *pictures, **changes):
    base = {"prompt": "red bricks", "seed": 7, "variations": 1, "width": SIDE, "height": SIDE, "steps": 6}
    run = synthesize(RunSettings(**{**base, "judge_views": 2, **changes}), pack, Inputs(pictures))
    while True:
        try:
            next(run)
        except StopIteration as end:
            return end.value


@pytest.fixture(scope="module")
def plain(pack):
    return made(pack)


@torch.no_grad()
def views(pack, picture):
    """What the guide sees in a picture (3, H, W), the same cuts every time: unit rows (n, D)."""
    cutouts = Cutouts(size_px=pack.guide.size_px, count=16)
    params = cutouts.draw(streams([0], "test"), (SIDE, SIDE), 0.5)
    return pack.guide.encode_image(cutouts(picture[None], params)[0])


def likeness(pack, result, embedding):
    return float((views(pack, result.maps.basecolor[0]) @ embedding).mean())


def test_a_second_prompt_draws_by_its_weight(pack):
    """From one start, so that it is the guiding that is seen."""
    moss = pack.guide.encode_text(["moss"])[0]
    start = {"start": "codes"}
    found = [
        likeness(pack, made(pack, prompt=prompt, **start), moss)
        for prompt in ("red bricks", "red bricks | moss:0.5", "red bricks | moss:2")
    ]
    assert found[0] < found[1] < found[2]


def test_a_negative_prompt_pushes_away_in_either_spelling(pack, plain):
    red = pack.guide.encode_text(["red bricks"])[0]
    field = made(pack, negative="red bricks", negative_weight=0.8)
    assert likeness(pack, field, red) < likeness(pack, plain, red)
    weight = made(pack, prompt="red bricks | red bricks:-0.8")
    assert torch.equal(field.maps.basecolor, weight.maps.basecolor)


def test_a_prompt_that_is_near_enough_stops(pack):
    """The stop lies beyond everything: nothing pulls, and only what holds the start is left."""
    stopped, unguided = made(pack, prompt="red bricks:1:4.9"), made(pack, steps=0)
    torch.testing.assert_close(stopped.maps.basecolor, unguided.maps.basecolor, rtol=0, atol=1e-4)


def test_a_palette_draws_colours_to_it(pack, plain):
    blue = ("#2f5fa8", "#f2f2f0")
    result = made(pack, palette=blue)
    before, after = (
        palette_distance(r.maps.basecolor, palette_of(blue, r.maps.basecolor)).item() for r in (plain, result)
    )
    assert after < 0.9 * before
    off = made(pack, palette=blue, palette_weight=0.0)
    assert torch.equal(off.maps.basecolor, plain.maps.basecolor)


@pytest.mark.parametrize("aligned", [True, False])
def test_a_picture_prompt_draws_towards_it_and_repels_below_0(pack, moss, aligned):
    start = {"start": "codes"}
    wanted = views(pack, moss)
    found = [
        float(
            (views(pack, made(pack, *pictures, **start, **changes).maps.basecolor[0]) * wanted).sum(1).mean()
        )
        for pictures, changes in [
            ((moss,), {"pictures": (PicturePrompt(path="/m", weight=-1.0, aligned=aligned),)}),
            ((), {}),
            ((moss,), {"pictures": (PicturePrompt(path="/m", weight=1.0, aligned=aligned),)}),
        ]
    ]
    assert found[0] < found[1] < found[2]


def test_a_picture_prompt_chooses_where_a_run_begins(pack, moss):
    """Nothing is guided: what is like the picture is so from the start."""
    asked = {"prompt": "ground", "steps": 0}
    alone, beside = made(pack, **asked), made(pack, moss, **asked, pictures=(PicturePrompt(path="/m"),))
    green = views(pack, moss).mean(0)
    assert likeness(pack, beside, green) > likeness(pack, alone, green) + 0.1


def test_noise_draws_to_its_direction(pack, plain):
    noise = targets.of_noise(3, pack.guide.encode_text(["x"])[0])
    result = made(pack, noise_prompts=(NoisePrompt(seed=3, weight=1.0),))
    assert likeness(pack, result, noise) > likeness(pack, plain, noise)


def test_lettering_is_pushed_away_and_its_absence_from_the_vocabulary_told(pack, plain):
    direction = targets.lettering(pack.guide)
    result = made(pack, anti_lettering=2.0)
    assert likeness(pack, result, direction) < likeness(pack, plain, direction)
    assert any("lettering" in warning for warning in result.warnings)
    assert plain.warnings == []


def test_ranking_subtracts_what_is_avoided(pack, plain):
    """Nothing is guided, so the picture is the same and only the scores move."""
    asked, avoided = (
        made(pack, steps=0, prompt=prompt) for prompt in ("red bricks", "red bricks | brick wall:-0.9")
    )
    assert torch.equal(asked.maps.basecolor, avoided.maps.basecolor)
    assert avoided.judge_scores[0] < asked.judge_scores[0]
    text = targets.of_request(RunSettings(prompt="red bricks", negative="wet", seed=0), pack.judge)
    expected = F.normalize(text.embeddings[0] - 0.5 * text.embeddings[1], dim=0)
    torch.testing.assert_close(text.direction(), expected)
