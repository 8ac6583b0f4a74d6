"""Two materials on one surface: grass between cobblestones, leaves on asphalt, gold in the veins of marble.

The second one grows from the lowest places of the first upwards, or lies on it in patches; both decide by
height, so the border follows the relief. After research/materials.md 4.3, "Mixtures".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from engine.starter.materials.colour import mix
from engine.starter.materials.primitives import Array, blurred, cavities, covering
from engine.starter.materials.registry import Canvas, Maps


@dataclass(frozen=True)
class Rule:
    """What an overlay may lie on, how, and how much of it."""

    families: tuple[str, ...]
    place: str
    share: tuple[float, float]


PAVED = ("cobblestone", "basket_weave_pavers", "brick_wall", "ashlar_wall", "slate")
TILED = ("square_tiles", "hex_tiles", "mosaic")
OPEN = ("asphalt", "cracked_mud", "pebbles", "sand_ripples", "concrete")

RULES: dict[str, tuple[Rule, ...]] = {
    "grass": (
        Rule((*PAVED, "square_tiles", "hex_tiles"), "between", (0.12, 0.34)),
        Rule((*OPEN, "forest_leaves"), "on top", (0.2, 0.5)),
    ),
    "forest_leaves": (
        Rule((*PAVED, *OPEN, "grass", "moss", "wood_planks", "straw_thatch"), "on top", (0.2, 0.55)),
    ),
    "snow": (
        Rule(("grass", "forest_leaves", "pebbles", "wood_planks", "bark", "asphalt"), "on top", (0.25, 0.6)),
    ),
    "sand_ripples": (
        Rule((*PAVED, *TILED, "wood_planks"), "between", (0.2, 0.42)),
        Rule(("asphalt", "pebbles", "grass", "concrete"), "on top", (0.25, 0.55)),
    ),
    "pebbles": (Rule(("grass", "moss", "sand_ripples", "cracked_mud", "asphalt"), "on top", (0.2, 0.5)),),
    "gold_leaf": (
        Rule(("marble",), "between", (0.07, 0.2)),
        Rule(("square_tiles", "hex_tiles", "mosaic", "wood_planks", "cracked_mud"), "between", (0.1, 0.24)),
    ),
    "lava": (Rule(("cobblestone", "slate", "cracked_mud", "ashlar_wall"), "between", (0.12, 0.3)),),
}


def overlays(family: str) -> list[tuple[str, Rule]]:
    """What may be mixed into a family, each with its rule."""
    return [(name, rule) for name, rules in RULES.items() for rule in rules if family in rule.families]


def between(c: Canvas, under: Maps, over: Maps, share: float) -> Maps:
    """Fills the lowest places to one level: joints, cracks, veins."""
    loose = 0.16 * (c.noise("mixture.edge", 12, octaves=4) - 0.5) + 0.1 * (over.height - 0.5)
    mask = covering(loose - under.height, share, 0.045)
    level = float(np.quantile(under.height, 0.7 * share))
    height = under.height * (1 - mask) + mask * (np.maximum(under.height, level) + 0.22 * over.height)
    return _blended(under, over, mask, height)


def on_top(c: Canvas, under: Maps, over: Maps, share: float) -> Maps:
    """Lies in patches, thicker in the middle, hollows first."""
    drift = c.noise("mixture.drift", 3, octaves=4, gain=0.55)
    field = 1.4 * drift + 0.25 * cavities(under.height, 0.03) + 0.5 * over.height
    mask = covering(field, share, 0.06)
    thick = 0.12 + 0.3 * blurred(mask, 0.02)
    height = under.height * (1 - 0.5 * mask) + mask * (thick + 0.45 * over.height)
    return _blended(under, over, mask, height)


PLACES: dict[str, Callable[[Canvas, Maps, Maps, float], Maps]] = {"between": between, "on top": on_top}


def _blended(under: Maps, over: Maps, mask: Array, height: Array) -> Maps:
    def lerp(a: Array, b: Array) -> Array:
        return a + mask * (b - a)

    return replace(
        under,
        base=mix(under.base, over.base, mask),
        height=height,
        roughness=lerp(under.roughness, over.roughness),
        metallic=lerp(under.metallic, over.metallic),
        body=under.body * (1 - mask),
        emission=lerp(under.emission, over.emission),
    )
