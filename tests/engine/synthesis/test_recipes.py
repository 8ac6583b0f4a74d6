"""What is remembered, in the colour and the condition that a prompt asks for."""

from __future__ import annotations

import pytest
import torch

from engine.compute import Compute
from engine.models import packs
from engine.starter.captions import canonical
from engine.starter.materials import REGISTRY, another, in_colour, nearest_term, sample
from engine.starter.materials.colour import from_hex
from engine.synthesis.recipes import as_asked, called, relatives


@pytest.fixture(scope="module")
def guide():
    return packs.load_guide("starter", Compute(torch.device("cpu"), torch.float32))


def plain(family, **changes):
    entry = REGISTRY[family]
    natural = next(iter(entry.palettes))
    own = {"palette": natural, "target": None, "colour": entry.palettes[natural].colour}
    return {**sample(4, family), "modifiers": {}, "mixture": None, **own, **changes}


def asked(recipe, prompt, guide):
    return as_asked(recipe, guide.encode_text([prompt])[0], guide)


@pytest.mark.parametrize(
    ("family", "prompt", "colour"),
    [
        ("leather", "teal leather", "teal"),
        ("leather", "a texture of purple leather", "purple"),
        ("wood_planks", "green wood planks", "green"),
        ("brick_wall", "yellow bricks", "yellow"),
    ],
)
def test_it_has_the_colour_that_is_asked_for(guide, family, prompt, colour):
    found = asked(plain(family), prompt, guide)
    assert (found["family"], found["colour"]) == (family, colour)
    assert nearest_term(from_hex(found["target"])) == colour


@pytest.mark.parametrize(
    ("family", "prompt"),
    [
        ("leather", "old leather"),
        ("wood_planks", "wood planks"),
        ("zebra", "zebra fur"),
        ("lava", "red lava"),
    ],
)
def test_where_no_colour_is_asked_for_or_none_can_be_had_it_keeps_its_own(guide, family, prompt):
    recipe = plain(family)
    assert asked(recipe, prompt, guide) == recipe


def test_conditions_that_nobody_asked_for_are_left_out(guide):
    wet = plain("denim_twill", modifiers={"wet": "medium"})
    assert asked(wet, "blue denim", guide)["modifiers"] == {}
    assert asked(wet, "wet blue denim", guide)["modifiers"] == wet["modifiers"]


def test_a_relative_is_found_again_by_its_name():
    recipe = plain("leather", modifiers={"wet": "medium", "worn": "strong"})
    names = [canonical(p) for p in relatives(recipe)]
    assert len(names) == len(set(names)), "names tell relatives apart"
    for name, relative in zip(names, relatives(recipe), strict=True):
        assert called(recipe, name) == relative
    assert called(recipe, "green cheese") is None


def test_variations_have_shades_of_their_own():
    shades = {in_colour(another(plain("leather"), seed), "teal")["target"] for seed in range(6)}
    assert len(shades) > 3
