"""Other sizes: exact across borders that close, and back again."""

from __future__ import annotations

import pytest
import torch

from engine.material.resize import resized
from engine.models.vqgan import PLANE, TORUS


def waves(height, width):
    """(1, 1, height, width) that close on themselves, sampled at pixel centres."""
    y, x = ((torch.arange(n) + 0.5) / n * 2 * torch.pi for n in (height, width))
    return (y.sin()[:, None] * (2 * x).cos()[None])[None, None]


@pytest.mark.parametrize("size", [(256, 256), (144, 208), (64, 96)])
def test_on_the_torus_a_resized_wave_is_the_wave(size):
    torch.testing.assert_close(resized(waves(128, 128), *size), waves(*size), rtol=0, atol=0.01)


def test_on_the_plane_the_far_side_does_not_shine_through():
    x = torch.zeros(1, 1, 64, 64)
    x[..., -4:] = 1
    assert resized(x, 128, 128, PLANE)[..., :8].abs().max() == 0
    assert resized(x, 128, 128, TORUS)[..., :1].abs().max() > 0.01


def test_rolling_before_is_rolling_after():
    x = torch.rand(1, 2, 32, 32)
    torch.testing.assert_close(
        resized(x.roll((3, 5), (-2, -1)), 64, 64),
        resized(x, 64, 64).roll((6, 10), (-2, -1)),
        rtol=0,
        atol=1e-5,
    )
