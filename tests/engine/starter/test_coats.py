"""Coats lie on anything solid, grow with their amount, stay periodic, and leave training alone."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from engine.starter.captions import canonical
from engine.starter.materials import COATS, MODIFIERS, REGISTRY, another, render, sample, with_coats
from engine.starter.materials.coats import Overlay, may_lie, most

MAPS = ("basecolor", "height", "roughness", "metallic", "emission")


def bare(family="brick_wall"):
    return {**sample(21, family), "modifiers": {}, "mixture": None}


def coat(name, amount, colour=None, place=None):
    return {"name": name, "amount": amount, "colour": colour, "place": place}


def drawn(name, amount, family="brick_wall", **more):
    return render(with_coats(bare(family), [coat(name, amount, **more)]), 64)


@pytest.mark.parametrize("name", COATS)
def test_there_is_more_of_it_where_more_is_wanted(name):
    """Paint covers all from the start and only loses its gaps."""
    family = "scratched_metal" if name == "rusty" else "brick_wall"
    before = render(bare(family), 64).basecolor
    amounts = (0.05, 0.3, 0.65, most(name))
    changes = [np.abs(drawn(name, a, family).basecolor - before).mean() for a in amounts]
    assert changes[0] > 0 and all(a < b for a, b in itertools.pairwise(changes)), changes


@pytest.mark.parametrize("name", COATS)
def test_it_rolls_with_the_picture(name):
    params = with_coats(bare(), [coat(name, 0.8)])
    here, there = render(params, 64), render(params, 64, shift=(13, 50))
    for layer in MAPS:
        picture = getattr(here, layer)
        assert picture.min() >= 0 and picture.max() <= 1 and picture.dtype == np.float32
        difference = np.abs(np.roll(picture, (13, 50), (0, 1)) - getattr(there, layer))
        assert np.quantile(difference, 0.99) < 1 / 255, layer


def test_what_lies_on_it_leaves_its_layout():
    """The same bricks, where no snow lies."""
    plain, snowed = render(bare(), 128).basecolor, drawn("snowy", 0.3).basecolor
    assert (np.abs(plain[::2, ::2] - snowed).max(-1) < 0.08).mean() > 0.5


def test_every_solid_family_may_have_snow_and_none_may_lie_on_itself():
    solid = {n for n, e in REGISTRY.items() if e.group not in ("fluid", "sky")} - {"snow"}
    assert {n for n in REGISTRY if may_lie("snowy", n)} == solid
    for name, kind in COATS.items():
        if isinstance(kind, Overlay):
            assert not may_lie(name, kind.family)
    assert with_coats(bare("water"), [coat("leaves", 1.0)]) == bare("water")


def test_paint_and_leaves_have_the_colour_that_is_asked_for():
    blue = drawn("painted", 1.0, colour="blue").basecolor.mean((0, 1))
    assert blue[2] > blue[0] + 0.2
    red, yellow = (drawn("leaves", 1.0, colour=c).basecolor.mean((0, 1)) for c in ("red", "yellow"))
    assert yellow[1] > red[1] + 0.05


def test_gold_is_metal_and_paint_on_metal_is_none():
    assert drawn("gilded", 1.0).metallic.mean() > 0.9
    assert drawn("painted", 1.0, "brushed_metal").metallic.mean() < 0.1


def test_a_coat_replaces_a_condition_and_is_kept_by_another_draw():
    mossy = {**bare(), "modifiers": {"mossy": "heavily", "wet": "plain"}}
    coated = with_coats(mossy, [coat("mossy", 0.2)])
    assert coated["modifiers"] == {"wet": "plain"}
    assert another(coated, 5)["coats"] == coated["coats"]
    assert canonical(coated).startswith("mossy wet ")
    assert canonical(with_coats(bare(), [coat("leaves", 0.2)])).endswith("bricks with fallen leaves")


def test_training_draws_none():
    """Its captions and materials are those that the shipped networks learned from."""
    assert not any("coats" in sample(seed) for seed in range(300))
    assert len(MODIFIERS) == 12
