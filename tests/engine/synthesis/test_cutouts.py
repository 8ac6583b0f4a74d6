"""Which views are cut: where, how large, how many of which kind, and for whom."""

from __future__ import annotations

import pytest
import torch
from hypothesis import example, given
from hypothesis.strategies import booleans, floats, integers, lists, tuples
from torch import Tensor
from torch.nn import functional as F

from engine.synthesis.cutouts import INNER_SCALE, MAX_MAGNIFICATION, CutoutParams, Cutouts
from engine.synthesis.seeds import streams
from engine.synthesis.warp import warp

TORUS, PLANE = (True, True), (False, False)
TILES = tuples(booleans(), booleans())


def corners(params: CutoutParams, s: int) -> Tensor:
    """Where the corners of the views lie in the picture: (B, n, 4, 2), x first, clockwise from top left."""
    square = torch.tensor([[0.0, 0, 1], [s, 0, 1], [s, s, 1], [0, s, 1]])
    seen = torch.einsum("bnij,kj->bnki", params.matrix, square)
    return seen[..., :2] / seen[..., 2:]


def sides(params: CutoutParams, s: int) -> Tensor:
    """Lengths of the views' four sides in the picture, px: (B, n, 4)."""
    at = corners(params, s)
    return (at - at.roll(-1, dims=2)).norm(dim=-1)


@pytest.mark.parametrize("picture_px", [(64, 160), (160, 64), (96, 96)])
@given(tile=TILES, progress=floats(0, 1), seed=integers(0, 2**32 - 1))
def test_crops_are_square_in_the_picture(picture_px, tile, progress, seed):
    """A picture that is not square is not squashed: upright squares, whatever its shape."""
    s = 24
    params = Cutouts(s, 6, tile, strength=0).draw(streams([seed], "square"), picture_px, progress)
    m = params.matrix
    torch.testing.assert_close(m[..., 0, 0].abs(), m[..., 1, 1], rtol=1e-4, atol=1e-4)
    for i, j, value in ((0, 1, 0), (1, 0, 0), (2, 0, 0), (2, 1, 0), (2, 2, 1)):
        torch.testing.assert_close(m[..., i, j], torch.full_like(m[..., i, j], value), rtol=0, atol=1e-4)


def test_a_disc_stays_a_disc_in_a_picture_that_is_not_square():
    H, W, s = 60, 120, 40
    y, x = torch.meshgrid(torch.arange(H) - 29.5, torch.arange(W) - 59.5, indexing="ij")
    picture = (18 - (x**2 + y**2).sqrt()).clamp(0, 1)[None, None]
    params = Cutouts(s, 60, PLANE, strength=0).draw(streams([3], "disc"), (H, W), 0.0)
    whole = 0
    for view in warp(picture, params.matrix, s, PLANE)[0, :, 0]:
        disc = view > 0.5
        if disc.any() and not (disc[0].any() or disc[-1].any() or disc[:, 0].any() or disc[:, -1].any()):
            whole += 1
            assert abs(int(disc.any(0).sum()) - int(disc.any(1).sum())) <= 1
    assert whole > 10


@given(
    picture_px=tuples(integers(40, 300), integers(40, 300)),
    tile=TILES,
    progress=floats(0, 1),
    s=integers(16, 128),
)
@example(picture_px=(40, 300), tile=(False, True), progress=0.5, s=128)  # far smaller than the view
def test_crops_stay_inside_where_the_axis_does_not_tile(picture_px, tile, progress, s):
    params = Cutouts(s, 16, tile, strength=0).draw(streams([1], "inside"), picture_px, progress)
    for axis, (side, tiles) in enumerate(zip(picture_px[::-1], tile[::-1], strict=True)):
        at = corners(params, s)[..., axis]
        if not tiles:
            assert at.min() > -1e-3 and at.max() < side + 1e-3


def test_crops_cross_the_border_where_the_axis_tiles():
    params = Cutouts(32, 64, (True, False), strength=0).draw(streams([1], "across"), (64, 64), 1.0)
    assert corners(params, 32)[..., 1].max() > 64 + 8
    assert corners(params, 32)[..., 0].max() < 64 + 1e-3


def test_crops_lie_anywhere_on_the_torus_and_half_of_them_are_flipped():
    params = Cutouts(32, 400, TORUS, strength=0).draw(streams([1], "anywhere"), (64, 128), 0.5)
    centre = corners(params, 32).mean(2)[0] / torch.tensor([128, 64])
    assert torch.histc(centre[:, 0], 4, 0, 1).min() > 70 and torch.histc(centre[:, 1], 4, 0, 1).min() > 70
    assert 0.4 < (params.matrix[..., 0, 0] < 0).float().mean() < 0.6
    assert (params.matrix[..., 1, 1] > 0).all(), "bricks seen upside down, but never a mirrored top"


@pytest.mark.parametrize(("progress", "overviews"), [(0.0, 6), (0.5, 4), (1.0, 2)])
def test_first_the_whole_then_the_details(progress, overviews):
    s, side = 32, 256
    params = Cutouts(s, 8, strength=0).draw(streams([1, 2], "schedule"), (side, 400), progress)
    seen = sides(params, s)[..., 0]
    assert ((seen > 0.79 * side) & (seen < 1.001 * side)).sum(1).tolist() == [overviews] * 2
    assert ((seen > 0.79 * s) & (seen < 1.26 * s)).sum(1).tolist() == [8 - overviews] * 2


def test_half_of_the_overviews_show_the_whole_tile():
    seen = sides(Cutouts(32, 200, strength=0).draw(streams([1], "whole"), (128, 128), 0.0), 32)[0, :150, 0]
    assert 0.35 < ((seen - 128).abs() < 1e-2).float().mean() < 0.65


@given(picture=integers(64, 512), s=integers(32, 224), progress=floats(0, 1), seed=integers(0, 2**32 - 1))
def test_a_tile_is_not_magnified_beyond_one_and_a_half(picture, s, progress, seed):
    """A blurred view tells CLIP nothing: a tile that is too small for it is seen repeated instead."""
    params = Cutouts(s, 8, TORUS, strength=0).draw(streams([seed], "magnified"), (picture, picture), progress)
    assert sides(params, s).min() > s / MAX_MAGNIFICATION - 1e-2
    if picture > INNER_SCALE[1] * s:
        assert sides(params, s).min() > s * INNER_SCALE[0] - 1e-2


def test_strength_bends_views_but_leaves_their_place():
    """The distortions are about the middle of the view, and of the size that they say."""
    s, px = 32, (128, 128)
    plain, bent = (Cutouts(s, 50, strength=k).draw(streams([4], "bent"), px, 0.5) for k in (0.0, 1.0))
    side = sides(plain, s)[..., 0]
    moved = (corners(bent, s) - corners(plain, s)).norm(dim=-1) / side[..., None]
    assert 0.1 < moved.amax() < 0.35
    assert ((corners(bent, s) - corners(plain, s)).mean(2).norm(dim=-1) / side).max() < 0.1
    weak = Cutouts(s, 50, strength=0.25).draw(streams([4], "bent"), px, 0.5)
    less = (corners(weak, s) - corners(plain, s)).norm(dim=-1) / side[..., None]
    assert less.mean() < 0.3 * moved.mean()


@given(
    seeds=lists(integers(0, 2**32), min_size=2, max_size=4, unique=True), tile=TILES, progress=floats(0, 1)
)
def test_a_variation_is_cut_the_same_alone_and_in_company(seeds, tile, progress):
    """Made again alone from its seed, a variation must be the same to the last bit, three steps on."""
    cutouts = Cutouts(20, 3, tile)
    pictures = torch.rand(len(seeds), 3, 32, 48, generator=torch.Generator().manual_seed(0))
    together, alone = streams(seeds, "cutouts"), streams(seeds[-1:], "cutouts")
    for _ in range(3):
        all_views = cutouts(pictures, cutouts.draw(together, (32, 48), progress))
        assert torch.equal(all_views[-1:], cutouts(pictures[-1:], cutouts.draw(alone, (32, 48), progress)))
    assert all_views.shape == (len(seeds), 3, 3, 20, 20)


def test_every_cut_of_every_variation_and_step_is_another():
    draws = streams([5, 6], "cutouts")
    steps = [Cutouts(16, 4).draw(draws, (64, 64), 0.5).matrix.view(-1, 9) for _ in range(2)]
    assert len(torch.cat(steps).unique(dim=0)) == 16
    perspective = torch.cat(steps)[:, 6:8]  # of the last row, where crop, turn and shear leave zeros
    assert len(perspective.unique(dim=0)) == 16


def test_the_same_stream_cuts_the_same_views():
    cutouts, picture = Cutouts(16, 4), torch.rand(1, 3, 64, 64)
    views = [cutouts(picture, cutouts.draw(streams([9], "again"), (64, 64), 0.3)) for _ in range(2)]
    assert torch.equal(*views)
    other = cutouts(picture, cutouts.draw(streams([10], "again"), (64, 64), 0.3))
    assert not torch.equal(views[0], other)


@pytest.mark.parametrize("tile", [TORUS, PLANE])
def test_overviews_reach_every_pixel_with_a_gradient(tile):
    """A pixel without a gradient would keep its first value for ever."""
    cutouts = Cutouts(24, 8, tile)
    pictures = torch.rand(2, 3, 64, 64, requires_grad=True)
    views = cutouts(pictures, cutouts.draw(streams([1, 2], "gradient"), (64, 64), 0.0))
    (views * torch.rand(views.shape)).sum().backward()
    assert pictures.grad.isfinite().all()
    assert (pictures.grad != 0).all()


def test_rolling_a_tile_changes_no_view_if_the_cuts_roll_along():
    cutouts = Cutouts(16, 6)
    pictures = torch.rand(2, 3, 64, 64)
    params = cutouts.draw(streams([1, 2], "roll"), (64, 64), 0.5)
    shift = torch.eye(3)
    shift[:2, 2] = torch.tensor([24.0, 40.0])  # multiples of 8: the coarsest level that these cuts use
    rolled = CutoutParams(shift @ params.matrix, params.augment, params.picture_px)
    expected = cutouts(pictures, params)
    torch.testing.assert_close(
        cutouts(pictures.roll((40, 24), (-2, -1)), rolled), expected, rtol=0, atol=5e-5
    )


def test_half_precision_pictures_are_cut_in_full():
    cutouts = Cutouts(16, 2)
    picture = F.interpolate(torch.rand(1, 3, 8, 8), size=(64, 64), mode="bilinear").bfloat16()
    params = cutouts.draw(streams([1], "bf16"), (64, 64), 0.5)
    views = cutouts(picture, params)
    assert views.dtype == torch.float32
    assert torch.equal(views, cutouts(picture.float(), params))


def test_cuts_for_another_size_are_refused():
    """They would show corners only, and nobody would notice."""
    cutouts = Cutouts(16, 2)
    params = cutouts.draw(streams([1], "size"), (64, 128), 0.5)
    with pytest.raises(ValueError, match=r"\(64, 128\)"):
        cutouts(torch.rand(1, 3, 128, 64), params)
