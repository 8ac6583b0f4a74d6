"""S99: tiles pass, cuts do not, and only axes that are meant to tile count."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.material.maps import DecodedMaps, luminance
from engine.material.seams import SEAMLESS, seam_score
from tests.engine.material.surfaces import material


def cropped(maps: DecodedMaps, keep: float = 0.83) -> DecodedMaps:
    """The upper left of a tile: its edges do not meet."""
    H, W = (round(n * keep) for n in maps.height.shape[-2:])
    cut = {k: x[..., :H, :W] for k, x in vars(maps).items() if k != "relief"}
    return replace(maps, **cut)


def bricks(n: int = 64) -> Tensor:
    """Height of running bond with a joint in row and column 0: the wrap falls on a real edge."""
    y, x = torch.meshgrid(torch.arange(n), torch.arange(n), indexing="ij")
    shifted = x + (y // 16 % 2) * 8
    return ((y % 16 > 1) & (shifted % 16 > 1)).float()[None, None]


def slow_s99(picture: np.ndarray, axis: int) -> float:
    lines = np.moveaxis(picture, axis, 0)
    d = [np.abs(lines[k + 1] - lines[k]).mean() for k in range(len(lines) - 1)]
    return np.abs(lines[0] - lines[-1]).mean() / (np.quantile(d, 0.99) + 1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_tiles_pass_and_crops_fail(seed):
    maps = material(64, 96, seed=seed)
    assert float(seam_score(maps)) <= SEAMLESS
    assert float(seam_score(cropped(maps))) > 2


def test_bricks_pass():
    """The plain ratio to the mean step fails them: they have an edge where they wrap."""
    maps = replace(material(64, 64, basecolor=0.5), height=bricks())
    assert float(seam_score(maps)) <= SEAMLESS
    assert float(seam_score(cropped(maps, 0.9))) > SEAMLESS


@pytest.mark.parametrize(("broken", "axis"), [("basecolor", "x"), ("height", "x"), ("height", "y")])
def test_every_map_and_axis_counts(broken, axis):
    """One cut in one map along one axis, and no other number can hide it."""
    maps = material(48, 48)
    ramp = torch.linspace(0, 0.9, 48).reshape((1, -1) if axis == "x" else (-1, 1))
    bad = replace(maps, **{broken: getattr(maps, broken) * 0.1 + ramp})
    assert float(seam_score(bad, axis)) > 5
    assert float(seam_score(bad, "xy")) > 5
    assert float(seam_score(bad, "y" if axis == "x" else "x")) <= SEAMLESS
    assert float(seam_score(bad, "none")) == 0


def test_the_number_is_that_of_the_definition():
    maps = cropped(material(40, 56, B=2))
    expected = [
        max(
            slow_s99(picture[i, 0].double().numpy(), axis)
            for picture in (luminance(maps.basecolor.double()), maps.height)
            for axis in (0, 1)
        )
        for i in range(2)
    ]
    score = seam_score(maps)
    assert score.dtype == torch.float64
    np.testing.assert_allclose(score.numpy(), expected, rtol=1e-9)


def test_flat_maps_have_no_seam():
    assert float(seam_score(material(16, 16, basecolor=0.3, height=0.5))) == 0
