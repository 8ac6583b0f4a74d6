"""Captions name what is there, and nothing else."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, strategies as st

from engine.starter import captions
from engine.starter.captions import (
    COLOURS,
    FAMILIES,
    canonical,
    caption,
    colour_words,
    grammar,
    lexicon,
    phrases,
)
from engine.starter.materials import REGISTRY, Mixture, sample
from engine.starter.materials.colour import FINE_TERMS
from engine.starter.materials.mixtures import RULES, overlays
from tests.engine.starter.caption_words import (
    drawn,
    draws,
    names_for,
    says,
    seeds,
    spelt,
    without_nouns,
    without_typos,
)


@pytest.fixture
def no_typos(monkeypatch):
    monkeypatch.setattr(grammar, "TYPO_SHARE", 0)


@given(seeds, draws, st.booleans())
def test_any_material_has_a_caption(seed, draw, withheld):
    text = caption(drawn(seed), np.random.default_rng(draw), withheld=withheld)
    assert text == text.strip()
    assert "  " not in text and "{" not in text
    assert 2 < len(text) < 160


@given(seeds, draws)
def test_captions_name_the_material(seed, draw):
    params = drawn(seed)
    text = without_typos(caption, params, np.random.default_rng(draw))
    assert any(says(text, name) for name in names_for(params)), text


@pytest.mark.parametrize("function", [caption, captions.negative])
def test_captions_are_fresh_and_repeatable(function):
    params = sample(3)
    rng = np.random.default_rng(0)
    texts = [function(params, rng) for _ in range(200)]
    assert len(set(texts)) > 60
    assert function(params, np.random.default_rng(7)) == function(params, np.random.default_rng(7))


def test_most_captions_say_the_colour_and_many_are_short():
    rng = np.random.default_rng(1)
    materials = [params for params in map(sample, range(800)) if not params["modifiers"]]
    texts = [(params, caption(params, rng)) for params in materials if not params["mixture"]]
    coloured = np.mean([spelt(params["colour"]) in spelt(text) for params, text in texts])
    short = np.mean([len(text.split()) <= 3 for _, text in texts])
    assert coloured > 0.65
    assert 0.3 < short < 0.7


@given(seeds, draws)
def test_conditions_that_are_named_are_there(seed, draw):
    params = {**drawn(seed), "mixture": None}
    text = without_nouns(params, without_typos(caption, params, np.random.default_rng(draw), withheld=True))
    for name in lexicon.MODIFIER_WORDS.keys() - params["modifiers"].keys():
        others = set().union(
            *(lexicon.MODIFIER_WORDS[k] + lexicon.MODIFIER_PHRASES[k] for k in params["modifiers"])
        )
        for word in set(lexicon.MODIFIER_WORDS[name] + lexicon.MODIFIER_PHRASES[name]):
            assert not says(text, word) or any(word in other for other in others), text


@given(seeds, draws)
def test_colours_that_are_named_are_there(seed, draw):
    """A basic or fine term in a caption is the material's, its joints', or that of what lies on it."""
    params = drawn(seed)
    text = without_nouns(params, without_typos(caption, params, np.random.default_rng(draw)))
    true = {params["colour"], params["joint"]}
    if params["mixture"]:
        true |= {params["mixture"]["overlay"]["colour"]}
        text = re.sub(r"\bgold\b", "", text)
    if "mossy" in params["modifiers"]:
        text = text.replace("green", "")
    synonyms = colour_words.COLOUR_SYNONYMS.get(params["colour"], ())
    for word in sorted(synonyms, key=len, reverse=True):
        text = text.replace(spelt(word), "")
    fine = {word for word, (_, basic) in FINE_TERMS.items() if basic in true}
    rust = {"rust"} & set(text.split()) if "rusty" in params["modifiers"] else set()
    named = {word for word in FINE_TERMS if says(text, word)} - rust
    parts = {part for word in fine for part in word.split()}
    assert named <= fine | parts, text


@given(seeds, draws)
def test_finishes_that_are_named_are_there(seed, draw):
    params = drawn(seed)
    text = without_nouns(params, without_typos(caption, params, np.random.default_rng(draw)))
    for finish in lexicon.FINISH_WORDS.keys() - {params["finish"]}:
        assert not any(says(text, word) for word in lexicon.FINISH_WORDS[finish]), text


def test_degrees_follow_the_strength(no_typos):
    params = sample(0, "cobblestone")
    params["mixture"] = None
    rng = np.random.default_rng(3)
    for strength, absent in (("slightly", "heavily"), ("heavily", "slightly"), ("plain", "slightly")):
        params["modifiers"] = {"mossy": strength}
        texts = " ".join(caption(params, rng) for _ in range(300))
        assert absent not in texts
        assert (strength in texts) == (strength != "plain")


def test_tone_words_are_true(no_typos):
    params = sample(0, "brick_wall")
    for target, expected, wrong in (
        ("1c3f7a", "dark blue", "light blue"),
        ("8fb4e6", "light blue", "dark blue"),
        ("1f5fd0", "vivid blue", "muted blue"),
        ("566c86", "muted blue", "vivid blue"),
    ):
        params.update(palette="any", target=target, colour="blue", modifiers={}, mixture=None)
        rng = np.random.default_rng(4)
        texts = " ".join(caption(params, rng) for _ in range(900))
        assert expected in texts
        assert wrong not in texts


def test_nouns_that_belong_to_a_colour_stay_with_it():
    params = {**sample(0, "forest_leaves"), "modifiers": {}, "mixture": None}
    assert "autumn leaves" in grammar.nouns_for({**params, "colour": "red"})
    assert "autumn leaves" not in grammar.nouns_for({**params, "colour": "green"})
    marble = sample(0, "marble")
    assert "polished marble" in grammar.nouns_for({**marble, "finish": None})
    assert "polished marble" not in grammar.nouns_for({**marble, "finish": "matte"})


def test_canonical_names():
    params = {**sample(0, "cobblestone"), "colour": "grey", "modifiers": {"mossy": "plain"}, "mixture": None}
    assert canonical(params) == "mossy grey cobblestones"
    params["modifiers"] = {}
    assert canonical(params) == "grey cobblestones"
    params["mixture"] = Mixture(overlay=sample(1, "grass"), place="between", share=0.2)
    assert canonical(params) == "grey cobblestones with grass"


def test_equal_meaning_has_an_equal_name():
    params = {**sample(0, "cobblestone"), "mixture": None}
    one = {**params, "modifiers": {"wet": "plain", "mossy": "slightly"}}
    other = {**params, "seed": 9, "scale": "fine", "modifiers": {"mossy": "plain", "wet": "heavily"}}
    assert canonical(one) == canonical(other)


def test_gold_in_marble_is_a_vein_and_in_tiles_a_joint():
    gold = Mixture(overlay=sample(1, "gold_leaf"), place="between", share=0.1)
    marble = {**sample(0, "marble"), "colour": "white", "modifiers": {}, "mixture": gold}
    assert canonical(marble) == "white marble with gold veins"
    tiles = {**sample(0, "square_tiles"), "colour": "blue", "modifiers": {}, "mixture": gold}
    assert canonical(tiles) == "blue tiles with gold joints"


def mixed(family, name, rule):
    overlay = sample(1, name)
    mixture = Mixture(overlay={**overlay, "modifiers": {}, "mixture": None}, place=rule.place, share=0.3)
    return {**sample(0, family), "modifiers": {}, "mixture": mixture}


@pytest.mark.parametrize("family", sorted({f for rules in RULES.values() for r in rules for f in r.families}))
def test_four_captions_in_five_name_what_is_mixed_in(family, no_typos):
    for name, rule in overlays(family):
        rng = np.random.default_rng(6)
        roots = {"forest_leaves": ("lea",), "pebbles": ("pebble", "gravel"), "sand_ripples": ("sand",)}
        roots |= {"lava": ("lava", "magma"), "gold_leaf": ("gold", "kintsugi")}
        params = mixed(family, name, rule)
        texts = [caption(params, rng) for _ in range(200)]
        nouns = names_for(params)
        rests = [re.sub("|".join(sorted(nouns, key=len, reverse=True)), "", text) for text in texts]
        assert 0.65 < np.mean([any(r in t for r in roots.get(name, (name,))) for t in rests]) < 0.95


@pytest.mark.parametrize("family", [n for n in FAMILIES if REGISTRY[n].layouts or REGISTRY[n].joint])
def test_layouts_and_joints_are_named_and_only_the_right_ones(family, no_typos):
    rng = np.random.default_rng(8)
    entry = REGISTRY[family]
    for layout in set(entry.layouts) or {None}:
        params = {**sample(0, family), "layout": layout, "joint": "red", "modifiers": {}, "mixture": None}
        texts = [caption(params, rng) for _ in range(300)]
        own = {*phrases.LAYOUT_WORDS.get(layout, ()), *phrases.LAYOUT_PHRASES.get(layout, ())}
        assert any(says(text, phrase) for text in texts for phrase in own) == bool(layout)
        for other in set(entry.layouts) - {layout}:
            assert not any(says(t, phrase) for t in texts for phrase in phrases.LAYOUT_PHRASES[other])
        if entry.joint:
            assert any(f"red {entry.joint}" in text for text in texts)


@given(seeds)
def test_sampled_parameters_hang_together(seed):
    params = sample(seed)
    entry = REGISTRY[params["family"]]
    assert params["colour"] in COLOURS
    assert (params["target"] is None) == (params["palette"] in entry.palettes)
    assert set(params["modifiers"]) <= set(entry.modifiers)
    assert params == sample(seed)
