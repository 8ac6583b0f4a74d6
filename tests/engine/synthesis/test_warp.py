"""The one lookup a pixel, against a reference that goes pixel by pixel."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.strategies import booleans, integers, sampled_from, tuples
from torch import Tensor

from engine.synthesis.warp import LEVEL_BIAS, fold, level_of, pyramid, warp

TORUS, PLANE = (True, True), (False, False)


def place(scale: float = 1.0, dx: float = 0.0, dy: float = 0.0) -> Tensor:
    """A matrix (1, 1, 3, 3) that scales, then shifts."""
    return torch.tensor([[[[scale, 0.0, dx], [0.0, scale, dy], [0.0, 0.0, 1.0]]]])


def random_matrices(B: int, n: int, reach: float, seed: int) -> Tensor:
    """Matrices (B, n, 3, 3) that turn, shrink or magnify up to 5 times, lead far outside and converge."""
    g = torch.Generator().manual_seed(seed)
    scale = torch.empty(B, n, 1, 1).uniform_(-1, 2.3, generator=g).exp2()
    m = torch.zeros(B, n, 3, 3)
    m[..., :2, :2] = scale * (torch.eye(2) + torch.empty(B, n, 2, 2).uniform_(-0.4, 0.4, generator=g))
    m[..., :2, 2] = torch.empty(B, n, 2).uniform_(-reach, reach, generator=g)
    m[..., 2, :2] = torch.empty(B, n, 2).uniform_(-0.02, 0.02, generator=g)
    m[..., 2, 2] = 1
    return m


def halved(x: np.ndarray) -> np.ndarray:
    """(H, W) → half of it, pixel i the mean of all pixels that touch i/h..(i+1)/h of the side."""
    h, w = (math.ceil(side / 2) for side in x.shape)
    out = np.empty((h, w))
    for i, j in product(range(h), range(w)):
        rows = slice(i * x.shape[0] // h, math.ceil((i + 1) * x.shape[0] / h))
        columns = slice(j * x.shape[1] // w, math.ceil((j + 1) * x.shape[1] / w))
        out[i, j] = x[rows, columns].mean()
    return out


def pixel(x: np.ndarray, row: int, column: int, tile: tuple[bool, bool]) -> float:
    """One pixel of the endless picture: repeated or mirrored."""
    at = []
    for i, side, tiles in zip((row, column), x.shape, tile, strict=True):
        folded = i % side if tiles else i % (2 * side)
        at.append(folded if folded < side else 2 * side - 1 - folded)
    return x[at[0], at[1]]


def bilinear(x: np.ndarray, u: float, v: float, tile: tuple[bool, bool]) -> float:
    """The endless picture at (u, v), px from its corner."""
    column, row = math.floor(u - 0.5), math.floor(v - 0.5)
    a, b = u - 0.5 - column, v - 0.5 - row
    total = 0.0
    for i, j in product((0, 1), (0, 1)):
        total += (b if i else 1 - b) * (a if j else 1 - a) * pixel(x, row + i, column + j, tile)
    return total


def reference(x: np.ndarray, m: np.ndarray, s: int, tile: tuple[bool, bool]) -> np.ndarray:
    """A view (s, s) of one channel (H, W), as slowly as it can be said."""
    levels = [x]
    while min(levels[-1].shape) > 1:
        levels.append(halved(levels[-1]))

    def seen(u: float, v: float) -> tuple[float, float]:
        a, b, w = m @ (u, v, 1)
        return a / w, b / w

    eps = 1e-4
    c = s / 2
    along_x, along_y = (
        (np.subtract(seen(c + du, c + dv), seen(c - du, c - dv))) / (2 * eps)
        for du, dv in ((eps, 0), (0, eps))
    )
    spanned = abs(along_x[0] * along_y[1] - along_x[1] * along_y[0])
    level = min(max(0.5 * math.log2(spanned) + LEVEL_BIAS, 0), len(levels) - 1)
    k, share = math.floor(level), level - math.floor(level)
    view = np.zeros((s, s))
    for i, j in product(range(s), range(s)):
        u, v = seen(j + 0.5, i + 0.5)
        for number, weight in ((k, 1 - share), (min(k + 1, len(levels) - 1), share)):
            y = levels[number]
            view[i, j] += weight * bilinear(y, u * y.shape[1] / x.shape[1], v * y.shape[0] / x.shape[0], tile)
    return view


@given(
    size=tuples(integers(1, 17), integers(1, 17)),
    s=integers(1, 5),
    tile=tuples(booleans(), booleans()),
    seed=integers(0, 2**32 - 1),
)
def test_views_agree_with_the_reference(size, s, tile, seed):
    B, n, C = 2, 2, 2
    pictures = torch.rand(B, C, *size, generator=torch.Generator().manual_seed(seed))
    m = random_matrices(B, n, 40, seed)
    views = warp(pictures, m, s, tile)
    assert views.shape == (B, n, C, s, s)
    for b, k, c in product(range(B), range(n), range(C)):
        expected = reference(pictures[b, c].double().numpy(), m[b, k].double().numpy(), s, tile)
        # 2e-4: coordinates up to 200 px in float32, between neighbours that differ by up to 1
        np.testing.assert_allclose(views[b, k, c].numpy(), expected, rtol=0, atol=2e-4)


def test_convention_the_matrix_maps_the_view_to_the_picture():
    """Shifted by (+1, +2), the view's first pixel shows column 1, row 2."""
    picture = torch.rand(1, 1, 6, 5)
    view = warp(picture, place(dx=1, dy=2), 3, TORUS)[0, 0, 0]
    torch.testing.assert_close(view, picture[0, 0, 2:5, 1:4], rtol=0, atol=1e-5)


def test_convention_coordinates_count_from_the_corner():
    """Twice as coarse a view shows means of 2 x 2 pixels, from the first on: not half a pixel off."""
    picture = torch.rand(1, 2, 8, 8)
    view = warp(picture, place(scale=2), 4, PLANE)[0, 0]
    torch.testing.assert_close(view, torch.nn.functional.avg_pool2d(picture, 2)[0], rtol=0, atol=1e-5)


def test_convention_tile_names_the_vertical_axis_first():
    picture = torch.zeros(1, 1, 4, 4)
    picture[..., 0, :] = 1  # top row
    above = warp(picture, place(dy=4), 4, (True, False))[0, 0, 0]
    assert above[0].min() > 0.99, "a picture that tiles vertically starts again below its bottom"
    above = warp(picture, place(dy=4), 4, (False, True))[0, 0, 0]
    assert above[3].min() > 0.99 and above[0].max() < 0.01, "a picture that does not is mirrored there"


@given(size=tuples(integers(1, 20), integers(1, 20)), tile=tuples(booleans(), booleans()))
def test_the_identity_gives_the_picture_back(size, tile):
    picture = torch.rand(2, 3, *size)
    s = max(size)
    view = warp(picture, torch.eye(3).expand(2, 1, 3, 3), s, tile)[:, 0, :, : size[0], : size[1]]
    torch.testing.assert_close(view, picture, rtol=0, atol=1e-5)


@given(
    dy=integers(0, 7),
    dx=integers(0, 7),
    log2_scale=sampled_from((0, 0.7, 1.4, 2)),
    seed=integers(0, 2**32 - 1),
)
def test_views_of_a_rolled_picture_roll_along(dy, dx, log2_scale, seed):
    """On the torus no place is special: no border shows, at any level."""
    levels = max(0, math.ceil(log2_scale + 0.5 + LEVEL_BIAS))
    dy, dx = dy * 2**levels, dx * 2**levels  # a level only knows rolls by whole pixels of its own
    picture = torch.rand(1, 3, 32, 48, generator=torch.Generator().manual_seed(seed))
    m = random_matrices(1, 3, 60, seed)
    m[..., :2, :2] = (
        m[..., :2, :2] / torch.linalg.det(m[..., :2, :2]).abs().sqrt()[..., None, None] * 2**log2_scale
    )
    m[..., 2, :2] *= 0.1
    shift = torch.eye(3)
    shift[:2, 2] = torch.tensor([dx, dy])
    assert level_of(m, 8).max() <= levels
    expected = warp(picture, m, 8, TORUS)
    rolled = warp(picture.roll((dy, dx), dims=(-2, -1)), shift @ m, 8, TORUS)
    # 1e-4: coordinates beyond 100 px in float32 are good to 1e-5, and white noise is as steep as can be
    torch.testing.assert_close(rolled, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("scale", [1, 2.5, 4])
def test_the_far_border_never_shows_where_the_axis_does_not_tile(scale):
    """A bright right border must not leak into views of the left one, not even through the pyramid."""
    picture = torch.zeros(1, 1, 64, 64)
    picture[..., -1] = 1
    views = warp(picture, place(scale=scale, dx=-6), 12, (True, False))
    assert views.abs().max() < 1e-6
    assert warp(picture, place(scale=scale, dx=-6), 12, TORUS).max() > 0.1, (
        "the same view of a torus shows it"
    )


@pytest.mark.parametrize(("side", "scale"), [(64, 4.0), (64, 3.3), (64, 5.7), (63, 9.0)])
def test_a_fine_checkerboard_seen_from_afar_is_grey(side, scale):
    """A lookup without a pyramid shows black and white patches there, and the guide would chase them."""
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    board = ((x + y) % 2).float()[None, None]
    m = place(scale=scale, dx=0.3, dy=0.6) @ torch.tensor([[0.98, -0.17, 0], [0.17, 0.98, 0], [0, 0, 1]])
    view = warp(board, m, 10, (side % 2 == 0, side % 2 == 0))
    assert (view - 0.5).abs().max() < (1e-5 if side % 2 == 0 else 0.06)


def test_views_are_as_sharp_as_64_samples_a_pixel_would_make_them():
    """Scales between two levels: neither blurred nor aliased by more than a fifth of the contrast."""
    g = torch.Generator().manual_seed(5)
    noise = torch.nn.functional.avg_pool2d(torch.rand(1, 1, 130, 130, generator=g), 3, stride=1)
    for scale in (1.3, 1.8, 2.4, 3.3):
        m = place(scale=scale, dx=3.3, dy=5.1)
        many = warp(noise, place(scale=scale / 8, dx=3.3, dy=5.1), 8 * 32, TORUS)[:, 0]
        error = warp(noise, m, 32, TORUS)[:, 0] - torch.nn.functional.avg_pool2d(many, 8)
        assert error.std() < noise.std() / 5


@given(size=tuples(integers(1, 33), integers(1, 33)))
def test_a_constant_stays_constant_at_every_level(size):
    """The frame and the unused rest of the atlas never show."""
    picture = torch.ones(1, 1, *size)
    views = warp(picture, random_matrices(1, 16, 100, 3), 6, PLANE)
    torch.testing.assert_close(views, torch.ones_like(views), rtol=0, atol=1e-4)
    assert [tuple(x.shape[-2:]) for x in pyramid(picture)][-1][0 if size[0] <= size[1] else 1] == 1


def test_folding_is_periodic_or_a_mirror():
    x = torch.tensor([-1.5, -0.25, 0.25, 3.75, 4.25, 9.5])
    torch.testing.assert_close(fold(x, 4, tiles=True), torch.tensor([2.5, 3.75, 0.25, 3.75, 0.25, 1.5]))
    torch.testing.assert_close(fold(x, 4, tiles=False), torch.tensor([1.5, 0.25, 0.25, 3.75, 3.75, 1.5]))


def test_the_gradient_is_that_of_the_numbers():
    pictures = torch.rand(1, 1, 6, 8, requires_grad=True)
    m = random_matrices(1, 2, 10, 1)
    weight = torch.rand(1, 2, 1, 4, 4)
    (warp(pictures, m, 4, (True, False)) * weight).sum().backward()
    with torch.no_grad():  # a warp is linear, so a difference quotient is exact for any step
        for i, j in ((0, 0), (2, 3), (5, 7), (0, 7)):
            one = torch.zeros_like(pictures)
            one[..., i, j] = 1
            expected = (warp(one, m, 4, (True, False)) * weight).sum()
            torch.testing.assert_close(pictures.grad[0, 0, i, j], expected, rtol=0, atol=1e-5)
