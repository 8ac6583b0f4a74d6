"""Guidance under light: the share of the views, gradients to every map, a light a variation."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from engine.synthesis.lit import Lit

MAPS = ("red", "green", "blue", "height", "roughness", "metallic", "emission", "relief")
WRAP = (True, True)


def of(share=0.5, channels=MAPS, seeds=(5, 6), relief=None):
    return Lit.of(share, relief, SimpleNamespace(channels=channels), list(seeds), WRAP)


def decoded(n=2):
    return torch.rand(n, 8, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("share", "count"), [(0.25, 2), (0.5, 4), (1.0, 8), (0.1, 0)])
def test_the_share_of_the_views_is_lit_and_spread_over_them(share, count):
    plain, lit = torch.zeros(1, 8, 3, 2, 2), torch.ones(1, 8, 3, 2, 2)
    shown = of(share).mixed(plain, lit)[0, :, 0, 0, 0]
    assert shown.sum() == count
    assert shown[:4].sum() == shown[4:].sum(), "overviews come first and inner cuts last: light is for both"


def test_a_pack_without_maps_and_a_share_of_0_have_no_light():
    assert of(0.0) is None
    assert of(channels=("red", "green", "blue")) is None


def test_gradients_reach_every_map_but_not_beyond():
    x = decoded().requires_grad_()
    of().picture(x, x[:, :3]).sum().backward()
    assert x.grad.isfinite().all()
    assert (x.grad.abs().amax((0, 2, 3)) > 0).all()


def test_a_run_sets_the_relief_of_what_is_lit():
    x = decoded()
    flat, deep = (of(relief=r).picture(x, x[:, :3]) for r in (1e-6, 0.3))
    assert flat.isfinite().all()
    assert (deep - flat).abs().mean() > 0.01


def test_a_variation_has_its_own_lights_and_others_at_the_next_step():
    x = decoded(1).expand(2, -1, -1, -1)
    light = of()
    first, second = light.picture(x, x[:, :3]), light.picture(x, x[:, :3])
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(first[0], second[0])
    alone = of(seeds=(6,)).picture(x[:1], x[:1, :3])
    torch.testing.assert_close(first[1], alone[0])
