"""`python -m engine.starter.materials --sheet FILE.png`: every family and every modifier on one picture."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from engine.starter.materials import FAMILIES, REGISTRY, Material, Params, render, sample

COLUMNS = 6  # pairs of pictures a row


def hillshade(material: Material) -> np.ndarray:
    """(H, W, 3): base colour times n·l for a light from the upper left."""
    h = material.height * material.relief * material.height.shape[1]
    dx = (np.roll(h, -1, 1) - np.roll(h, 1, 1)) / 2
    dy = (np.roll(h, -1, 0) - np.roll(h, 1, 0)) / 2
    light = np.array([-0.45, -0.45, 0.77])
    n_l = (-dx * light[0] - dy * light[1] + light[2]) / np.sqrt(dx * dx + dy * dy + 1)
    return np.clip(material.basecolor * np.clip(0.25 + n_l, 0, 1.6)[..., None], 0, 1)


def entries(seeds: int, first_seed: int) -> list[tuple[str, Params]]:
    """What the sheet shows: some seeds of each family, then each of its modifiers, slight to heavy."""
    rows: list[tuple[str, Params]] = []
    for name in FAMILIES:
        for seed in range(first_seed, first_seed + seeds):
            params = sample(seed, name)
            params["modifiers"] = {}
            rows.append((f"{name} {params['colour']} {params['scale']}", params))
    for name in FAMILIES:
        for k, modifier in enumerate(REGISTRY[name].modifiers):
            params = sample(first_seed + 50 + k, name)
            strength = ("slightly", "plain", "heavily")[k % 3]
            params["modifiers"] = {modifier: strength}
            rows.append((f"{strength} {modifier} {params['colour']} {name}", params))
    return rows


def sheet(rows: list[tuple[str, Params]], size: int) -> Image.Image:
    """Base colour and hillshade of each entry, side by side, labelled."""
    height = size + 14
    picture = Image.new("RGB", (COLUMNS * 2 * size, -(-len(rows) // COLUMNS) * height))
    draw = ImageDraw.Draw(picture)
    for k, (label, params) in enumerate(rows):
        material = render(params, size)
        pair = np.hstack([material.basecolor, hillshade(material)])
        x, y = k % COLUMNS * 2 * size, k // COLUMNS * height
        picture.paste(Image.fromarray((pair * 255 + 0.5).astype(np.uint8)), (x, y + 14))
        draw.text((x + 2, y + 1), label, fill=(255, 255, 255))
    return picture


def main() -> None:
    """Write the contact sheet that the arguments ask for."""
    parser = argparse.ArgumentParser(prog="python -m engine.starter.materials", description=__doc__)
    parser.add_argument("--sheet", type=Path, required=True, help="PNG to write")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--seeds", type=int, default=6, help="materials of each family")
    parser.add_argument("--first-seed", type=int, default=0)
    options = parser.parse_args()
    sheet(entries(options.seeds, options.first_seed), options.size).save(options.sheet)


if __name__ == "__main__":
    main()
