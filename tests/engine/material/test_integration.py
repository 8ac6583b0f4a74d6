"""Heights from normals: the way there and back."""

from __future__ import annotations

import math

import pytest
import torch

from engine.material.integration import height_from_normal
from engine.material.maps import normal_from_height


def waves(size=64):
    t = torch.arange(size) / size * 2 * math.pi
    surface = (
        (2 * t).sin()[:, None] + 0.5 * (3 * t).cos()[None, :] + 0.3 * (t[:, None] + 2 * t[None, :]).sin()
    )
    low, high = surface.min(), surface.max()
    return ((surface - low) / (high - low))[None, None]


def test_the_normals_of_a_surface_give_it_back():
    height, relief = waves(), torch.tensor([0.03])
    found, found_relief = height_from_normal(normal_from_height(height, relief))
    assert float((found - height).abs().max()) < 0.03
    assert float(found_relief) == pytest.approx(0.03, rel=0.05)


def test_convention_what_faces_up_is_the_upper_side_of_a_hill():
    y = torch.linspace(-math.pi, math.pi, 65)[:-1]
    hill = (y.cos()[:, None] * 0.5 + 0.5).repeat(1, 64)[None, None]
    found, _ = height_from_normal(normal_from_height(hill, torch.tensor([0.1])))
    assert float(found[0, 0, 32].mean()) > 0.9
    assert float(found[0, 0, 0].mean()) < 0.1


def test_a_flat_map_is_the_middle_with_no_relief():
    flat = torch.tensor([0.5, 0.5, 1.0])[None, :, None, None].expand(1, 3, 8, 8)
    height, relief = height_from_normal(flat)
    assert float((height - 0.5).abs().max()) == 0
    assert float(relief) < 1e-4
