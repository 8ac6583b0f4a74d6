"""Planks and parquet."""

from __future__ import annotations

import numpy as np

from engine.starter.materials.colour import from_hex, mix, ramp
from engine.starter.materials.primitives import Array, herringbone, inside, smoothstep
from engine.starter.materials.registry import Canvas, Layers, Palette, family

NATURAL = {
    "brown": Palette("brown", "4a2e1b 6f4a2c 8c6440", 3),
    "walnut": Palette("brown", "2c1c12 442d1e 5e4230", 1.5),
    "tan": Palette("tan", "936b3f b88b58 cfa878", 2),
    "pine": Palette("beige", "bf9f6c dfc69c efdfbe"),
    "grey": Palette("grey", "5f5b55 7d7973 9a968f"),
    "red": Palette("red", "4f1c14 74291c 8f3a28", 0.7),
}


@family(
    group="wood",
    nouns=("wood planks", "wooden planks", "wooden boards", "wood", "timber", "wood floor", "floorboards"),
    palettes=NATURAL,
    relief=(0.008, 0.02),
    colourable=True,
    modifiers=("mossy", "wet", "dusty", "cracked"),
    finishes=("glossy", "matte"),
    layouts=("vertical", "vertical", "horizontal"),
)
def wood_planks(c: Canvas) -> Layers:
    """Boards side by side, each from another part of the tree, with rings, fibres, sometimes butt joints."""
    planks = c.count("planks", 3.6, 5.6)
    level = c.layout == "horizontal"
    across, along = (c.v, c.u) if level else (c.u, c.v)
    board = np.floor(across * planks).astype(np.int64)
    x = across * planks - board - 0.5
    tone, start = c.pick(board, "tone"), c.pick(board, "start")
    y = (along + start) % 1
    jointed = c.chance("joints", 0.4)
    at = (y, across + 0 * y) if level else (across + 0 * y, y)
    rings = _rings(c, planks, level, at, x, tone)
    coarse, fine = (4, 64) if level else (64, 4)
    fibre = c.noise("fibre", coarse, fine, octaves=2, gain=0.7, at=at)
    t = np.clip(0.6 * rings + 0.45 * fibre + 0.5 * tone - 0.22, 0, 1)
    edge = (0.5 - np.abs(x)) / planks
    if jointed:
        edge = np.minimum(edge, np.minimum(y, 1 - y))
    edge = edge + 0 * y
    body = smoothstep(0.002, 0.0085, edge)
    wood = mix(from_hex("17100a"), ramp(t, c.colours) * (0.82 + 0.18 * rings)[..., None], body)
    height = smoothstep(0, 0.016, edge) * (0.8 + 0.2 * tone) - 0.12 * (1 - t)
    return Layers(wood, height, np.clip(0.45 + 0.3 * (1 - t) + 0.2 * (1 - body), 0, 1), body=body)


def _rings(c: Canvas, planks: int, level: bool, at: tuple, x: Array, tone: Array) -> Array:
    """Year rings cut lengthwise: lines along the board that bend around the heart of the tree."""
    period = (1, 2 * planks) if level else (2 * planks, 1)
    wander = c.noise("wander", *period, octaves=3, at=at)
    phase = c.number("rings", 2.0, 4.0) * (x - 0.5 * (tone - 0.5)) + 4.0 * (wander - 0.5) + 5 * tone
    return np.abs(np.sin(np.pi * phase)) ** 0.7


@family(
    group="wood",
    nouns=(
        "parquet",
        "herringbone parquet",
        "herringbone floor",
        "parquet floor",
        "herringbone wood",
        "parquetry",
    ),
    palettes=NATURAL,
    relief=(0.004, 0.01),
    modifiers=("wet", "dusty"),
    finishes=("glossy", "matte"),
    scales=("large", "medium", "small"),
)
def herringbone_parquet(c: Canvas) -> Layers:
    """Short boards laid in a herringbone."""
    length = 5 if c.number("slim") > 0.7 else 4
    repeats = 1 if c.count("repeats", 1.8, 2.4) < 3 else 2
    blocks, level = herringbone(c.u, c.v, repeats, length if repeats == 1 else 3)
    tone = c.pick(blocks.ids, "tone")
    fibre = np.where(
        level,
        c.noise("fibre.x", 6, 64, octaves=2, gain=0.7),
        c.noise("fibre.y", 64, 6, octaves=2, gain=0.7),
    )
    edge = inside(blocks, 0.006)
    body = smoothstep(-0.001, 0.0055, edge)
    # boards that lie the other way catch less light, as varnished wood does
    t = np.clip(0.62 * tone + 0.55 * (fibre - 0.5) + 0.14 * level + 0.12, 0, 1)
    wood = mix(from_hex("150e09"), ramp(t, c.colours), body)
    height = smoothstep(0, 0.012, edge) * (0.9 + 0.1 * tone) + 0.05 * fibre
    return Layers(wood, height, 0.32 + 0.25 * (1 - fibre) + 0.2 * (1 - body), body=body)
