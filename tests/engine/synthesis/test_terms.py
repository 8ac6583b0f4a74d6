"""Terms: each lowers its own measure in a real run, wraps with the picture, and is off unless asked for."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.models.vqgan import PLANE, TORUS
from engine.settings import RunSettings
from engine.synthesis.run import synthesize
from engine.synthesis.terms import TERMS, weighted

WEIGHTS = dict.fromkeys(TERMS, 300.0)


def settings(**changes):
    base = {"prompt": "red bricks", "seed": 5, "variations": 1, "width": 128, "height": 128, "start": "codes"}
    base |= {"steps": 12, "lr": 0.2, "cutouts": 1, "judge_views": 1, "keep": 0.0, "coherence": 0.0}
    return RunSettings(**{**base, **changes})


def made(pack, **changes) -> Tensor:
    run = synthesize(settings(**changes), pack)
    while True:
        try:
            next(run)
        except StopIteration as end:
            return end.value.maps.basecolor


@pytest.fixture(scope="module")
def plain(tiny_pack):
    return made(tiny_pack)


@pytest.mark.parametrize("name", TERMS)
def test_a_term_lowers_its_own_measure(tiny_pack, plain, name):
    wished = made(tiny_pack, **{name: WEIGHTS[name]})
    assert TERMS[name](wished, TORUS) < TERMS[name](plain, TORUS)


def test_saturation_works_both_ways(tiny_pack, plain):
    greyer = made(tiny_pack, saturation=-300.0)
    assert TERMS["saturation"](greyer, TORUS) > TERMS["saturation"](plain, TORUS)


def test_terms_are_off_unless_a_setting_says_so():
    assert weighted(settings()) == []
    assert weighted(settings(edges=2.0, saturation=-1.0)) == [
        (-1.0, TERMS["saturation"]),
        (2.0, TERMS["edges"]),
    ]
    assert all(RunSettings.model_fields[name].default == 0 for name in TERMS)


def stripes(columns, side=32):
    """(1, 3, side, side): white columns on black."""
    x = torch.zeros(1, 3, side, side)
    x[..., columns] = 1
    return x


def test_what_is_perfect_measures_nothing():
    flat = torch.full((2, 3, 32, 32), 0.4)
    for name in ("symmetry_x", "symmetry_y", "smoothness", "flat_lighting", "margin"):
        assert TERMS[name](flat, TORUS).abs().max() < 1e-9, name
    assert TERMS["saturation"](flat, TORUS) == pytest.approx(torch.zeros(2), abs=1e-3)
    mirrored = stripes([3, 28])
    assert TERMS["symmetry_x"](mirrored, TORUS) == 0
    assert TERMS["symmetry_x"](stripes([3]), TORUS) > 0 == TERMS["symmetry_y"](stripes([3]), TORUS)


def test_steps_across_a_border_count_where_it_closes():
    """A white column at the border has two edges on the torus, and one on the plane."""
    border, middle = stripes([0]), stripes([16])
    smoothness, edges = TERMS["smoothness"], TERMS["edges"]
    torch.testing.assert_close(smoothness(border, TORUS), smoothness(middle, TORUS))
    assert smoothness(border, PLANE) < 0.6 * smoothness(middle, PLANE)
    torch.testing.assert_close(edges(border, TORUS), edges(middle, TORUS))
    assert edges(border, PLANE) > edges(border, TORUS)


def test_terms_do_not_change_when_a_torus_is_rolled():
    x = torch.rand(1, 3, 32, 48, generator=torch.Generator().manual_seed(1))
    for name in ("saturation", "smoothness", "flat_lighting", "edges"):
        rolled = TERMS[name](x.roll((5, 11), (-2, -1)), TORUS)
        torch.testing.assert_close(rolled, TERMS[name](x, TORUS), rtol=1e-4, atol=1e-6)


def test_colourful_edged_and_evenly_lit_are_told_from_grey_soft_and_shaded():
    red, grey = torch.zeros(1, 3, 32, 32), torch.full((1, 3, 32, 32), 0.5)
    red[:, 0, :, ::2] = 1
    assert TERMS["saturation"](red, TORUS) < TERMS["saturation"](grey, TORUS) - 0.3
    assert TERMS["edges"](stripes(slice(0, 16)), TORUS) < TERMS["edges"](grey, TORUS) - 0.01
    slow, fast = stripes(slice(0, 16)), stripes(slice(0, 32, 2))
    assert TERMS["flat_lighting"](slow, TORUS) > 100 * TERMS["flat_lighting"](fast, TORUS)
    ringed = torch.full((1, 3, 32, 32), 0.2)
    ringed[..., 8:24, 8:24] = torch.rand(1, 3, 16, 16)
    assert TERMS["margin"](ringed, TORUS) < 1e-12 < TERMS["margin"](stripes([1]), TORUS)
