"""Views of pictures through 3x3 matrices: one anti-aliased lookup a pixel, across borders that tile.

Convention, here and wherever a matrix of a cutout is meant:

- A matrix maps the view to the picture: (x, y, w) = M (x_view, y_view, 1), seen at (x / w, y / w).
- Coordinates are pixels from the top left corner of the top left pixel; x to the right, y down. Pixel i
  covers i..i + 1 and has its centre at i + 0.5. A picture is W x H large, so the identity shows it as it is.
- `tile` is (vertical, horizontal), as everywhere: `tile[1]` says that x runs on past the right border from
  the left one. Along an axis that does not tile, the picture is mirrored at its border.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F  # the field's name for it

LEVEL_BIAS = -0.25
"""Added to the ideal pyramid level. Against 64 samples a pixel, on brick, 1/f and white pictures at
scales 1..4, the error of two blended levels is then a third below that without bias at worst."""


def pyramid(pictures: Tensor) -> list[Tensor]:
    """Pictures (B, C, H, W) and their halvings, down to a side of 1.

    A level has half the side of the one before, rounded up; its pixels are means of 2 x 2. Such a mean
    never reaches over a border, so every level is as seamless as the picture. It commutes with rolling
    by multiples of 2**level pixels, if the sides are such multiples too.
    """
    levels = [pictures]
    while min(levels[-1].shape[-2:]) > 1:
        h, w = levels[-1].shape[-2:]
        levels.append(F.interpolate(levels[-1], ((h + 1) // 2, (w + 1) // 2), mode="area"))
    return levels


def level_of(matrix: Tensor, size_px: int) -> Tensor:
    """The pyramid level, fractional and ≥ 0, at which a view of side `size_px` has about its own resolution.

    It is log2 of the picture pixels that a view pixel spans in the middle of the view, by the root of
    the Jacobian determinant of the homography, |det M / w³|. Below 1, where the view magnifies, 0.

    Args:
        matrix: (..., 3, 3), view → picture.
        size_px: side of the view.

    Returns:
        (...), float.
    """
    middle = matrix.new_tensor([size_px / 2, size_px / 2, 1.0])
    w = (matrix[..., 2, :] * middle).sum(-1)
    area = (torch.linalg.det(matrix) / w**3).abs().clamp(min=1e-12)
    return (area.log2() / 2 + LEVEL_BIAS).clamp(min=0)


def fold(x: Tensor, length: int, *, tiles: bool) -> Tensor:
    """Any coordinate → 0..length: modulo the length where the axis tiles, else mirrored at its ends."""
    if tiles:
        return x.remainder(length)
    return length - (x.remainder(2 * length) - length).abs()


def warp(pictures: Tensor, matrix: Tensor, size_px: int, tile: tuple[bool, bool]) -> Tensor:
    """Looks at pictures through matrices, in one bilinear lookup from each of two pyramid levels.

    Args:
        pictures: (B, C, H, W), any range, any float dtype.
        matrix: (B, n, 3, 3), view → picture, on any device.
        size_px: side s of the views.
        tile: axes (vertical, horizontal) along which the picture repeats.

    Returns:
        (B, n, C, s, s), float32, on the device of the pictures, differentiable with respect to them.
    """
    levels = pyramid(pictures.float())
    atlas = _atlas(levels, tile)
    level = level_of(matrix, size_px).clamp(max=len(levels) - 1)
    fine = level.floor().long()
    coarse = (fine + 1).clamp(max=len(levels) - 1)
    share = (level - fine).to(atlas)[..., None, None, None]
    x, y = _seen(matrix.to(atlas), size_px)
    x, y = fold(x, pictures.shape[-1], tiles=tile[1]), fold(y, pictures.shape[-2], tiles=tile[0])
    views = [_look_up(atlas, x, y, *_place(levels, k, atlas)) for k in (fine, coarse)]
    return views[0].lerp(views[1], share)


def _seen(matrix: Tensor, size_px: int) -> tuple[Tensor, Tensor]:
    """Where the pixels of a view look: x and y, each (B, n, s, s), picture px."""
    centre = torch.arange(size_px, device=matrix.device, dtype=matrix.dtype) + 0.5
    m = matrix[..., None, None]  # (B, n, 3, 3, 1, 1)
    x, y, w = (m[:, :, i, 0] * centre + (m[:, :, i, 1] * centre[:, None] + m[:, :, i, 2]) for i in range(3))
    return x / w, y / w


def _atlas(levels: Sequence[Tensor], tile: tuple[bool, bool]) -> Tensor:
    """All levels below one another, each in a frame of what lies beyond its border, 1 px wide.

    One picture for all levels, because a lookup then needs no loop over cuts, nor over levels.
    """
    framed = []
    width = levels[0].shape[-1]
    beyond = ["circular" if tiles else "replicate" for tiles in tile]  # a mirror repeats its last pixel
    for level in levels:
        x = F.pad(level, (1, 1, 0, 0), beyond[1])
        x = F.pad(x, (0, 0, 1, 1), beyond[0])
        framed.append(F.pad(x, (0, width + 2 - x.shape[-1])))
    return torch.cat(framed, dim=-2)


def _place(levels: Sequence[Tensor], level: Tensor, atlas: Tensor) -> tuple[Tensor, Tensor]:
    """From picture to atlas at given levels (B, n): factor and offset, each (B, n, 2), x first.

    The atlas is measured as `grid_sample` does: -1..1 from its left edge to the right, from top to bottom.
    """
    full = torch.tensor(levels[0].shape[-2:])
    sides = torch.tensor([x.shape[-2:] for x in levels])  # (L, 2), height first
    starts = torch.stack([(sides[:, 0] + 2).cumsum(0) - sides[:, 0] - 1, torch.ones(len(levels))], dim=-1)
    unit = 2 / torch.tensor(atlas.shape[-2:])
    factor, offset = (sides / full * unit).flip(-1), (starts * unit - 1).flip(-1)
    chosen = level.cpu()
    return factor[chosen].to(atlas), offset[chosen].to(atlas)


def _look_up(atlas: Tensor, x: Tensor, y: Tensor, factor: Tensor, offset: Tensor) -> Tensor:
    """Bilinear values (B, n, C, s, s) at x, y (B, n, s, s), picture px, by factor and offset (B, n, 2)."""
    B, n, s = x.shape[:3]
    a, b = factor[..., None, None], offset[..., None, None]
    grid = torch.stack([torch.addcmul(b[:, :, i], u, a[:, :, i]) for i, u in enumerate((x, y))], dim=-1)
    # The views of a variation stand below one another, so that its atlas is not copied for each of them.
    seen = F.grid_sample(atlas, grid.view(B, n * s, s, 2), align_corners=False)  # (B, C, n·s, s)
    return seen.unflatten(2, (n, s)).transpose(1, 2).contiguous()
