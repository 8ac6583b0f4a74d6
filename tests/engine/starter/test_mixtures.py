"""Two materials on one surface: they tile, cover what they should, and change one thing at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from engine.starter.materials import FAMILIES, REGISTRY, Params, render, sample, sibling, with_overlay
from engine.starter.materials.mixtures import PLACES, RULES
from engine.starter.materials.registry import SCALES, STRENGTHS

PAIRS = [(overlay, rule, rule.families[0]) for overlay, rules in RULES.items() for rule in rules]
MAPS = ("basecolor", "height", "roughness", "metallic", "emission")


def plain(family, seed=3) -> Params:
    return {**sample(seed, family), "modifiers": {}, "mixture": None}


def test_rules_name_what_there_is():
    for overlay, rules in RULES.items():
        assert overlay in REGISTRY
        for rule in rules:
            assert set(rule.families) <= set(FAMILIES) - {overlay}
            assert rule.place in PLACES and 0 < rule.share[0] < rule.share[1] < 1


@pytest.mark.parametrize(("overlay", "rule", "family"), PAIRS)
def test_a_mixture_rolls_as_a_whole(overlay, rule, family):
    params = with_overlay(plain(family), overlay)
    here, there = render(params, 64), render(params, 64, shift=(9, 41))
    for name in MAPS:
        difference = np.abs(np.roll(getattr(here, name), (9, 41), (0, 1)) - getattr(there, name))
        assert np.quantile(difference, 0.99) < 1 / 255, name


@pytest.mark.parametrize(("overlay", "rule", "family"), PAIRS)
def test_about_the_wanted_share_is_covered(overlay, rule, family):
    params = with_overlay(plain(family), overlay)
    assert params["mixture"]["place"] == rule.place
    assert rule.share[0] <= params["mixture"]["share"] <= rule.share[1]
    alone, mixed = render({**params, "mixture": None}, 128), render(params, 128)
    changed = np.abs(mixed.basecolor - alone.basecolor).max(-1) > 0.02
    assert 0.5 * rule.share[0] < changed.mean() < rule.share[1] + 0.25


def test_what_fills_joints_lies_low():
    params = with_overlay(plain("cobblestone"), "grass")
    stones = render({**params, "mixture": None}, 128)
    grown = np.abs(render(params, 128).basecolor - stones.basecolor).max(-1) > 0.1
    assert stones.height[grown].mean() < stones.height[~grown].mean() - 0.2


def test_only_lava_glows():
    lava = render(plain("lava"), 64).emission
    between = render(with_overlay(plain("cobblestone"), "lava"), 64).emission
    assert lava.max() > 0.9 and 0.05 < (lava > 0.5).mean() < 0.7
    assert between.max() > 0.9 and (between > 0.5).mean() < 0.35
    for family in FAMILIES:
        if family != "lava":
            assert not render(plain(family), 16).emission.any(), family


def test_what_does_not_mix_is_refused():
    with pytest.raises(ValueError, match="gold_leaf is not mixed into velvet"):
        with_overlay(plain("velvet"), "gold_leaf")


@given(st.integers(0, 10**6))
@settings(max_examples=200)
def test_a_sibling_differs_in_one_thing(seed):
    first = sample(seed)
    other = sibling(first, seed + 1)
    kept = {"family", "seed", "relief", "layout", "joint"}
    assert all(first[key] == other[key] for key in kept)
    changes = [
        (first["palette"], first["target"]) != (other["palette"], other["target"]),
        first["scale"] != other["scale"],
        first["finish"] != other["finish"],
        first["mixture"] != other["mixture"],
        first["modifiers"] != other["modifiers"],
    ]
    assert sum(changes) <= 1  # another colour may by chance be the same one
    assert len(first["modifiers"].keys() ^ other["modifiers"].keys()) <= 1
    assert other["scale"] in SCALES and set(other["modifiers"].values()) <= set(STRENGTHS)


def test_samples_follow_the_policy():
    drawn = [sample(seed) for seed in range(2000)]
    assert 0.06 < np.mean([p["mixture"] is not None for p in drawn]) < 0.16
    assert not any(p["mixture"] and p["modifiers"] for p in drawn)
    conditions = np.bincount([len(p["modifiers"]) for p in drawn], minlength=3) / len(drawn)
    assert len(conditions) == 3 and conditions[1] > conditions[2] > 0.05
    bricks = np.mean([p["family"] == "brick_wall" for p in drawn])
    clouds = np.mean([p["family"] == "clouds" for p in drawn])
    assert bricks > clouds
