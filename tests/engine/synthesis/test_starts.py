"""Beginnings: noise, gradients, pictures with strength, stored results at one size or two."""

from __future__ import annotations

import pytest
import torch

from engine.material.from_picture import maps_from_picture
from engine.material.maps import DecodedMaps, luminance
from engine.material.seams import SEAMLESS, s99
from engine.models.vqgan import PLANE, TORUS
from engine.settings import RunSettings
from engine.starter.drawing import draw_maps
from engine.starter.materials import another
from engine.synthesis.base import NAMES, base_maps, channels_of, periodic
from engine.synthesis.decode import maps_of
from engine.synthesis.edits import NO_EDITS, Edits, Stored
from engine.synthesis.propose import live_codes
from engine.synthesis.run import synthesize
from engine.synthesis.starts import DRAWN, begin


def settings(**changes):
    base = {"prompt": "red bricks", "seed": 5, "variations": 2, "width": 128, "height": 128, "steps": 2}
    return RunSettings(**{**base, "cutouts": 2, "judge_views": 2, "lr": 0.2, **changes})


def finish(run):
    while True:
        try:
            next(run)
        except StopIteration as end:
            return end.value


def beginning(pack, edits=NO_EDITS, **changes):
    text = pack.guide.encode_text(["red bricks"])[0]
    return finish(begin(settings(**changes), pack, [5, 6], TORUS, text, edits))


def made(pack, edits, **changes):
    return finish(synthesize(settings(**changes), pack, edits=edits)).maps


def smooth_picture(side=128):
    """(3, side, side), waves on slopes, from left to right and from top to bottom: it does not tile."""
    x = torch.linspace(0.15, 0.85, side)
    slope = torch.stack([x.expand(side, side), x[:, None].expand(side, side), x.expand(side, side)])
    waves = (torch.arange(side) / side * 16 * torch.pi).sin()
    return slope + 0.06 * waves * waves[:, None]


def drawn(pack, size, i=0, seed=5):
    recipe = another(pack.exemplars.recipes[i], seed)
    return maps_of(draw_maps(recipe, NAMES, size, size)[None], NAMES)


# --- Noise and gradients -------------------------------------------------------------------------


@pytest.mark.parametrize("name", DRAWN)
def test_what_is_drawn_from_nothing_is_a_seeds_own_and_closes(name):
    x = DRAWN[name]([1, 2, 3], (8, 128, 208), TORUS)
    assert x.shape == (3, 8, 128, 208)
    assert x.min() >= 0 and x.max() <= 1
    torch.testing.assert_close(DRAWN[name]([2], (8, 128, 208), TORUS)[0], x[1])
    assert not torch.equal(x[0], x[1])
    assert x.std((-2, -1)).mean() > 0.05
    for axis in (-2, -1):
        steps = x.diff(dim=axis).abs().amax()
        assert (x.select(axis, 0) - x.select(axis, -1)).abs().amax() <= steps * 1.05


def test_noise_has_coarse_and_fine():
    x = DRAWN["noise"]([1], (3, 128, 128), TORUS)
    spectrum = torch.fft.rfft2(x[0, 0] - x[0, 0].mean()).abs().square()
    coarse, fine = spectrum[1:8, 1:8].sum(), spectrum[16:32, 16:32].sum()
    assert coarse > 10 * fine > 0


def test_a_gradient_goes_one_way_where_it_does_not_tile():
    x = DRAWN["gradient"](list(range(8)), (3, 64, 64), PLANE)
    for axis in (-2, -1):
        steps = x.diff(dim=axis)
        assert ((steps >= -1e-6).all((-2, -1)) | (steps <= 1e-6).all((-2, -1))).float().mean() > 0.6


@pytest.mark.parametrize("name", DRAWN)
def test_a_run_begins_from_it(tiny_pack, name):
    start = beginning(tiny_pack, start=name)
    assert start.proposal.origins == [name] * 2
    assert start.proposal.drawn is None
    assert made(tiny_pack, NO_EDITS, start=name).basecolor.isfinite().all()


def test_codes_that_training_never_used_are_not_live():
    codebook = torch.cat([torch.randn(5, 4), 1e-4 * torch.randn(20, 4)])[torch.randperm(25)]
    assert len(live_codes(codebook)) == 5
    assert codebook[live_codes(codebook)].norm(dim=-1).min() > 0.01


# --- Pictures ------------------------------------------------------------------------------------


def test_at_strength_0_the_picture_comes_back_with_maps_to_it(tiny_pack):
    edits = Edits(picture=smooth_picture())
    maps = made(tiny_pack, edits, strength=0.0, tile="none")
    expected = maps_from_picture(smooth_picture()[None], tiny_pack.estimator, PLANE)
    torch.testing.assert_close(maps.basecolor, expected.basecolor.expand(2, -1, -1, -1))
    torch.testing.assert_close(maps.roughness, expected.roughness.expand(2, -1, -1, -1))


def test_more_strength_is_farther_from_the_picture(tiny_pack):
    edits = Edits(picture=smooth_picture())
    begun = made(tiny_pack, edits, strength=0.0).basecolor
    distances = [
        (made(tiny_pack, edits, strength=strength).basecolor - begun).square().mean()
        for strength in (0.0, 0.25, 0.5, 1.0)
    ]
    assert distances[0] == 0
    assert distances == sorted(distances)
    assert len(set(distances)) == 4


def test_a_picture_that_does_not_tile_is_made_to(tiny_pack):
    edits = Edits(picture=smooth_picture())
    before, after = (
        max(float(s99(luminance(x), axis)) for axis in (-2, -1))
        for x in (smooth_picture()[None], base_maps(settings(), edits, tiny_pack, TORUS).basecolor)
    )
    assert before > 10 * SEAMLESS
    assert after < SEAMLESS


def test_evening_out_a_border_leaves_what_tiles_alone():
    y = torch.arange(64) / 64 * 2 * torch.pi
    tiling = (0.5 + 0.3 * y.sin()[:, None] * (2 * y).cos()[None])[None, None]
    assert (periodic(tiling, TORUS) - tiling).abs().max() < 0.05
    jumps = smooth_picture()[None]
    assert (periodic(jumps, TORUS) - jumps)[..., 48:80, 48:80].abs().max() < 0.1, "far from the border"
    assert torch.equal(periodic(tiling, PLANE), tiling)
    torch.testing.assert_close(periodic(tiling, TORUS).mean(), tiling.mean())


def test_channels_are_the_inverse_of_maps():
    maps = DecodedMaps(*(torch.rand(2, c, 8, 8) for c in (3, 1, 1, 1, 1)), relief=torch.tensor([0.01, 0.05]))
    back = maps_of(channels_of(maps, NAMES), NAMES)
    for name, x in vars(maps).items():
        torch.testing.assert_close(getattr(back, name), x, rtol=1e-4, atol=1e-6)


# --- Stored results ------------------------------------------------------------------------------


def test_a_result_goes_on_from_where_it_is(tiny_pack):
    maps = drawn(tiny_pack, 128)
    edits = Edits(stored=Stored(maps, "exemplar 0: brick wall", 5, tiny_pack.hashes))
    start = beginning(tiny_pack, edits)
    assert start.proposal.origins == ["exemplar 0: brick wall"] * 2
    assert torch.equal(made(tiny_pack, edits, steps=0).basecolor[:1], maps.basecolor)
    assert not torch.equal(made(tiny_pack, edits).basecolor[:1], maps.basecolor)


def test_at_twice_the_size_detail_comes_from_the_recipe(tiny_pack):
    """The small result plus what its recipe shows at twice the size is the recipe at twice the size."""
    stored = Stored(drawn(tiny_pack, 128), f"exemplar 0: {tiny_pack.exemplars.names[0]}", 5, tiny_pack.hashes)
    s = settings(width=256, height=256)
    fine, true = base_maps(s, Edits(stored=stored), tiny_pack, TORUS), drawn(tiny_pack, 256)
    torch.testing.assert_close(fine.basecolor, true.basecolor, rtol=0, atol=1e-4)
    assert fine.relief == stored.maps.relief


@pytest.mark.parametrize(
    "change", [{"origin": "picture"}, {"origin": "edit: exemplar 0: {name}"}, {"sha256": {}}]
)
def test_without_its_recipe_a_result_is_enlarged_smoothly(tiny_pack, change):
    known = {"origin": "exemplar 0: {name}", "sha256": tiny_pack.hashes, **change}
    origin = known["origin"].format(name=tiny_pack.exemplars.names[0])
    stored = Stored(drawn(tiny_pack, 128), origin, 5, known["sha256"])
    s, true = settings(width=256, height=256), drawn(tiny_pack, 256)
    large = base_maps(s, Edits(stored=stored), tiny_pack, TORUS).basecolor
    assert large.shape == (1, 3, 256, 256)
    assert (large - true.basecolor).abs().mean() > 1e-3
    halved = torch.nn.functional.avg_pool2d(large, 2)
    assert (halved - stored.maps.basecolor).abs().mean() < 0.02
    assert float(s99(luminance(large), -1)) < SEAMLESS
