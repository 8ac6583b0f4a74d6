"""Maps by formula: seamless, indifferent to rounding, and the right way up."""

from __future__ import annotations

import math

import pytest
import torch

from engine.material import classical
from engine.material.classical import classical_maps, delight, gaussian, height_from_luminance
from engine.material.from_picture import maps_from_picture
from engine.material.maps import linear_to_srgb, luminance, srgb_to_linear
from engine.models.vqgan import PLANE, TORUS
from tests.engine.material.surfaces import material


def direct_gaussian(x, sigma_px):
    """Every pixel's weighted mean over a row of copies, along one axis of a 1-D signal that tiles."""
    n = len(x)
    d = torch.arange(-6 * n, 6 * n + 1, dtype=torch.float64)
    w = torch.exp(-(d**2) / (2 * sigma_px**2))
    w = w / w.sum()
    return torch.stack([(w * x[(torch.arange(len(d)) - 6 * n + i) % n]).sum() for i in range(n)])


@pytest.mark.parametrize("sigma_px", [1.5, 2.5, 8.0])
def test_blur_by_transfer_function_is_the_blur(sigma_px):
    x = torch.rand(24, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = direct_gaussian(x, sigma_px)
    found = gaussian(x.expand(1, 1, 4, 24), sigma_px, TORUS)
    torch.testing.assert_close(found, expected.expand(1, 1, 4, 24), rtol=0, atol=1e-4)
    turned = gaussian(x[:, None].expand(1, 1, 24, 4), sigma_px, TORUS)
    torch.testing.assert_close(turned, expected[:, None].expand(1, 1, 24, 4), rtol=0, atol=1e-4)


def test_an_edge_that_does_not_tile_keeps_its_own_brightness():
    x = torch.zeros(1, 1, 32, 32)
    x[..., 16:] = 1
    wrapped, mirrored = gaussian(x, 3.0, TORUS), gaussian(x, 3.0, PLANE)
    assert wrapped[0, 0, 5, 0] > 0.3  # half of the other side
    assert mirrored[0, 0, 5, 0] < 0.01 and mirrored[0, 0, 5, 31] > 0.99


@pytest.mark.parametrize("shift", [(0, 5), (7, 0), (3, 30)])
def test_formulas_commute_with_rolling(shift):
    picture = material(32, 48).basecolor
    rolled = classical_maps(picture.roll(shift, (-2, -1)))
    maps = classical_maps(picture)
    for name in ("basecolor", "height", "roughness"):
        expected = getattr(maps, name).roll(shift, (-2, -1))
        # A rank may jump where rounding puts two pixels together: by a few of 1536 places.
        torch.testing.assert_close(getattr(rolled, name), expected, rtol=0, atol=5e-3)


def test_dark_joints_are_low():
    picture = torch.full((1, 3, 64, 64), 0.6)
    picture[..., 30:34, :] = 0.1
    height = height_from_luminance(picture)
    assert height[0, 0, 32].mean() < 0.1
    assert height[0, 0, 8].mean() > 0.5


def test_heights_are_spread_evenly():
    height = height_from_luminance(material(64, 64).basecolor)
    counts = torch.histc(height, 10, 0, 1) / height.numel()
    assert (counts - 0.1).abs().max() < 0.01


def test_a_flat_picture_is_no_landscape():
    assert (height_from_luminance(torch.full((2, 3, 64, 48), 0.3)) == 0.5).all()


def test_delighting_evens_out_a_slope_of_light(monkeypatch):
    y = torch.arange(64) / 64
    light = 0.4 + 0.2 * torch.sin(2 * math.pi * y)[:, None].expand(1, 3, 64, 64)

    def spread(x):
        Y = luminance(srgb_to_linear(x))
        return float(Y.max() / Y.min())

    picture = linear_to_srgb(light)
    assert spread(delight(picture)) < 0.8 * spread(picture)
    monkeypatch.setattr(classical, "DELIGHT", 0.0)
    torch.testing.assert_close(delight(picture), picture, rtol=0, atol=1e-5)


def test_grain_is_rough_and_nothing_is_metal():
    smooth = torch.full((1, 3, 64, 64), 0.5)
    grainy = smooth + 0.2 * torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    maps = maps_from_picture(torch.cat([smooth, grainy.clamp(0, 1)]), None)
    assert maps.roughness[1].mean() > maps.roughness[0].mean() + 0.05
    assert maps.metallic.max() == 0
    assert maps.relief.tolist() == pytest.approx([classical.RELIEF] * 2)
