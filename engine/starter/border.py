"""Where a drawn tile begins: along lines on which little happens.

A recipe is drawn on a torus, so its border may lie anywhere. Where it happens to run along the strongest
edge of a material, or the noisiest rows of one, a seam is measured that nobody sees.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from engine.starter.materials import REGISTRY, Params, render
from engine.starter.materials.primitives import Array

PX = 128
"""Side of the drawing that decides, whatever the size of the one that is wanted."""

PLACES = 32
"""Lines along either axis that may become the border: of drawings of that many pixels and more, all whole."""

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)


def calmest(params: Params) -> tuple[float, float]:
    """Where the top and the left border of a recipe's tile shall lie, as shares of its side, 0..1.

    Layout alone decides, so that a material in another colour or condition lies where it lay before.
    """
    return _calmest(params["family"], params["seed"], params["scale"], params["layout"])


@lru_cache(maxsize=4096)
def _calmest(family: str, seed: int, scale: str, layout: str | None) -> tuple[float, float]:
    palettes = REGISTRY[family].palettes
    name = next(iter(palettes))
    plain = Params(
        family=family, seed=seed, palette=name, target=None, colour=palettes[name].colour, scale=scale,
        finish=None, modifiers={}, relief=REGISTRY[family].relief[0], layout=layout, joint=None, mixture=None,
    )  # fmt: skip
    drawn = render(plain, PX)
    planes = (drawn.basecolor @ LUMINANCE, drawn.height)
    down, right = (int(np.argmin(_unrest(planes, axis))) for axis in (0, 1))
    return down / PLACES, right / PLACES


def _unrest(planes: tuple[Array, ...], axis: int) -> Array:
    """How large steps are around each of the places, beside the largest of the tile: S99 of planes (H, W)."""
    worst = np.zeros(PX, np.float32)
    for plane in planes:
        steps = np.abs(plane - np.roll(plane, 1, axis)).mean(1 - axis)  # (PX,), from the line before
        around = np.maximum(steps, np.maximum(np.roll(steps, 1), np.roll(steps, -1)))
        worst = np.maximum(worst, around / (np.quantile(steps, 0.99) + 1e-6))
    return worst[:: PX // PLACES]
