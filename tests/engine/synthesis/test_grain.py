"""The grain of a picture on drawn maps: as fine as there, without its layout, and closed at the borders."""

from __future__ import annotations

import torch

from engine.synthesis.grain import grained

FLAT = torch.full((2, 5, 64, 96), 0.5)
HEIGHT = 3
SEEDS = [5, 6]


def stripes(waves):
    """A grey picture (3, 64, 96) with so many vertical stripes to 64 pixels."""
    x = torch.arange(96) / 64 * 2 * torch.pi * waves
    return (0.5 + 0.05 * x.sin()).expand(3, 64, 96)


def test_fine_stripes_come_over_and_coarse_ones_do_not():
    fine, coarse = (grained(FLAT, stripes(n), 1.0, SEEDS, HEIGHT) for n in (22, 2))
    assert fine[:, :3].std() > 10 * coarse[:, :3].std()
    power = torch.fft.rfft2(fine[0, 0] - 0.5).abs()
    row, column = divmod(int(power.argmax()), power.shape[1])
    assert (row, column) == (0, 33), "22 waves to 64 pixels are 33 to 96"


def test_more_weight_is_more_of_it_and_a_plain_picture_has_none():
    deviations = [float(grained(FLAT, stripes(22), w, SEEDS, HEIGHT)[:, :3].std()) for w in (0.2, 1.0, 5.0)]
    assert deviations[0] < deviations[1] < deviations[2]
    torch.testing.assert_close(grained(FLAT, torch.full((3, 64, 96), 0.3), 5.0, SEEDS, HEIGHT), FLAT)


def test_height_follows_and_the_other_maps_stay():
    out = grained(FLAT, stripes(22), 1.0, SEEDS, HEIGHT)
    assert out[:, HEIGHT].std() > 0
    assert torch.equal(out[:, 4], FLAT[:, 4])
    assert torch.equal(grained(FLAT, stripes(22), 1.0, SEEDS, None)[:, 3:], FLAT[:, 3:])


def test_it_tiles_and_each_seed_has_its_own():
    picture = torch.rand(3, 64, 96, generator=torch.Generator().manual_seed(1))
    out = grained(FLAT, picture, 1.0, SEEDS, HEIGHT)[:, :3]
    assert not torch.allclose(out[0], out[1])
    inside = (out[..., 1:] - out[..., :-1]).abs().mean()
    assert (out[..., 0] - out[..., -1]).abs().mean() < 1.3 * inside
    alone = grained(FLAT[:1], picture, 1.0, SEEDS[1:], HEIGHT)[:, :3]
    torch.testing.assert_close(alone[0], out[1])
