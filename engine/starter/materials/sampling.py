"""Drawing the parameters of a material from a seed. Policy: research/materials.md 4.4, simplified."""

from __future__ import annotations

import zlib
from collections.abc import Collection

import numpy as np

from engine.starter.materials.colour import COLOURS, centroid, from_lab, nearest_term, to_hex, to_lab
from engine.starter.materials.registry import REGISTRY, SCALES, STRENGTHS, Family, Params

COLOUR_SHARE = 0.6  # of the draws of colourable families
MODIFIER_SHARE = 0.4
FINISH_SHARE = 0.25
COLOURLESS = ("black", "grey", "white")
RARE = (
    "white",
    "cream",
    "yellow",
    "olive",
    "teal",
    "blue",
    "purple",
    "pink",
)  # which few natural palettes have
RARE_WEIGHT = 1.7


def target_near(term: str, rng: np.random.Generator) -> str:
    """A colour (sRGB hex) that is called by this term, drawn around its centroid in Lab."""
    centre = to_lab(centroid(term))
    hue = 1.5 if term in COLOURLESS else 5.0  # a grey with some hue in it is no longer called grey
    for _ in range(20):
        colour = from_lab(centre + rng.normal(0, (5, hue, hue)).astype(np.float32))
        if nearest_term(colour) == term:
            return to_hex(colour)
    return to_hex(centroid(term))


def sample(seed: int, family: str | None = None, *, among: Collection[str] = REGISTRY) -> Params:
    """The parameters that belong to this seed; the family is drawn too where none is given.

    Args:
        seed: the same one gives the same parameters, as long as `among` is the same.
        family: a name in REGISTRY.
        among: the families to draw one of.
    """
    rng = np.random.default_rng([seed, zlib.crc32(b"sample")])
    chosen = str(rng.choice(sorted(among)))
    entry = REGISTRY[family or chosen]
    palette, target, colour = _colouring(entry, rng)
    scale = str(rng.choice(entry.scales))
    modifiers: dict[str, str] = {}
    if entry.modifiers and rng.random() < MODIFIER_SHARE:
        modifiers[str(rng.choice(entry.modifiers))] = str(rng.choice(tuple(STRENGTHS), p=(0.25, 0.5, 0.25)))
    finish = None
    if entry.finishes and rng.random() < FINISH_SHARE:
        finish = str(rng.choice(entry.finishes))
    relief = rng.uniform(*entry.relief) / SCALES[scale]
    return Params(
        family=entry.name, seed=seed, palette=palette, target=target, colour=colour, scale=scale,
        finish=finish, modifiers=modifiers, relief=round(float(relief), 5),
    )  # fmt: skip


def _colouring(entry: Family, rng: np.random.Generator) -> tuple[str, str | None, str]:
    if entry.colourable and rng.random() < COLOUR_SHARE:
        frequency = np.array([RARE_WEIGHT if term in RARE else 1.0 for term in COLOURS])
        term = str(rng.choice(COLOURS, p=frequency / frequency.sum()))
        return "any", target_near(term, rng), term
    names = tuple(entry.palettes)
    weights = np.array([entry.palettes[name].weight for name in names])
    name = str(rng.choice(names, p=weights / weights.sum()))
    return name, None, entry.palettes[name].colour
