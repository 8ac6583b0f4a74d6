"""The border of what is drawn: on calm lines, at the same place whatever the size, colour or condition."""

from __future__ import annotations

import pytest
import torch

from engine.material.maps import luminance
from engine.material.seams import SEAMLESS, s99
from engine.starter.border import PLACES, calmest
from engine.starter.drawing import draw_maps
from engine.starter.materials import FAMILIES, in_colour, sample

CHANNELS = ("red", "green", "blue", "height")


def seam(params, side):
    x = draw_maps(params, CHANNELS, side, side)[None].double()
    return max(float(s99(plane, axis)) for plane in (luminance(x[:, :3]), x[:, 3:]) for axis in (-2, -1))


def test_every_family_is_calm_where_it_repeats():
    """Wherever it lay before, the worst of these had 1.25, which is the limit; guidance may add to it."""
    worst = max((seam(sample(1, name), 64), name) for name in FAMILIES)
    assert worst[0] < 0.9 * SEAMLESS, worst


def test_noisy_rows_are_calm_for_every_seed():
    assert max(seam(sample(seed, "carpet"), 128) for seed in range(6)) < 0.9 * SEAMLESS


@pytest.mark.parametrize("family", ["carpet", "brick_wall"])
def test_two_sizes_show_the_same_place(family):
    small, large = (draw_maps(sample(2, family), CHANNELS, side, side) for side in (128, 256))
    halved = torch.nn.functional.avg_pool2d(large, 2)

    def alike(x):
        return float(torch.corrcoef(torch.stack([small[3].flatten(), x[3].flatten()]))[0, 1])

    assert alike(halved) > 0.8
    assert alike(halved) > alike(halved.roll(128 // PLACES, 1)) + 0.1


def test_layout_alone_decides():
    bricks = {**sample(2, "brick_wall"), "modifiers": {}, "mixture": None}
    others = [
        in_colour(bricks, "blue"),
        {**bricks, "modifiers": {"mossy": "heavily"}},
        {**bricks, "finish": "matte"},
    ]
    assert {calmest(p) for p in others} == {calmest(bricks)}
    assert len({calmest({**bricks, "seed": seed}) for seed in range(4)}) > 1
