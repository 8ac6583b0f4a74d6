"""Cutouts: the views of a picture that a CLIP is shown, one resampling each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from kornia.geometry.transform import get_affine_matrix2d, get_perspective_transform
from torch import Tensor

from engine.synthesis.augment import AugmentParams, augment, draw_augment
from engine.synthesis.seeds import chance, log_uniform, uniform
from engine.synthesis.warp import warp

OVERVIEW_SHARE = (0.75, 0.25)
"""Share of overview cuts at the start and at the end of a run: first the whole, then its details."""

OVERVIEW_SIDE = (0.8, 1.2)  # of the shorter side, held at 1: half of the overviews show it whole
INNER_SCALE = (0.8, 1.25)  # picture px a view px
MAX_MAGNIFICATION = 1.5
ROTATION_DEG = 10.0
SHEAR_RAD = math.radians(4)
PERSPECTIVE = 0.08  # how far a corner moves at most, as a share of the view's side


@dataclass(frozen=True)
class CutoutParams:
    """How n views of each of B variations are cut. CPU tensors, float32, batch first.

    Attributes:
        matrix: (B, n, 3, 3), view px → picture px, by the convention of `warp`.
        augment: what is done to the views afterwards.
        picture_px: (height, width) of the pictures that they were drawn for.
    """

    matrix: Tensor
    augment: AugmentParams
    picture_px: tuple[int, int]


@dataclass(frozen=True)
class Cutouts:
    """Cuts views for a CLIP out of pictures.

    Crop, flip, rotation, shear and perspective are one matrix a cut, and one resampling. Overview cuts show
    the shorter side of the picture, or most of it; inner cuts are as fine as the picture, so that no
    detail is too small for the guide. Views are square in picture pixels: nothing is squashed. They lie
    anywhere along an axis that tiles, across its border too, and inside the picture along one that does not.

    `draw` chooses, calling cuts. Apart, so that pictures to compare can be cut alike.

    Attributes:
        size_px: side s of a view: the input of the CLIP.
        count: views n of a picture.
        tile: axes (vertical, horizontal) along which the picture repeats.
        strength: of rotation, shear, perspective and everything in `augment`: 0 leaves plain crops, flipped
            or not; 1 is what guiding takes.
        grey: share of views without colour, 0..1. None, unless asked: here colour belongs to the prompt.
    """

    size_px: int
    count: int
    tile: tuple[bool, bool] = (True, True)
    strength: float = 1.0
    grey: float = 0.0

    def draw(
        self, streams: Sequence[torch.Generator], picture_px: tuple[int, int], progress: float
    ) -> CutoutParams:
        """Draws how the next `count` views of every variation are cut.

        Args:
            streams: a CPU generator a variation. A variation takes from its own alone.
            picture_px: (height, width).
            progress: 0..1, how much of the run is over: overview cuts give way to inner ones.
        """
        return CutoutParams(
            matrix=self._draw_matrix(streams, picture_px, progress),
            augment=draw_augment(streams, self.count, self.size_px, strength=self.strength, grey=self.grey),
            picture_px=picture_px,
        )

    def __call__(self, pictures: Tensor, params: CutoutParams) -> Tensor:
        """Cuts views out of pictures, differentiably.

        Args:
            pictures: (B, 3, H, W) in 0..1 sRGB, any float dtype, any device.
            params: drawn for B variations and pictures of this size.

        Returns:
            (B, n, 3, s, s), float32, about 0..1, on the device of the pictures.

        Raises:
            ValueError: the pictures have another size than `params` were drawn for.
        """
        if tuple(pictures.shape[-2:]) != params.picture_px:
            raise ValueError(
                f"Cutouts for pictures of {params.picture_px} px, not {tuple(pictures.shape[-2:])}"
            )
        return augment(warp(pictures, params.matrix, self.size_px, self.tile), params.augment)

    def _draw_matrix(
        self, streams: Sequence[torch.Generator], picture_px: tuple[int, int], progress: float
    ) -> Tensor:
        """Matrices (B, n, 3, 3), view → picture: perspective, then shear, flip, scale, rotation, place."""
        B, n, s = len(streams), self.count, self.size_px
        side = self._draw_side(streams, picture_px, progress)  # (B, n)
        centre = self._draw_centre(streams, picture_px, side)  # (B, n, 2)
        flip = 1 - 2 * chance(streams, (n,), 0.5).float()
        angle = uniform(streams, (n,), -ROTATION_DEG, ROTATION_DEG) * self.strength
        shear = uniform(streams, (n, 2), -SHEAR_RAD, SHEAR_RAD) * self.strength
        reach = PERSPECTIVE * s * self.strength
        moved = uniform(streams, (n, 4, 2), -reach, reach)

        middle = torch.full((B * n, 2), s / 2)
        affine = get_affine_matrix2d(
            translations=centre.view(-1, 2) - middle,
            center=middle,
            scale=torch.stack([side * flip, side], dim=-1).view(-1, 2) / s,
            angle=angle.flatten(),
            sx=shear[..., 0].flatten(),
            sy=shear[..., 1].flatten(),
        )
        corners = torch.tensor([[0.0, 0.0], [s, 0.0], [s, s], [0.0, s]]).expand(B * n, 4, 2)
        perspective = get_perspective_transform(corners, corners + moved.view(-1, 4, 2))
        return (affine @ perspective).view(B, n, 3, 3)

    def _draw_side(
        self, streams: Sequence[torch.Generator], picture_px: tuple[int, int], progress: float
    ) -> Tensor:
        """Sides (B, n) of the crops, picture px: overviews first, then inner ones."""
        shorter = min(picture_px)
        start, end = OVERVIEW_SHARE
        overviews = round(self.count * (start + (end - start) * progress))
        whole = shorter * uniform(streams, (self.count,), *OVERVIEW_SIDE)
        inner = self.size_px * log_uniform(streams, (self.count,), *INNER_SCALE)
        side = torch.where(torch.arange(self.count) < overviews, whole, inner).clamp(max=shorter)
        # A small tile is rather seen repeated than blurred; what does not repeat must stay inside.
        return side.clamp(min=self.size_px / MAX_MAGNIFICATION) if all(self.tile) else side

    def _draw_centre(
        self, streams: Sequence[torch.Generator], picture_px: tuple[int, int], side: Tensor
    ) -> Tensor:
        """Centres (B, n, 2), x first, picture px, of crops with the given sides (B, n)."""
        at = uniform(streams, (self.count, 2)).unbind(-1)
        axes = zip(at, picture_px[::-1], self.tile[::-1], strict=True)
        placed = [u * length if tiles else side / 2 + u * (length - side) for u, length, tiles in axes]
        return torch.stack(placed, dim=-1)
