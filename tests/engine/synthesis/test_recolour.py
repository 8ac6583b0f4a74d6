"""Recolouring: groups of colours go to a palette, keep their grain and their order, and nothing is drawn."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis.strategies import integers

from engine.settings import RunSettings
from engine.synthesis.palette import lab, palette_distance, palette_of
from engine.synthesis.propose import Proposer
from engine.synthesis.recolour import recoloured

PALETTE = palette_of(["#efe6cf", "#1f7f7f", "#36383b"], torch.zeros(1))


def bricks(seed=0, side=64):
    """Red bricks with grain, and dark joints: what is which, and the picture (1, 3, side, side)."""
    grain = torch.randn(1, 1, side, side, generator=torch.Generator().manual_seed(seed)) * 0.02
    joints = (torch.arange(side) % 16 < 3)[:, None].expand(side, side)
    red, dark = (torch.tensor(c).view(1, 3, 1, 1) for c in ([0.6, 0.2, 0.15], [0.15, 0.15, 0.14]))
    return joints, (torch.where(joints, dark, red) + grain).clamp(0, 1)


@given(seed=integers(0, 2**32 - 1))
def test_colours_come_near_to_the_palette(seed):
    x = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(seed)).repeat_interleave(8, 2)
    before, after = (palette_distance(y, PALETTE) for y in (x, recoloured(x, PALETTE, 2.0)))
    assert after < before


def test_what_was_darker_stays_darker():
    joints, x = bricks()
    y = recoloured(x, palette_of(["#efe6cf", "#1f4a2b"], x), 4.0)
    lightness = lab(y)[0, 0]
    assert lightness[joints].max() < lightness[~joints].min()


def test_grain_is_kept():
    joints, x = bricks()
    y = recoloured(x, palette_of(["#2f5fa8", "#16264f"], x), 4.0)
    before, after = (lab(z)[0, 0][~joints] for z in (x, y))
    assert torch.corrcoef(torch.stack([before, after]))[0, 1] > 0.95
    assert 0.5 < after.std() / before.std() < 2


def test_a_weight_of_nothing_changes_nothing_and_more_goes_farther():
    _, x = bricks()
    assert recoloured(x, PALETTE, 0.0) is x
    two = palette_of(["#2f5fa8", "#16264f"], x)
    far = [float(palette_distance(recoloured(x, two, w), two)) for w in (0.1, 0.5, 2.0)]
    assert far == sorted(far, reverse=True)


def test_one_colour_is_enough():
    y = recoloured(bricks()[1], palette_of(["#2f5fa8"], PALETTE), 9.0)
    torch.testing.assert_close(
        lab(y).mean((0, 2, 3)),
        lab(palette_of(["#2f5fa8"], y).view(1, 3, 1, 1))[0, :, 0, 0],
        atol=0.1,  # dark joints cannot be as blue
        rtol=0,
    )


def test_a_row_does_not_depend_on_the_others():
    x, other = bricks(1)[1], bricks(2)[1]
    alone, beside = recoloured(x, PALETTE, 2.0), recoloured(torch.cat([other, x]), PALETTE, 2.0)[1:]
    torch.testing.assert_close(alone, beside, atol=1e-6, rtol=0)


@pytest.mark.parametrize("side", [16, 200])
def test_the_same_picture_gives_the_same_at_any_size(side):
    _, x = bricks(side=side)
    assert torch.equal(recoloured(x, PALETTE, 2.0), recoloured(x, PALETTE, 2.0))


def test_what_a_pack_remembers_comes_in_the_palette(tiny_pack):
    """The drawn base colour does; height and the rest stay as they are."""
    asked = {"prompt": "red bricks", "pack": "tiny", "width": 128, "height": 128, "seed": 5}
    text = tiny_pack.guide.encode_text(["red bricks"])[0]

    def drawn(**more):
        s = RunSettings.model_validate({**asked, **more})
        told = Proposer(s, tiny_pack, [5], (True, True), text).recall(tiny_pack.exemplars)
        while True:
            try:
                next(told)
            except StopIteration as end:
                return end.value.drawn.maps

    plain, coloured = drawn(), drawn(palette=["#1f7f7f", "#efe6cf"])
    palette = palette_of(["#1f7f7f", "#efe6cf"], plain)
    assert torch.equal(plain[:, 3:], coloured[:, 3:])
    assert palette_distance(coloured[:, :3], palette) < palette_distance(plain[:, :3], palette) / 2
    assert torch.equal(drawn(palette=["#1f7f7f"], palette_weight=0.0), plain)
