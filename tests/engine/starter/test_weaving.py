"""Threads and strips: what grown and woven materials are made of."""

from __future__ import annotations

import numpy as np
import pytest

from engine.starter.materials import sample
from engine.starter.materials.registry import Canvas
from engine.starter.materials.strip_primitives import strip
from engine.starter.materials.textile_primitives import weave

GREY = np.full((3, 3), 0.5, np.float32)


def grid(n):
    t = (np.arange(n, dtype=np.float32) + 0.5) / n
    return t[None, :], t[:, None]


@pytest.mark.parametrize(("cycle", "floats"), [(2, 1), (3, 2), (4, 2)])
def test_the_warp_shows_for_its_share_of_the_crossings(cycle, floats):
    u, v = grid(96)
    cloth = weave(u, v, 12, 12, cycle, floats, width=(1.0, 1.0))
    middles = cloth.over[4::8, 4::8]  # a thread's lane is 8 pixels wide
    assert middles.mean() == pytest.approx(floats / cycle)


def test_thin_threads_leave_square_gaps():
    u, v = grid(128)
    cloth = weave(u, v, 8, 8, width=(0.5, 0.5))
    assert (cloth.height == 0).mean() == pytest.approx(0.25, abs=0.02)


def test_cloth_that_would_not_tile_is_refused():
    u, v = grid(8)
    with pytest.raises(ValueError, match="do not repeat"):
        weave(u, v, 10, 9, 3, 2)


@pytest.mark.parametrize("angle", [0.0, 0.7, 2.0])
def test_a_strip_covers_its_area_wherever_it_lies(angle):
    canvas = Canvas(sample(1, "bark"), 256, GREY)
    layer = np.zeros((256, 256), np.float32)
    strip(canvas, np.array([0.02, 0.97]), angle, 0.3, 0.05).paint(layer, 1.0)
    assert layer.mean() == pytest.approx(0.3 * 0.05, rel=0.05)
