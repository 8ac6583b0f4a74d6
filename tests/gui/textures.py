"""A small library of textures to look through, drawn by the starter's procedures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from engine.starter.materials import render, sample

FAMILIES = ("brick_wall", "moss", "wood_planks", "cobblestone", "leather", "grass", "marble")
SIDE_PX = 256


def write(folder: Path) -> Path:
    """Base colour, displacement and roughness of each family. Returns the folder."""
    folder.mkdir(parents=True)
    for seed, family in enumerate(FAMILIES):
        material = render(sample(seed, family), SIDE_PX)
        maps = {"diff": material.basecolor, "disp": material.height, "rough": material.roughness}
        for name, x in maps.items():
            pixels = (np.clip(x, 0, 1) * 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"{family}_{name}.png")
    return folder
