"""Normals, occlusion and relief: conventions, closed forms, a slow reference, the torus."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.strategies import booleans, floats, integers, tuples

from engine.material.maps import (
    ao_from_height,
    linear_to_srgb,
    luminance,
    normal_from_height,
    normalise_height,
    srgb_to_linear,
)
from tests.engine.material.surfaces import material, waves

SIZES = tuples(integers(3, 12), integers(3, 12))
WRAPS = tuples(booleans(), booleans())


def dome(n: int) -> torch.Tensor:
    at = (torch.arange(n) + 0.5) / n * 2 - 1
    return (1 - at[:, None] ** 2 - at[None, :] ** 2).clamp(min=0)[None, None]


def unpacked(normal: torch.Tensor) -> torch.Tensor:
    return normal * 2 - 1


def slow_normal(h: np.ndarray, relief: float, wrap: tuple[bool, bool]) -> np.ndarray:
    """One pixel after the other, by the definition: (H, W) → (3, H, W)."""
    H, W = h.shape

    def at(y: int, x: int) -> float:
        if wrap[0]:
            y %= H
        if wrap[1]:
            x %= W
        if y < 0 or y >= H:
            inner = 1 if y < 0 else H - 2
            return 2 * at(0 if y < 0 else H - 1, x) - at(inner, x)
        if x < 0 or x >= W:
            inner = 1 if x < 0 else W - 2
            return 2 * at(y, 0 if x < 0 else W - 1) - at(y, inner)
        return h[y, x]

    out = np.empty((3, H, W))
    for y in range(H):
        for x in range(W):
            gx = sum(w * (at(y + d, x + 1) - at(y + d, x - 1)) for d, w in ((-1, 3), (0, 10), (1, 3))) / 32
            gy = sum(w * (at(y + 1, x + d) - at(y - 1, x + d)) for d, w in ((-1, 3), (0, 10), (1, 3))) / 32
            n = np.array([-gx * relief * W, gy * relief * W, 1.0])
            out[:, y, x] = n / np.linalg.norm(n) / 2 + 0.5
    return out


def slow_ao(h: np.ndarray, relief: float, wrap: tuple[bool, bool]) -> np.ndarray:
    """The horizon, pixel by pixel and ray by ray: (H, W) → (H, W)."""
    H, W = h.shape
    out = np.zeros((H, W))
    for y in range(H):
        for x in range(W):
            for k in range(12):
                angle, t = 2 * np.pi * (k + 0.5) / 12, 0.0
                for s in range(1, 9):
                    r = 0.08 * W * (s / 8) ** 1.5
                    dy, dx = round(np.sin(angle) * r), round(np.cos(angle) * r)
                    if dy == dx == 0:
                        continue
                    yy = (y + dy) % H if wrap[0] else min(max(y + dy, 0), H - 1)
                    xx = (x + dx) % W if wrap[1] else min(max(x + dx, 0), W - 1)
                    t = max(t, (h[yy, xx] - h[y, x]) * relief / (np.hypot(dy, dx) / W))
                out[y, x] += 1 / (1 + t * t) / 12
    return out


def test_convention_normals_are_opengl():
    """A dome: its right side is bright in red, its top in green, its middle looks at the viewer."""
    red, green, blue = normal_from_height(dome(64), torch.tensor([0.2]))[0]
    assert red[32, 48] > 0.6
    assert red[32, 16] < 0.4
    assert green[16, 32] > 0.6
    assert green[48, 32] < 0.4
    assert blue[32, 32] > 0.99


def test_a_plane_has_the_normal_of_its_slope():
    """Rising by the relief over the width: the slope is the relief, up to the edges that do not tile."""
    H, W, relief = 6, 9, 0.3
    ramp = (torch.arange(W) / W).expand(1, 1, H, W)
    n = unpacked(normal_from_height(ramp, torch.tensor([relief]), (True, False)))
    expected = torch.tensor([-relief, 0.0, 1.0]) / math.hypot(relief, 1)
    torch.testing.assert_close(n, expected[None, :, None, None].expand_as(n), rtol=0, atol=1e-6)


@pytest.mark.parametrize("axis", ["x", "y"])
@pytest.mark.parametrize(("H", "W"), [(256, 256), (128, 256)])
def test_a_sine_has_the_normals_of_its_derivative(H, W, axis):
    """Also where the tile is not square: relief is a fraction of the width, whichever way the wave runs."""
    relief, periods = 0.04, 3
    length = W if axis == "x" else H
    at = torch.arange(length, dtype=torch.float64) / length
    height = 0.5 + 0.5 * torch.sin(2 * math.pi * periods * at)
    height = height.expand(H, W) if axis == "x" else height[:, None].expand(H, W)
    slope = relief * math.pi * periods * torch.cos(2 * math.pi * periods * at) * (W / length)
    n = unpacked(normal_from_height(height[None, None], torch.tensor([relief]).double()))[0]
    line = n[0, 0] if axis == "x" else -n[1, :, 0]
    torch.testing.assert_close(line, -slope / (1 + slope**2).sqrt(), rtol=0, atol=2e-3)


@given(SIZES, WRAPS, integers(0, 99), floats(0.001, 0.5))
def test_normals_agree_with_the_slow_reference(size, wrap, seed, relief):
    h = torch.rand(1, 1, *size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    fast = normal_from_height(h, torch.tensor([relief], dtype=torch.float64), wrap)[0]
    np.testing.assert_allclose(fast.numpy(), slow_normal(h[0, 0].numpy(), relief, wrap), atol=1e-12)


@pytest.mark.parametrize("wrap", [(True, True), (True, False), (False, True), (False, False)])
@pytest.mark.parametrize(("H", "W"), [(20, 40), (4, 60), (50, 8)])
def test_occlusion_agrees_with_the_slow_reference(H, W, wrap):
    """Also where rays are longer than the tile is high."""
    h = waves(H, W, seed=1).double()
    fast = ao_from_height(h, torch.tensor([0.2], dtype=torch.float64), wrap)[0, 0]
    np.testing.assert_allclose(fast.numpy(), slow_ao(h[0, 0].numpy(), 0.2, wrap), atol=1e-12)


@given(integers(-40, 40), integers(-40, 40), integers(0, 9))
def test_maps_commute_with_rolling(dy, dx, seed):
    """Seamless in, seamless out: the maps of a rolled tile are the rolled maps, to the last bit."""
    h, relief = waves(24, 36, seed=seed), torch.tensor([0.1])
    for formula in (normal_from_height, ao_from_height):
        rolled = formula(h.roll((dy, dx), (-2, -1)), relief)
        assert torch.equal(rolled, formula(h, relief).roll((dy, dx), (-2, -1)))


def test_axes_that_do_not_tile_do_not_leak():
    """A step across the vertical seam shows in the normals of the torus only."""
    ramp = torch.linspace(0, 1, 16)[:, None].expand(1, 1, 16, 16)
    relief = torch.tensor([0.1])
    assert unpacked(normal_from_height(ramp, relief, (True, True)))[0, 1, 0].abs().max() > 0.4
    inner = normal_from_height(ramp, relief, (False, True))
    torch.testing.assert_close(inner, inner[:, :, 8:9].expand_as(inner))


def test_flat_is_open_and_a_pit_is_dark():
    flat = ao_from_height(torch.full((1, 1, 16, 16), 0.7), torch.tensor([0.5]))
    assert torch.equal(flat, torch.ones(1, 1, 16, 16))
    pit = torch.ones(1, 1, 64, 64)
    pit[..., 30:35, 30:35] = 0
    ao = ao_from_height(pit, torch.tensor([0.1]))[0, 0]
    assert ao[32, 32] < 0.3
    assert ao[29, 29] == ao[2, 2] == 1  # the rim looks over it
    assert ao.min() >= 0


def test_materials_of_a_batch_do_not_mix():
    """Row i is what material i alone gives, its own relief included."""
    h, relief = waves(16, 16, B=3), torch.tensor([0.01, 0.1, 0.4])
    for formula in (normal_from_height, ao_from_height):
        together = formula(h, relief)
        alone = torch.cat([formula(h[i : i + 1], relief[i : i + 1]) for i in range(3)])
        assert torch.equal(together, alone)


def test_gradients_reach_height_and_relief():
    h = waves(16, 16).requires_grad_()
    relief = torch.tensor([0.1], requires_grad=True)
    (normal_from_height(h, relief)[:, :2].square().sum() + ao_from_height(h, relief).sum()).backward()
    for x in (h, relief):
        assert x.grad.isfinite().all()
        assert x.grad.abs().max() > 0


def test_select_gives_one_material():
    maps = material(8, 8, B=3)
    one = maps.select(1)
    assert len(one) == 1
    assert torch.equal(one.basecolor[0], maps.basecolor[1])
    assert torch.equal(maps.select(-1).height, maps.select(2).height)
    with pytest.raises(IndexError):
        maps.select(3)


@given(floats(0, 0.9), floats(0.001, 0.1))
def test_normalised_height_is_the_same_surface(low, relief):
    """Full range on disk, normals as before: the relief takes up what the height gains."""
    maps = material(16, 16, relief=relief)
    squeezed = replace(maps, height=low + maps.height * (0.95 - low))
    whole = normalise_height(squeezed)
    assert (float(whole.height.min()), float(whole.height.max())) == (0, 1)
    torch.testing.assert_close(whole.relief, maps.relief * (0.95 - low), rtol=1e-4, atol=0)
    before, after = (normal_from_height(m.height, m.relief) for m in (squeezed, whole))
    torch.testing.assert_close(after, before, rtol=0, atol=1e-4)


def test_flat_height_is_the_middle_level_without_relief():
    """Each material of a batch for itself: a flat one must not be blown up to noise."""
    maps = material(8, 8, B=2)
    maps.height[0] = 0.2
    whole = normalise_height(maps)
    assert whole.height[0].unique().tolist() == [0.5]
    assert whole.relief.tolist() == pytest.approx([0, 0.05])


def test_srgb_is_the_standard_curve():
    """IEC 61966-2-1: the middle grey of 8 bits, both ends, and there and back again."""
    x = torch.linspace(0, 1, 4097, dtype=torch.float64)
    linear = srgb_to_linear(x)
    assert float(srgb_to_linear(torch.tensor(128 / 255))) == pytest.approx(0.21586, abs=1e-5)
    assert (float(linear[0]), float(linear[-1])) == (0, 1)
    torch.testing.assert_close(linear_to_srgb(linear), x, rtol=0, atol=1e-6)


@pytest.mark.parametrize("curve", [srgb_to_linear, linear_to_srgb])
def test_srgb_gradients_are_finite_at_black(curve):
    """A root is infinitely steep at 0: one black pixel would make the whole gradient NaN."""
    x = torch.tensor([-0.1, 0.0, 1e-9, 0.5], requires_grad=True)
    curve(x).sum().backward()
    assert x.grad.isfinite().all()
    assert (x.grad > 0).all()


def test_luminance_weighs_green_most():
    colours = torch.eye(3)[:, :, None, None]
    assert luminance(colours).flatten().tolist() == pytest.approx([0.2126, 0.7152, 0.0722])
