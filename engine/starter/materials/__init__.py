"""Procedural materials: exactly periodic base colour, height, roughness and metallic, from a seed. NumPy only.

    params = sample(seed=7)
    material = render(params, size=256)
"""

from engine.starter.materials import fabric, ground, masonry, metal, wood
from engine.starter.materials.colour import COLOURS, nearest_term
from engine.starter.materials.modifiers import MODIFIERS
from engine.starter.materials.registry import REGISTRY, SCALES, STRENGTHS, Family, Params
from engine.starter.materials.rendering import Material, render
from engine.starter.materials.sampling import sample

FAMILIES: tuple[str, ...] = tuple(sorted(REGISTRY))
FAMILY_MODULES = (masonry, ground, wood, fabric, metal)  # importing them fills the registry

__all__ = [
    "COLOURS",
    "FAMILIES",
    "MODIFIERS",
    "REGISTRY",
    "SCALES",
    "STRENGTHS",
    "Family",
    "Material",
    "Params",
    "nearest_term",
    "render",
    "sample",
]
