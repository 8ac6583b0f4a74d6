"""Procedural materials: exactly periodic maps of a surface, from a seed. NumPy only.

Draw the parameters with `sample(seed=7)`, the maps with `render(params, size=256)`.
"""

from engine.starter.materials import (  # noqa: F401  # importing them fills the registry
    animal,
    ceramic,
    earth,
    fabric,
    fluid,
    ground,
    made,
    masonry,
    metal,
    metalwork,
    plant,
    sheet_metal,
    stone,
    textile,
    wood,
)
from engine.starter.materials.coats import COATS, with_coats
from engine.starter.materials.colour import COLOURS, nearest_term
from engine.starter.materials.modifiers import MODIFIERS
from engine.starter.materials.registry import REGISTRY, SCALES, STRENGTHS, Coat, Family, Mixture, Params
from engine.starter.materials.rendering import Material, render
from engine.starter.materials.sampling import another, in_colour, sample, sibling, with_overlay

FAMILIES: tuple[str, ...] = tuple(sorted(REGISTRY))

__all__ = [
    "COATS",
    "COLOURS",
    "FAMILIES",
    "MODIFIERS",
    "REGISTRY",
    "SCALES",
    "STRENGTHS",
    "Coat",
    "Family",
    "Material",
    "Mixture",
    "Params",
    "another",
    "in_colour",
    "nearest_term",
    "render",
    "sample",
    "sibling",
    "with_coats",
    "with_overlay",
]
