"""Words for every family, layout and place, and none for two."""

from __future__ import annotations

from engine.starter.captions import FAMILIES, lexicon, negatives, phrases
from engine.starter.materials import REGISTRY
from engine.starter.materials.mixtures import RULES


def test_every_layout_and_place_has_words():
    layouts = {layout for entry in REGISTRY.values() for layout in entry.layouts}
    assert layouts == set(phrases.LAYOUT_PHRASES)
    for name, rules in RULES.items():
        for rule in rules:
            assert name in (phrases.BETWEEN if rule.place == "between" else phrases.ON_TOP)
            assert name in negatives.LIKE_OVERLAY
    assert set(lexicon.TEXTURE_WORDS) | set(lexicon.PLACE_NOUNS) | set(negatives.PATTERN_COLOURS) <= set(
        FAMILIES
    )


def test_special_nouns_belong_to_palettes_that_there_are():
    for family, palette in lexicon.PALETTE_NOUNS:
        assert palette in REGISTRY[family].palettes, (family, palette)


def test_no_noun_names_two_families():
    owners = [(noun, name) for name, entry in REGISTRY.items() for noun in set(entry.nouns)]
    owners += [(noun, name) for (name, _), nouns in lexicon.PALETTE_NOUNS.items() for noun in nouns]
    owners += [(noun, name) for name, nouns in lexicon.PLACE_NOUNS.items() for noun in nouns]
    families = {noun: {name for other, name in owners if other == noun} for noun, _ in owners}
    assert {noun: names for noun, names in families.items() if len(names) > 1} == {}


def test_every_family_has_nouns_enough():
    assert {name for name, entry in REGISTRY.items() if len(set(entry.nouns)) < 5} == set()
