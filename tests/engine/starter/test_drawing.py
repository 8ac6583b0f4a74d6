"""Materials at the sizes that people ask for: whole, closed, and in the generator's order."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.strategies import integers

from engine.material.relief import decode_relief
from engine.starter.border import calmest
from engine.starter.drawing import draw_maps, repeats
from engine.starter.materials import another, render, sample

CHANNELS = ("red", "green", "blue", "height", "roughness", "metallic", "emission", "relief")
BRICKS = sample(4, "brick_wall")


def test_at_its_own_size_nothing_is_resized():
    x = draw_maps(BRICKS, CHANNELS, 128, 128)
    truth = render(BRICKS, 128, supersampling=2)
    begin = [-round(128 * share) for share in calmest(BRICKS)]
    assert x.shape == (8, 128, 128)
    np.testing.assert_array_equal(x[:3].permute(1, 2, 0).numpy(), np.roll(truth.basecolor, begin, (0, 1)))
    np.testing.assert_array_equal(x[4].numpy(), np.roll(truth.roughness, begin, (0, 1)))
    assert decode_relief(x[7].mean()).item() == pytest.approx(truth.relief, rel=1e-3)
    assert torch.equal(draw_maps(BRICKS, ("metallic", "red"), 128, 128), x[[5, 0]])


@pytest.mark.parametrize("size", [(144, 144), (128, 256), (256, 128), (128, 208), (400, 160)])
def test_any_size_closes_and_keeps_its_colour(size):
    x = draw_maps(BRICKS, CHANNELS[:3], *size)
    assert x.shape == (3, *size)
    rows, _ = repeats(*size)
    side = 128 if rows == 1 else size[0] // rows  # joints of a small tile are drawn otherwise
    plain = draw_maps(BRICKS, CHANNELS[:3], side, side)
    torch.testing.assert_close(x.mean((1, 2)), plain.mean((1, 2)), rtol=0, atol=0.01)
    for axis in (1, 2):
        n = x.shape[axis]
        steps = (x - x.roll(1, axis)).abs().amax(dim=0).mean(2 - axis if axis == 1 else 0)
        assert len(steps) == n
        assert steps[0] <= 1.25 * steps.quantile(0.99), "the border shows"


def test_a_long_picture_repeats_whole_tiles():
    """Three side by side: what is as deep as before is a third of the picture's width."""
    x = draw_maps(BRICKS, CHANNELS, 128, 384)
    torch.testing.assert_close(x, x.roll(128, 2))
    assert decode_relief(x[7].mean()).item() == pytest.approx(BRICKS["relief"] / 3, rel=1e-3)
    tall = draw_maps(BRICKS, CHANNELS, 384, 128)
    assert decode_relief(tall[7].mean()).item() == pytest.approx(BRICKS["relief"], rel=1e-3)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((256, 256), (1, 1)),
        ((256, 512), (1, 2)),
        ((512, 256), (2, 1)),
        ((256, 384), (2, 3)),
        ((768, 1024), (3, 4)),
        ((272, 256), (1, 1)),
        ((128, 2048), (1, 16)),
    ],
)
def test_tiles_stay_square_or_nearly(size, expected):
    assert repeats(*size) == expected


@given(height=integers(8, 128), width=integers(8, 128))
def test_no_size_squashes_a_tile_by_more_than_an_eighth(height, width):
    rows, columns = repeats(16 * height, 16 * width)
    assert 7 / 8 < (height / rows) / (width / columns) < 8 / 7 + 1e-9


def test_a_wide_picture_has_square_texels():
    """512 x 256 shows, twice and unstretched, what 256 x 256 shows once."""
    square = draw_maps(BRICKS, CHANNELS[:3], 128, 128)
    wide = draw_maps(BRICKS, CHANNELS[:3], 128, 256)
    torch.testing.assert_close(wide, square.repeat(1, 1, 2))
    odd = draw_maps(BRICKS, CHANNELS[:3], 128, 192)
    torch.testing.assert_close(odd, draw_maps(BRICKS, CHANNELS[:3], 64, 64).repeat(1, 2, 3))


def test_another_is_of_the_same_kind_and_laid_out_anew():
    mixed = next(p for p in (sample(i, "cobblestone") for i in range(40)) if p["mixture"])
    again = another(mixed, 77)
    assert again["seed"] == again["mixture"]["overlay"]["seed"] == 77
    kind = ("family", "palette", "target", "colour", "scale", "modifiers", "relief", "layout")
    assert all(again[key] == mixed[key] for key in kind)
    a, b = (draw_maps(p, CHANNELS[:3], 128, 128) for p in (mixed, again))
    assert (a - b).abs().mean() > 0.02
    assert mixed["mixture"]["overlay"]["seed"] != 77, "the first one is left as it was"
