"""The map estimator: seamless by construction, and clear about what it takes."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis.strategies import integers
from pydantic import ValidationError

from engine.material.from_picture import maps_from_picture
from engine.material.resize import resized
from engine.models.estimator import Estimator, EstimatorConfig
from engine.models.vqgan import PLANE, TORUS

SMALL = EstimatorConfig(ch=16, norm_groups=4)


def network(cfg=SMALL, seed=0):
    """With random weights throughout: a fresh one says the same of every picture."""
    torch.manual_seed(seed)
    model = Estimator(cfg).eval().requires_grad_(False)
    torch.nn.init.normal_(model.conv_out.weight, std=0.05)
    return model


@pytest.fixture(scope="module")
def estimator():
    return network()


@pytest.mark.parametrize("wrap", [TORUS, PLANE])
def test_a_picture_between_two_sizes_keeps_its_pixels_and_gets_its_maps(wrap):
    """Its sides are multiples of 8 and the estimator's of 16: it looks at a larger one."""
    model = Estimator(SMALL).eval().requires_grad_(False)
    torch.nn.init.zeros_(model.conv_out.bias)  # untrained, it takes no light away
    picture = torch.rand(1, 3, 40, 56, generator=torch.Generator().manual_seed(3))
    maps = maps_from_picture(picture, model, wrap)
    assert maps.height.shape == (1, 1, 40, 56)
    torch.testing.assert_close(maps.basecolor, picture)
    larger = maps_from_picture(resized(picture, 48, 64, wrap).clamp(0, 1), model, wrap)
    torch.testing.assert_close(maps.relief, larger.relief)


class Halving(Estimator):
    """Takes half of every colour for light, and the green for the height."""

    def forward(self, picture, wrap=TORUS):
        green = picture[:, 1:2]
        return torch.cat([picture / 2, *[green] * (len(self.cfg.channels) - 3)], 1)


def test_what_is_found_at_a_larger_size_is_brought_back():
    """Smooth maps come back as they were; what is no light stays as sharp as it is."""
    y, x = torch.meshgrid(torch.arange(40), torch.arange(56), indexing="ij")
    wave = (0.5 + 0.3 * torch.sin(2 * torch.pi * (y / 40 + x / 56))).expand(1, 3, 40, 56)
    maps = maps_from_picture(wave, Halving(SMALL).eval())
    torch.testing.assert_close(maps.height, wave[:, :1], rtol=0, atol=2e-3)
    torch.testing.assert_close(maps.basecolor, wave / 2, rtol=0, atol=2e-3)


@given(dy=integers(0, 3), dx=integers(0, 3), seed=integers(0, 2**32 - 1))
def test_estimating_commutes_with_rolling(estimator, dy, dx, seed):
    """Seamless by construction: the maps of a rolled picture are the rolled maps."""
    picture = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(seed))
    shift = (16 * dy, 16 * dx)
    rolled, maps = estimator(picture.roll(shift, (-2, -1))), estimator(picture)
    assert maps.std((-2, -1)).min() > 1e-3
    torch.testing.assert_close(rolled, maps.roll(shift, (-2, -1)), rtol=0, atol=1e-4)


@pytest.mark.parametrize(("wrap", "axis"), [((True, False), -2), ((False, True), -1)])
def test_one_axis_can_tile_alone(estimator, wrap, axis):
    picture = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(4))
    maps = estimator(picture, wrap)
    torch.testing.assert_close(
        estimator(picture.roll(16, axis), wrap), maps.roll(16, axis), rtol=0, atol=1e-4
    )
    other = -3 - axis
    difference = estimator(picture.roll(16, other), wrap) - maps.roll(16, other)
    assert difference.abs().max() > 1e-3


def test_the_edge_matters_only_where_it_does_not_tile(estimator):
    picture = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(5))
    difference = (estimator(picture, PLANE) - estimator(picture, TORUS)).abs()
    assert difference.max() > 1e-3


def test_a_fresh_network_takes_the_picture_for_the_base_colour():
    picture = torch.rand(2, 3, 32, 48)
    maps = Estimator(SMALL)(picture)
    assert maps.shape == (2, 7, 32, 48)
    torch.testing.assert_close(maps[:, :3], picture, rtol=0, atol=0.1)  # up to the fresh bias


@pytest.mark.parametrize("size", [(64, 60), (40, 64)])
def test_other_sizes_are_named_with_the_way_out(estimator, size):
    with pytest.raises(ValueError, match=rf"multiples of 16 px, not {size[1]} x {size[0]}: resize"):
        estimator(torch.rand(1, 3, *size))


def test_the_shipped_shape_is_small():
    assert sum(p.numel() for p in Estimator(EstimatorConfig()).parameters()) < 3e6


@pytest.mark.parametrize(
    "wrong",
    [
        {"channels": ("red", "green", "blue", "height")},
        {"channels": ("height", "red", "green", "blue", "roughness", "metallic", "relief")},
        {"ch": 20, "norm_groups": 8},
        {"border": "mirror"},
        {"depth": 3},
    ],
)
def test_a_configuration_that_cannot_work_is_refused(wrong):
    with pytest.raises(ValidationError):
        EstimatorConfig(**wrong)


def test_maps_go_by_their_names():
    names = ("red", "green", "blue", "relief", "metallic", "height", "roughness")
    model = network(SMALL.model_copy(update={"channels": names}))
    picture = torch.rand(2, 3, 32, 32)
    maps, raw = maps_from_picture(picture, model), model(picture)
    assert torch.equal(maps.height, raw[:, 5:6]) and torch.equal(maps.metallic, raw[:, 4:5])
    assert torch.equal(maps.basecolor, raw[:, :3]) and torch.equal(maps.roughness, raw[:, 6:7])


def test_relief_follows_the_width(estimator):
    """Four copies of a tile show the same slopes: against twice the width they are half as deep."""
    picture = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(6))
    once, four = (maps_from_picture(p, estimator) for p in (picture, picture.tile(1, 1, 2, 2)))
    torch.testing.assert_close(four.height[..., :64, :64], once.height, rtol=0, atol=1e-4)
    assert float(once.relief / four.relief) == pytest.approx(2, rel=1e-3)
