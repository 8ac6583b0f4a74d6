"""`python -m engine.starter.materials --sheet FILE.png`: families, modifiers and mixtures on one picture."""

from __future__ import annotations

import argparse
from itertools import count
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

from engine.errors import CannotWrite
from engine.material.files import check_file
from engine.material.maps import DecodedMaps
from engine.material.shading import under_key
from engine.starter.materials import (
    FAMILIES,
    MODIFIERS,
    REGISTRY,
    STRENGTHS,
    Material,
    Params,
    render,
    sample,
    with_overlay,
)
from engine.starter.materials.mixtures import RULES, overlays

COLUMNS = 9  # pairs of pictures a row
HOSTS = {
    "mossy": "cobblestone", "wet": "pebbles", "rusty": "diamond_plate", "dusty": "leather",
    "cracked": "square_tiles", "worn": "basket_weave_pavers", "scratched": "scifi_panels",
    "snowy": "ashlar_wall", "burnt": "wood_grain", "faded": "denim_twill", "dirty": "hex_tiles",
    "stained": "stucco",
}  # fmt: skip
"""What a sheet of everything once shows modifiers on; others on the first family that has them."""


def lit(material: Material) -> np.ndarray:
    """(H, W, 3): the material as `under_key` shows it."""
    base = torch.from_numpy(material.basecolor).permute(2, 0, 1)[None]
    scalars = np.stack([material.height, material.roughness, material.metallic, material.emission])
    height, roughness, metallic, emission = torch.from_numpy(scalars)[:, None, None]
    maps = DecodedMaps(base, height, roughness, metallic, emission, torch.tensor([material.relief]))
    picture: np.ndarray = under_key(maps)[0].permute(1, 2, 0).numpy()
    return picture


def entries(seeds: int, first_seed: int, *, conditions: bool) -> list[tuple[str, Params]]:
    """What the sheet shows: some seeds of each family, then its modifiers, slight to heavy, and mixtures."""
    rows: list[tuple[str, Params]] = []
    for k, name in enumerate(FAMILIES):
        for seed in range(seeds):
            params = sample(first_seed + 1000 * k + seed, name)  # one seed has one colour, for all families
            params |= {"modifiers": {}, "mixture": None}
            rows.append((f"{name} {params['colour']} {params['scale']}", params))
    for name in FAMILIES if conditions else ():
        for k, modifier in enumerate(REGISTRY[name].modifiers):
            params = sample(first_seed + 50 + k, name)
            strength = ("slightly", "plain", "heavily")[k % 3]
            params |= {"modifiers": {modifier: strength}, "mixture": None}
            rows.append((f"{strength} {modifier} {params['colour']} {name}", params))
        for k, (overlay, rule) in enumerate(overlays(name)):
            params = with_overlay(sample(first_seed + 80 + k, name), overlay)
            rows.append((f"{name}, {overlay} {rule.place}", params))
    return rows


def once(first_seed: int) -> list[tuple[str, Params]]:
    """Every family in its commonest colour, every modifier in three strengths, every kind of mixture."""
    rows = [(name, _natural(name, first_seed + k)) for k, name in enumerate(FAMILIES)]
    for modifier in MODIFIERS:
        hosts = [name for name in FAMILIES if modifier in REGISTRY[name].modifiers]
        params = _natural(HOSTS.get(modifier, hosts[0]), first_seed)
        for strength in STRENGTHS:
            worn = Params(**{**params, "modifiers": {modifier: strength}})
            rows.append((f"{strength} {modifier} {params['family']}", worn))
    for overlay, rules in RULES.items():
        for rule in rules:
            name = rule.families[0]
            mixed = (with_overlay(_natural(name, seed), overlay) for seed in count(first_seed))
            params = next(p for p in mixed if p["mixture"] and p["mixture"]["place"] == rule.place)
            rows.append((f"{name}, {overlay} {rule.place}", params))
    return rows


def _natural(name: str, seed: int) -> Params:
    """A family's material with nothing on it, in the colour that it has most often by nature."""
    palettes = REGISTRY[name].palettes
    commonest = max(palettes, key=lambda palette: palettes[palette].weight)
    drawn = (sample(seed + 1000 * k, name) for k in count())
    params = next(p for p in drawn if p["palette"] == commonest)
    return Params(**{**params, "modifiers": {}, "mixture": None})


def sheet(rows: list[tuple[str, Params]], size: int) -> Image.Image:
    """Base colour and lit view of each entry, side by side, labelled."""
    height = size + 14
    picture = Image.new("RGB", (COLUMNS * 2 * size, -(-len(rows) // COLUMNS) * height))
    draw = ImageDraw.Draw(picture)
    for k, (label, params) in enumerate(rows):
        material = render(params, size, supersampling=2)
        pair = np.hstack([material.basecolor, lit(material)])
        x, y = k % COLUMNS * 2 * size, k // COLUMNS * height
        picture.paste(Image.fromarray((pair * 255 + 0.5).astype(np.uint8)), (x, y + 14))
        draw.text((x + 2, y + 1), label, fill=(255, 255, 255))
    return picture


def main(arguments: list[str] | None = None) -> None:
    """Write the contact sheet that the arguments ask for."""
    parser = argparse.ArgumentParser(prog="python -m engine.starter.materials", description=__doc__)
    parser.add_argument("--sheet", type=Path, required=True, help="PNG or JPEG to write")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--seeds", type=int, default=6, help="materials of each family")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--plain", action="store_true", help="without the conditions")
    parser.add_argument(
        "--once",
        action="store_true",
        help="every family, modifier and mixture one time, in natural colours: what README shows",
    )
    options = parser.parse_args(arguments)
    if Image.registered_extensions().get(options.sheet.suffix.lower()) not in Image.SAVE:
        parser.error(f"{options.sheet.name} is no picture's name. End it in .png or .jpg.")
    try:
        check_file(options.sheet)
    except CannotWrite as error:
        parser.error(error.message)
    if options.once:
        rows = once(options.first_seed)
    else:
        rows = entries(options.seeds, options.first_seed, conditions=not options.plain)
    sheet(rows, options.size).save(options.sheet)


if __name__ == "__main__":
    main()
