"""Light: where it comes from, how much comes back, and that gradients survive it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.strategies import integers

from engine.material.maps import ao_from_height, luminance, normal_from_height, srgb_to_linear
from engine.material.shading import GAIN, Light, _key, light_from, random_lights, shade
from tests.engine.material.surfaces import material, waves


def one_bump(**numbers: float):
    """A round hill in the middle of a flat tile."""
    at = (torch.arange(64) + 0.5) / 64 * 2 - 1
    hill = (0.5 - at[:, None] ** 2 - at[None, :] ** 2).clamp(min=0)[None, None] * 2
    return replace(
        material(64, 64, **{"basecolor": 0.5, "roughness": 0.6, "metallic": 0.0, "relief": 0.15, **numbers}),
        height=hill,
    )


def slow_shade(maps, light: Light) -> np.ndarray:
    """research/materials.md 5.2 for every pixel, one after the other, without exposure: (H, W, 3)."""
    d = {
        name: getattr(maps, name)[0].double().numpy()
        for name in ("height", "roughness", "metallic", "emission")
    }
    a_map = srgb_to_linear(maps.basecolor[0].double()).numpy()
    relief = maps.relief.double()
    n_map = normal_from_height(maps.height.double(), relief)[0].numpy() * 2 - 1
    ao_map = ao_from_height(maps.height.double(), relief)[0, 0].numpy()
    L, E, horizon = (x[0].double().numpy() for x in (light.direction, light.energy, light.horizon))
    view = np.array([0, 0, 1.0])
    half = (L + view) / np.linalg.norm(L + view)
    sky, ground = np.array([0.95, 1.0, 1.08]), np.array([0.34, 0.31, 0.28])
    H, W = d["height"].shape[-2:]
    out = np.empty((H, W, 3))
    for y in range(H):
        for x in range(W):
            n, a, ao = n_map[:, y, x], a_map[:, y, x], ao_map[y, x]
            r, m = max(d["roughness"][0, y, x], 0.04), d["metallic"][0, y, x]
            f0, alpha2 = 0.04 * (1 - m) + a * m, r**4
            nl, nv, nh = (min(max(float(n @ v), 1e-3), 1) for v in (L, view, half))
            D = alpha2 / (np.pi * (nh**2 * (alpha2 - 1) + 1) ** 2)
            V = 0.5 / (
                nl * np.sqrt(nv**2 * (1 - alpha2) + alpha2) + nv * np.sqrt(nl**2 * (1 - alpha2) + alpha2)
            )
            fresnel = f0 + (1 - f0) * (1 - half @ view) ** 5
            key = ((1 - fresnel) * (1 - m) * a / np.pi + D * V * fresnel) * nl * E * np.pi
            R = 2 * nv * n - view
            t = min(max(0.5 + R[:2] @ horizon / (2 * (0.04 + 0.9 * r**1.5)), 0), 1)
            environment = ground + (sky - ground) * t * t * (3 - 2 * t)
            irradiance = ground + (sky - ground) * (0.5 + 0.5 * n[:2] @ horizon)
            c = r * np.array([-1, -0.0275, -0.572, 0.022]) + np.array([1, 0.0425, 1.04, -0.04])
            a004 = min(c[0] ** 2, 2 ** (-9.28 * nv)) * c[0] + c[1]
            split_sum = f0 * (-1.04 * a004 + c[2]) + max(1.04 * a004 + c[3], 0)
            ambient = ao * irradiance * a * (1 - m) * 0.55 + (0.3 + 0.7 * ao) * environment * split_sum
            o = key + ambient + 2.0 * a * d["emission"][0, y, x]
            o = np.clip(o * (1 + o / 16) / (1 + 0.35 * o), 0, 1)
            out[y, x] = np.where(o <= 0.0031308, o * 12.92, 1.055 * o ** (1 / 2.4) - 0.055)
    return out


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_the_slow_reference(seed):
    maps = replace(material(12, 16, seed=seed, relief=0.1), emission=0.5 * waves(12, 16, seed=seed + 50))
    light = random_lights(torch.Generator().manual_seed(seed), 1)
    fast = shade(maps, light, auto_exposure=False)[0].permute(1, 2, 0)
    np.testing.assert_allclose(fast.numpy(), slow_shade(maps, light), atol=2e-4)


@pytest.mark.parametrize(("azimuth", "bright", "dark"), [(0, (32, 44), (32, 20)), (90, (20, 32), (44, 32))])
def test_convention_light_comes_from_its_azimuth(azimuth, bright, dark):
    """0° lights the right side of a hill, 90° its top."""
    lit = luminance(shade(one_bump(), light_from(60, azimuth)))[0, 0]
    assert lit[bright] > lit[dark] + 0.2


@given(integers(-20, 20), integers(-20, 20), integers(0, 9))
def test_lit_pictures_commute_with_rolling(dy, dx, seed):
    """A lit tile tiles: light comes from infinitely far away."""
    maps = replace(material(16, 24, seed=seed), emission=waves(16, 24, seed=seed + 50))
    light = random_lights(torch.Generator().manual_seed(seed), 1)
    names = ("basecolor", "height", "roughness", "metallic", "emission")
    rolled = replace(maps, **{k: getattr(maps, k).roll((dy, dx), (-2, -1)) for k in names})
    torch.testing.assert_close(
        shade(rolled, light), shade(maps, light).roll((dy, dx), (-2, -1)), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("roughness", [0.0, 0.04, 1.0])
@pytest.mark.parametrize("metallic", [0.0, 1.0])
@pytest.mark.parametrize("basecolor", [0.0, 1.0])
def test_gradients_are_finite(roughness, metallic, basecolor):
    """At every corner of what a network may decode, under grazing light, on a steep surface."""
    given_maps = material(16, 16, roughness=roughness, metallic=metallic, basecolor=basecolor, relief=0.4)
    leaves = {k: v.clone().requires_grad_() for k, v in vars(given_maps).items()}
    lit = shade(type(given_maps)(**leaves), light_from(80, 30))
    assert lit.isfinite().all()
    assert lit.min() >= 0
    assert lit.max() <= 1
    lit.sum().backward()
    for name, leaf in leaves.items():
        assert leaf.grad.isfinite().all(), name
    assert leaves["basecolor"].grad.abs().max() > 0


def furnace(roughness: float, metallic: float) -> float:
    """The share of light from all around that a white plate sends to the viewer above it."""
    steps = 9000
    polar = (torch.arange(steps) + 0.5) / steps * math.pi / 2
    direction = torch.stack([polar.sin(), torch.zeros(steps), polar.cos()], 1)
    light = Light(direction, torch.full((steps, 3), 1 / math.pi), torch.tensor([[1.0, 0.0]]))
    n = torch.tensor([0.0, 0.0, 1.0]).view(1, 3, 1, 1)
    white, one = torch.ones(1, 3, 1, 1), torch.ones(1, 1, 1, 1)
    f0 = 0.04 * (1 - metallic) + white * metallic
    reflected = _key(n, white, one * roughness, one * metallic, f0, light)[:, 0, 0, 0]
    return float((reflected * polar.sin()).sum() * 2 * math.pi * (math.pi / 2 / steps))


@pytest.mark.parametrize("roughness", [0.1, 0.3, 0.6, 1.0])
@pytest.mark.parametrize("metallic", [0.0, 1.0])
def test_a_surface_gives_back_no_more_light_than_it_got(roughness, metallic):
    assert 0.3 < furnace(roughness, metallic) < 1.01


def test_mirror_and_roughest_metal_reflect_what_the_integral_says():
    """Of GGX with one bounce: all of it at α → 0; ∫ μ/(1 + μ) dμ = 1 - ln 2 at α = 1."""
    assert furnace(0.2, 1.0) == pytest.approx(1, abs=0.01)
    assert furnace(1.0, 1.0) == pytest.approx(1 - math.log(2), abs=1e-3)


@pytest.mark.parametrize("roughness", [0.05, 0.35, 0.8])
def test_metal_is_not_black(roughness):
    """With a key light alone, flat metal mirrors a black room. Gold shows gold."""
    gold = replace(
        material(32, 32, height=0.5, roughness=roughness, metallic=1.0),
        basecolor=torch.tensor([1.0, 0.85, 0.55])[None, :, None, None].expand(1, 3, 32, 32),
    )
    r, g, b = shade(gold, light_from(60, 135), auto_exposure=False).mean((0, 2, 3))
    assert r > g > b
    assert r > 0.6


def test_lava_glows_where_no_light_falls():
    """In its own colour, in the dark, and nowhere else."""
    lava = material(16, 16, roughness=0.9, metallic=0.0)
    lava.basecolor[:] = torch.tensor([0.94, 0.42, 0.03])[:, None, None]
    lava.emission[..., 8:] = 1.0
    night = Light(torch.tensor([[0.0, 0.0, 1.0]]), torch.zeros(1, 3), torch.tensor([[1.0, 0.0]]))
    night_lit = shade(lava, night, auto_exposure=False)[0]
    dull = shade(replace(lava, emission=0 * lava.emission), night, auto_exposure=False)[0]
    assert torch.equal(night_lit[..., :8], dull[..., :8])
    red, green, blue = night_lit[..., 8:].mean((1, 2))
    assert red > 0.95
    assert red > green + 0.2 > blue + 0.4
    assert luminance(night_lit[None])[..., 8:].min() > luminance(dull[None])[..., 8:].max() + 0.2


def test_grazing_light_shows_the_relief():
    """Contrast of a one-coloured surface grows as light comes lower."""
    above, grazing = (shade(one_bump(), light_from(p, 45), auto_exposure=False).std() for p in (5, 75))
    assert grazing > 1.5 * above


def test_one_light_serves_a_batch_and_each_light_its_material():
    maps = material(16, 16, B=3)
    lights = random_lights(torch.Generator().manual_seed(0), 3)
    each = shade(maps, lights)
    for i in range(3):
        light = Light(*(x[i : i + 1] for x in (lights.direction, lights.energy, lights.horizon)))
        torch.testing.assert_close(each[i : i + 1], shade(maps.select(i), light), rtol=0, atol=1e-6)
        torch.testing.assert_close(shade(maps, light)[i : i + 1], each[i : i + 1], rtol=0, atol=1e-6)


@pytest.mark.parametrize(("grey", "brighter"), [(0.15, True), (1.0, False)])
def test_exposure_helps_but_keeps_coal_black(grey, brighter):
    maps = material(16, 16, basecolor=grey, metallic=0.0, roughness=0.9, height=0.5)
    fixed, auto = (shade(maps, light_from(40, 0), auto_exposure=e).mean() for e in (False, True))
    assert (auto > fixed) == brighter
    assert fixed / GAIN[1] < auto < fixed * GAIN[1]
    assert (auto < 0.45) == brighter


def test_random_lights_are_where_they_should_be():
    lights = random_lights(torch.Generator().manual_seed(1), 4000)
    polar = torch.rad2deg(lights.direction[:, 2].acos())
    grazing = polar > 65
    assert 0.13 < grazing.float().mean() < 0.2
    assert polar[~grazing].min() > 25 - 1e-3
    assert polar[~grazing].max() < 60 + 1e-3
    assert polar[grazing].min() > 70 - 1e-3
    assert polar[grazing].max() < 80 + 1e-3
    for unit in (lights.direction, lights.horizon):
        torch.testing.assert_close(unit.norm(dim=1), torch.ones(4000))
        assert unit[:, :2].mean(0).abs().max() < 0.05
    assert lights.energy[:, 1].min() >= 0.8
    assert lights.energy[:, 1].max() <= 1.4
    ratio = lights.energy[:, 0] / lights.energy[:, 2]
    assert 0.85 < ratio.min() < 0.87
    assert 1.15 < ratio.max() < 1.17


def test_random_lights_come_from_the_generator_alone():
    a, b = (random_lights(torch.Generator().manual_seed(5), 4) for _ in range(2))
    assert torch.equal(a.direction, b.direction)
    assert torch.equal(a.energy, b.energy)
    assert torch.equal(a.horizon, b.horizon)
    assert not torch.equal(a.direction, random_lights(torch.Generator().manual_seed(6), 4).direction)


def test_edges_that_do_not_tile_are_not_lit_by_the_far_side():
    """A ramp has a cliff where it wraps; without wrapping it is one even slope."""
    ramp = torch.linspace(0, 1, 32).expand(1, 1, 32, 32)
    maps = replace(material(32, 32, basecolor=0.5, roughness=0.9, metallic=0.0, relief=0.2), height=ramp)
    light = light_from(60, 0)
    torus, strip = (
        shade(maps, light, wrap, auto_exposure=False)[0, 0, 16] for wrap in ((True, True), (True, False))
    )
    assert (torus[0] - torus[16]).abs() > 0.1
    assert (strip[0] - strip[16]).abs() < 1e-3
