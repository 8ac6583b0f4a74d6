"""Layouts: every unit is there once, whole, as large as it should be, and no seam parts it."""

from __future__ import annotations

import numpy as np
import pytest

from engine.starter.materials import layouts

SIZE = 96
T = (np.arange(SIZE, dtype=np.float32) + 0.5) / SIZE
U, V = T[None, :], T[:, None]


def areas(ids):
    return np.unique(ids, return_counts=True)[1]


@pytest.mark.parametrize("bricks", [2, 3])
def test_basket_weave_has_bricks_of_one_size_half_of_them_level(bricks):
    blocks, level = layouts.basket_weave(U, V, 4, bricks)
    assert set(areas(blocks.ids)) == {SIZE * SIZE // (16 * bricks)}
    assert level.mean() == 0.5
    assert np.abs(blocks.x).max() < 0.5 and np.abs(blocks.y).max() < 0.5


def test_basket_weave_refuses_what_would_not_tile():
    with pytest.raises(ValueError, match="even"):
        layouts.basket_weave(U, V, 3, 2)


@pytest.mark.parametrize(("columns", "pairs"), layouts.HEXAGONS)
def test_hexagons_are_alike(columns, pairs):
    tiles = layouts.hexagons(U, V, columns, pairs)
    found = areas(tiles.ids)
    assert len(found) == 2 * columns * pairs
    assert np.ptp(found) <= 0.2 * found.mean() + 4
    assert tiles.depth.max() <= 0.5 / columns


def test_depth_is_the_distance_to_the_border():
    """It never rises by more than the way from pixel to pixel, and is 0 between two tiles."""
    for tiles in (layouts.hexagons(U, V, 7, 4), layouts.scallops(U, V, 4)):
        for axis in (0, 1):
            beside = np.roll(tiles.depth, 1, axis)
            assert np.abs(beside - tiles.depth).max() < 1.02 / SIZE
            parted = np.roll(tiles.ids, 1, axis) != tiles.ids
            assert np.minimum(beside, tiles.depth)[parted].max() < 1 / SIZE


def test_scallops_are_alike_and_round_below():
    tiles = layouts.scallops(U, V, 4)
    found = areas(tiles.ids)
    assert len(found) == 4 * 8
    assert np.ptp(found) <= 0.1 * found.mean()
    below = tiles.y > 0
    assert np.hypot(tiles.x, tiles.y)[below].max() <= 0.5


def test_courses_cover_the_tile_with_whole_stones():
    blocks = layouts.courses(U, V, 5, 3, seed=4)
    expected = np.broadcast_to(blocks.width * blocks.height, blocks.ids.shape)
    assert len(areas(blocks.ids)) == 15
    for stone in np.unique(blocks.ids):
        here = blocks.ids == stone
        np.testing.assert_allclose(here.mean(), expected[here].mean(), atol=0.006)


def test_rings_are_low_at_the_sites_and_smooth_between():
    far = layouts.rings(U, V, 3, 0.0, seed=1)
    assert far[16, 16] < 0.05 and far[32, 32] > 0.4
    np.testing.assert_allclose(far, np.roll(far, SIZE // 3, 0), atol=1e-4)
    assert np.abs(far - np.roll(far, 1, 0)).max() < 3.1 / SIZE


def test_a_patch_wraps_and_leads_to_its_centre():
    window, dx, dy = layouts.patch(32, (0, 0), (0.02, 0.5), 0.1)
    picture = np.full((32, 32), 9.0)
    picture[window] = np.hypot(dx, dy)
    assert picture.argmin() % 32 == 0
    assert picture[16, 31] < 0.1 and picture[16, 16] == 9
