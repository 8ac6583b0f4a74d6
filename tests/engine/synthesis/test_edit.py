"""Spots, overlays and decals."""

from __future__ import annotations

import pytest
import torch

from engine.models.vqgan import TORUS
from engine.settings import RunSettings
from engine.synthesis.cutouts import Cutouts
from engine.synthesis.decal import decal_alpha
from engine.synthesis.edits import NO_EDITS, Edits
from engine.synthesis.run import synthesize
from engine.synthesis.seeds import streams
from engine.synthesis.spots import Spots


def settings(**changes):
    base = {"prompt": "red bricks", "seed": 5, "variations": 2, "width": 128, "height": 128, "steps": 2}
    base |= {"cutouts": 2, "judge_views": 2, "lr": 0.2, "keep": 0.0, "coherence": 0.0}
    return RunSettings(**{**base, **changes})


def made(pack, edits=NO_EDITS, **changes):
    run = synthesize(settings(**changes), pack, edits=edits)
    while True:
        try:
            next(run)
        except StopIteration as end:
            return end.value


def half(side=128):
    """White below."""
    mask = torch.zeros(1, side, side)
    mask[:, side // 2 :] = 1
    return mask


def spot(prompt="green moss", weight=1.0):
    return {"prompt": prompt, "mask": "/spot.png", "weight": weight}


# --- Spots ---------------------------------------------------------------------------------------


def test_each_part_learns_from_its_own_words_alone(tiny_pack):
    s, edits = settings(spots=[spot()]), Edits(spots=(half(),))
    spots = Spots.of(s, edits, tiny_pack, TORUS)
    x = torch.rand(1, 3, 128, 128, requires_grad=True)
    cutouts = Cutouts(size_px=32, count=8)
    params = cutouts.draw(streams([5], "cutouts"), (128, 128), 0.0)
    (inside,) = torch.autograd.grad(spots.loss(x, cutouts, params).sum(), x)
    assert inside[..., 80:112, :].abs().max() > 0
    assert inside[..., 16:48, :].abs().max() == 0
    (outside,) = torch.autograd.grad(cutouts(spots.elsewhere(x), params).sum(), x)
    assert outside[..., 80:112, :].abs().max() == 0
    assert outside[..., 16:48, :].abs().max() > 0


def test_a_spot_draws_near_and_a_negative_one_away(tiny_pack):
    edits = Edits(spots=(half(),))
    cutouts = Cutouts(size_px=32, count=16, strength=0)
    params = cutouts.draw(streams([1, 2], "test"), (128, 128), 0.5)
    measure = Spots.of(settings(spots=[spot()]), edits, tiny_pack, TORUS)

    def distance(weight):
        asked = {"spots": [spot(weight=weight)], "start": "codes", "steps": 25, "cutouts": 4, "lr": 0.1}
        picture = made(tiny_pack, edits, **asked).maps.basecolor
        return measure.loss(picture, cutouts, params).mean()

    assert distance(5.0) < distance(-5.0)


def test_a_spot_begins_as_its_own_prompt_would(tiny_pack):
    plain, spotted = (
        made(tiny_pack, steps=0),
        made(tiny_pack, Edits(spots=(half(),)), steps=0, spots=[spot()]),
    )
    top, below = (slice(16, 48), slice(80, 112))
    before, after = plain.maps.basecolor, spotted.maps.basecolor
    torch.testing.assert_close(after[..., top, :], before[..., top, :], rtol=0, atol=1e-6)
    assert not torch.allclose(after[..., below, :], before[..., below, :], atol=0.01)
    assert all(" + exemplar " in origin for origin in spotted.origins)


# --- Overlays ------------------------------------------------------------------------------------


def overlay():
    """Red, opaque in the top left quarter alone."""
    x = torch.zeros(4, 128, 128)
    x[0] = 1
    x[3, :64, :64] = 1
    return x


def test_an_overlay_changes_what_it_covers(tiny_pack):
    plain, over = (made(tiny_pack, e, steps=0).maps.basecolor for e in (NO_EDITS, Edits(overlay=overlay())))
    torch.testing.assert_close(over[..., 80:112, 80:112], plain[..., 80:112, 80:112], rtol=0, atol=0.2)
    assert (over[..., :48, :48] - plain[..., :48, :48]).abs().mean() > 0.02


def test_an_overlay_comes_back_at_its_interval(tiny_pack):
    often, once = (
        made(tiny_pack, Edits(overlay=overlay()), steps=6, overlay_every=every).maps.basecolor
        for every in (1, 5000)
    )
    begun = made(tiny_pack, Edits(overlay=overlay()), steps=0).maps.basecolor
    part = (..., slice(8, 48), slice(8, 48))
    assert (often[part] - begun[part]).abs().mean() < (once[part] - begun[part]).abs().mean()


# --- Decals --------------------------------------------------------------------------------------


def test_only_decals_have_alpha(tiny_pack):
    assert made(tiny_pack).alpha is None
    assert made(tiny_pack, decal=0.4).alpha.shape == (2, 1, 128, 128)


@pytest.mark.parametrize("share", [0.1, 0.4, 1.0])
def test_a_decal_covers_its_share_and_ends_before_the_border(tiny_pack, share):
    maps = made(tiny_pack, steps=0).maps
    alpha = decal_alpha(settings(decal=share), [5, 6], maps, None)
    assert alpha.min() == 0 and alpha.max() == 1
    assert (alpha.mean((1, 2, 3)) - min(share, 0.84**2)).abs().max() < 0.05
    for border in (alpha[..., 0, :], alpha[..., -1, :], alpha[..., 0], alpha[..., -1]):
        assert border.max() == 0
    assert torch.equal(alpha[0], alpha[1]) == (share == 1), (
        "an outline of its own, where there is room for one"
    )


def test_an_outline_of_ones_own_is_taken_as_it_is(tiny_pack):
    result = made(tiny_pack, Edits(alpha=half()), steps=0)
    assert torch.equal(result.alpha, half()[None].expand(2, -1, -1, -1))
