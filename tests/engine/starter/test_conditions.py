"""Conditions laid over a material: each grows with its strength, and stays exactly periodic."""

from __future__ import annotations

import numpy as np
import pytest

from engine.starter.materials import MODIFIERS, STRENGTHS, render, sample
from engine.starter.materials.conditions import CONDITIONS

BASES = {"brick_wall": "red", "wood_planks": "brown", "brushed_metal": "steel"}
MAPS = ("basecolor", "height", "roughness", "metallic")


@pytest.fixture
def known(monkeypatch):
    for name, condition in CONDITIONS.items():
        monkeypatch.setitem(MODIFIERS, name, condition)


def bare(family):
    params = sample(21, family)
    params.update(modifiers={}, target=None, palette=BASES[family], scale="medium")
    return params


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("family", BASES)
@pytest.mark.parametrize("name", CONDITIONS)
def test_conditions_grow_with_their_strength(name, family):
    params = bare(family)
    before = render(params, 64).basecolor
    changes = []
    for strength in STRENGTHS:
        params["modifiers"] = {name: strength}
        changes.append(np.abs(render(params, 64).basecolor - before).mean())
    assert 0.005 < changes[0] < changes[1] < changes[2]


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("name", CONDITIONS)
def test_conditions_roll_with_the_picture(name):
    params = bare("brick_wall")
    params["modifiers"] = {name: "heavily"}
    here, there = render(params, 64), render(params, 64, shift=(13, 50))
    for layer in MAPS:
        picture = getattr(here, layer)
        assert picture.dtype == np.float32
        assert picture.min() >= 0 and picture.max() <= 1
        difference = np.abs(np.roll(picture, (13, 50), (0, 1)) - getattr(there, layer))
        assert np.quantile(difference, 0.995) < 2e-3, layer
