"""The contact sheet that README shows: nothing that there is may be missing on it."""

from __future__ import annotations

from engine.starter.materials import FAMILIES, MODIFIERS, REGISTRY, STRENGTHS
from engine.starter.materials.__main__ import once
from engine.starter.materials.mixtures import RULES


def test_every_family_modifier_and_mixture_is_on_the_sheet():
    shown = [params for _, params in once(0)]
    plain = [p["family"] for p in shown if not p["modifiers"] and p["mixture"] is None]
    assert plain == list(FAMILIES)
    assert {tuple(p["modifiers"].items()) for p in shown if p["modifiers"]} == {
        ((modifier, strength),) for modifier in MODIFIERS for strength in STRENGTHS
    }
    mixed = [(p["mixture"]["overlay"]["family"], p["mixture"]["place"]) for p in shown if p["mixture"]]
    assert mixed == [(overlay, rule.place) for overlay, rules in RULES.items() for rule in rules]
    assert all(p["target"] is None for p in shown), "natural colours only"
    assert all(set(p["modifiers"]) <= set(REGISTRY[p["family"]].modifiers) for p in shown)
