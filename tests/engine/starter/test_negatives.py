"""Wrong captions: wrong in one thing, and never true."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from engine.starter import captions
from engine.starter.captions import colour_words, grammar, lexicon, negatives
from engine.starter.materials import sample
from tests.engine.starter.caption_words import (
    drawn,
    draws,
    names_for,
    says,
    seeds,
    without_nouns,
    without_typos,
)

FACTORS = tuple(negatives.OPTIONS)


@given(seeds, draws, st.sampled_from(FACTORS))
def test_one_factor_changes_one_factor(seed, draw, what):
    params = drawn(seed)
    if what not in captions.factors(params):
        with pytest.raises(ValueError, match="no other"):
            captions.one_factor(params, np.random.default_rng(draw), what)
        return
    other = captions.one_factor(params, np.random.default_rng(draw), what)
    changed = {key for key in params if params[key] != other[key]}
    field = {"material": "family", "condition": "modifiers", "roles": "joint"}.get(what, what)
    assert field in changed
    allowed = {"colour": {"palette", "target"}, "roles": {"palette", "target", "colour"}}
    follows = {"material": {"palette", "target", "layout", "joint", "finish", "mixture"}}
    assert changed - {field} <= allowed.get(what, set()) | follows.get(what, set())


@given(seeds, draws)
def test_every_material_has_a_negative_that_is_never_true(seed, draw):
    """No neighbouring colour, no noun that two families share; and what is wrong is said."""
    params, rng = drawn(seed), np.random.default_rng(draw)
    for what in captions.factors(params):
        other = captions.one_factor(params, rng, what)
        text = without_typos(grammar.compose, other, rng, grammar.Wish("joint" if what == "roles" else what))
        if what == "colour":
            assert not colour_words.are_neighbours(params["colour"], other["colour"])
            assert not says(without_nouns(other, text), params["colour"]) or params["colour"] in (
                other["joint"],
                (other["mixture"] or {"overlay": {"colour": ""}})["overlay"]["colour"],
            )
        if what == "material":
            assert any(says(text, noun) for noun in set(names_for(other)) - lexicon.GENERIC_NOUNS), text
        if what == "scale":
            words = {word for word in lexicon.SCALE_WORDS[other["scale"]] if word} | {other["scale"]}
            assert any(says(text, word) for word in words), text
        if what == "finish":
            assert any(says(text, word) for word in lexicon.FINISH_WORDS[other["finish"]]), text
        if what == "joint":
            assert other["joint"] in text


def test_a_condition_is_dropped_swapped_and_added():
    params = {**sample(0, "cobblestone"), "mixture": None, "modifiers": {"mossy": "plain"}}
    rng = np.random.default_rng(2)
    found = {tuple(captions.one_factor(params, rng, "condition")["modifiers"]) for _ in range(80)}
    assert found == {(), ("wet",), ("cracked",)}, "dust is no opposite of moss: both soil"
    clean = {**params, "modifiers": {}}
    found = {tuple(captions.one_factor(clean, rng, "condition")["modifiers"]) for _ in range(80)}
    assert found == {("mossy",), ("wet",), ("dusty",), ("cracked",)}


def test_roles_are_swapped():
    params = {
        **sample(0, "square_tiles"),
        "colour": "red",
        "joint": "white",
        "modifiers": {},
        "mixture": None,
    }
    params.update(palette="any", target="b3202e")
    other = captions.one_factor(params, np.random.default_rng(0), "roles")
    assert (other["colour"], other["joint"]) == ("white", "red")


def test_what_has_no_kin_still_has_a_wrong_caption():
    """Green pool water: few of its kind, none of them green."""
    params = sample(0, "caustics") | {"palette": "green", "target": None, "colour": "green", "modifiers": {}}
    assert captions.negative(params, np.random.default_rng(0))
