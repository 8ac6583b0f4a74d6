"""The order of a run's variations: best first by the judge, what repeats another last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F  # the field's name for it

from engine.material import artefacts
from engine.material.maps import DecodedMaps
from engine.material.seams import SEAMLESS, seam_score
from engine.settings import Tile
from engine.synthesis.diversity import vendi

TIE = 0.005
"""Judge scores no further apart say the same: other views of one picture differ by 0.006, in the median."""

ALIKE = 0.97
"""Cosine of what the judge sees in two pictures from which on they may be the same."""

SMALL_PX = 32
SAME_RMS = 0.05
"""Deviation between two pictures of 32 px, moved over each other where they tile, up to which they are."""


@dataclass(frozen=True)
class Ranking:
    """Of B variations.

    Attributes:
        order: variations, best first.
        repeats: for each variation the better one that it nearly is; None for what is new.
        flags: for each variation, see `artefacts.flags`.
        measures: (B,) each, see `artefacts.measures`.
        diversity: effective number of different ones, 1..B: see `diversity.vendi`.
    """

    order: list[int]
    repeats: list[int | None]
    flags: list[tuple[str, ...]]
    measures: dict[str, Tensor]
    diversity: float


def rank(judge_scores: Tensor, looks: Tensor, maps: DecodedMaps, tile: Tile) -> Ranking:
    """Ranks variations by the judge, and those it finds equally good by their seams and artefacts.

    What nearly is a better one goes to the end. Nothing but the variations themselves decides.

    Args:
        judge_scores: (B,).
        looks: unit vectors (B, D), what the judge sees in each.
        maps: of B materials.
        tile: axes that are meant to tile.
    """
    found, seams = artefacts.measures(maps.basecolor), seam_score(maps, tile)
    return ordered(judge_scores, looks, maps.basecolor, found, seams, tile)


def ordered(
    judge_scores: Tensor,
    looks: Tensor,
    pictures: Tensor,
    measures: dict[str, Tensor],
    seams: Tensor,
    tile: Tile,
) -> Ranking:
    """As `rank`, of pictures that were measured before, each at its own size.

    Args:
        judge_scores, looks, tile: as there.
        pictures: (B, 3, H, W), for what nearly is the same; small ones will do.
        measures: (B,) each, see `artefacts.measures`.
        seams: (B,), see `seam_score`.
    """
    flags = artefacts.flags(measures)
    cut = (seams > SEAMLESS).tolist()
    faults = [len(names) + seam for names, seam in zip(flags, cut, strict=True)]
    order = by_score(judge_scores.tolist(), faults)
    same = nearly_same(looks, pictures, tile)
    repeats: list[int | None] = [None] * len(order)
    for place, i in enumerate(order):
        firsts = (j for j in order[:place] if repeats[j] is None and same[i][j])
        repeats[i] = next(firsts, None)
    order.sort(key=lambda i: repeats[i] is not None)  # stable
    return Ranking(order, repeats, flags, measures, vendi(looks.cpu()))


def by_score(scores: Sequence[float], faults: Sequence[int]) -> list[int]:
    """Indices by falling score; among those within `TIE` of the best of them, the fewest faults first."""
    left = sorted(range(len(scores)), key=lambda i: -scores[i])
    order: list[int] = []
    while left:
        equals = [i for i in left if scores[i] >= scores[left[0]] - TIE]
        order += sorted(equals, key=lambda i: faults[i])
        left = left[len(equals) :]
    return order


def nearly_same(looks: Tensor, pictures: Tensor, tile: Tile) -> list[list[bool]]:
    """Which pictures (B, 3, H, W) are nearly the same, (B, B): to the judge and by their pixels.

    Pixels are compared small, where they tile at the place where the two fit best.
    """
    alike = looks.float().cpu() @ looks.float().cpu().T >= ALIKE
    small = F.interpolate(pictures.detach().float().cpu(), (SMALL_PX, SMALL_PX), mode="area").double()
    return (alike & (_distance(small, tile) <= SAME_RMS)).tolist()


def _distance(x: Tensor, tile: Tile) -> Tensor:
    """Root mean square between pictures (B, 3, s, s), the least over the shifts that tiling allows: (B, B).

    ‖a - shifted b‖² = ‖a‖² + ‖b‖² - 2 (a ⋆ b), and the correlation of all shifts is one product of spectra.
    """
    spectrum = torch.fft.fft2(x)
    correlation = torch.fft.ifft2(spectrum[:, None] * spectrum[None].conj()).real.sum(2)  # (B, B, s, s)
    rows = correlation if "y" in tile else correlation[..., :1, :]
    allowed = rows if "x" in tile else rows[..., :1]
    energy = x.square().sum((1, 2, 3))
    squared = energy[:, None] + energy[None] - 2 * allowed.amax((-2, -1))
    return (squared.clamp(min=0) / x[0].numel()).sqrt()
