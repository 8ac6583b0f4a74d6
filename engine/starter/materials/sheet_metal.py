"""Metal sheets that are about their surface: scratched, zinc-coated, hammered, weathered, gilded."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.starter.materials.colour import from_hex, mix, ramp
from engine.starter.materials.metal_primitives import scratches
from engine.starter.materials.primitives import Array, running_bond, smoothstep
from engine.starter.materials.registry import Canvas, Layers, Palette, family


@family(
    group="metal",
    nouns=(
        "scratched metal",
        "scratched plate",
        "scuffed metal",
        "scratched metal sheet",
        "scuffed metal plate",
    ),
    palettes={
        "steel": Palette("grey", "4e5155 7d8185 b5b9bc", 3),
        "gunmetal": Palette("black", "0d0e10 1d1f22 46494d"),
        "brass": Palette("yellow", "8a6a24 bd953c e6cb7c", 0.8),
        "copper": Palette("orange", "8a4a28 bd6c42 e6a680", 0.6),
    },
    relief=(0.002, 0.005),
    modifiers=("rusty", "dusty", "wet"),
)
def scratched_metal(c: Canvas) -> Layers:
    """Hairlines in all directions, a few gouges with bright burrs, scuffs that lie side by side."""
    hair = scratches(c, "hair", c.count("hairs", 55, 90), 0.7, 0.003, bend=0.03)
    gouge = scratches(c, "gouge", c.count("gouges", 8, 16), 0.8, 0.009, bend=0.03)
    patch, brush = c.noise("patch", 3, octaves=6, gain=0.6), c.noise("brush", 2, 48, octaves=2)
    lean = c.number("lean", 0, np.pi)
    scuff = scratches(c, "scuff", c.count("scuffs", 60, 110), 0.16, 0.004, angle=lean, spread=0.25, bend=0.02)
    scuff = scuff * smoothstep(0.45, 0.62, c.noise("scuffed", 3, octaves=3))
    groove = smoothstep(0.5, 0.85, gouge)
    tone = 0.36 + 0.9 * (patch - 0.5) + 0.25 * (brush - 0.5)
    metal = ramp(np.clip(tone, 0, 1), c.colours)
    bright = 0.7 * c.colours[-1] + 0.3
    metal = mix(metal, bright, np.clip(0.95 * hair + 0.8 * scuff + 0.95 * gouge, 0, 1))
    metal = metal * (1 - 0.78 * groove)[..., None]
    height = 0.8 + 0.12 * patch - 0.25 * hair - 0.15 * scuff + 0.15 * gouge - 0.95 * groove
    rough = 0.26 + 0.25 * patch + 0.2 * np.maximum(scuff, hair) + 0.2 * groove
    return Layers(metal, height, rough, 1.0)


@family(
    group="metal",
    nouns=("galvanized steel", "galvanised metal", "zinc", "zinc sheet", "spangled zinc", "galvanized sheet"),
    palettes={
        "zinc": Palette("grey", "5c6368 979ea3 d6dbde", 3),
        "dark zinc": Palette("grey", "3a4046 6a7177 a3aaaf"),
        "blue zinc": Palette("grey", "4e5c69 8a99a8 cbd6e0"),
    },
    relief=(0.0008, 0.002),
    modifiers=("rusty", "dusty", "wet", "scratched", "dirty"),
)
def galvanized(c: Canvas) -> Layers:
    """Zinc crystals: each mirrors another part of the sky, and is feathered along its own direction."""
    n = c.count("crystals", 4.6, 7.4)
    at = c.warp("frost", c.number("frost", 0.006, 0.014), 14, octaves=4)
    crystals = c.cells("crystals", n, jitter=1.0, at=at, borders=False)
    turn = np.pi * c.pick(crystals.ids, "turn")
    across = crystals.rx * np.cos(turn) + crystals.ry * np.sin(turn)
    along = crystals.ry * np.cos(turn) - crystals.rx * np.sin(turn)
    mottle, bloom = c.noise("mottle", 24, octaves=4, gain=0.65), c.noise("bloom", 3, octaves=6, gain=0.6)
    # a feather: ribs off one shaft, as irregular as frost
    barbs = np.sin(2 * np.pi * (2.6 * across + 2.2 * np.abs(along) + 1.3 * (mottle - 0.5)))
    barbs = barbs * c.pick(crystals.ids, "feathered")
    mirror = c.pick(crystals.ids, "tone")
    tone = 0.04 + 0.9 * mirror + 0.3 * across + 0.2 * barbs + 0.2 * (mottle - 0.5)
    white = smoothstep(0.58, 0.82, bloom + 0.3 * (mottle - 0.5)) * c.number("white rust", 0, 0.6)
    zinc = ramp(np.clip(tone, 0, 1), c.colours)
    height = 0.4 + 0.3 * c.pick(crystals.ids, "level") + 0.1 * barbs + 0.3 * (mottle - 0.5)
    rough = 0.2 + 0.3 * c.pick(crystals.ids, "sheen") + 0.3 * white
    return Layers(mix(zinc, from_hex("dfe2e2"), 0.75 * white), height, rough, 1 - 0.4 * white)


def _hammered(c: Canvas) -> Layers:
    """Round dents that meet in crests; the crests are polished, the bowls have darkened."""
    n = c.count("dents", 5.0, 8.0)
    dents = c.cells("dents", n, jitter=c.number("order", 0.6, 0.95), at=c.warp("wobble", 0.008, 7))
    bowl = np.clip(dents.f1 / 0.72, 0, 1) ** 2
    crest = smoothstep(0.3, 0.02, dents.edge)
    tarnish, fine = c.noise("tarnish", 3, octaves=5, gain=0.6), c.noise("fine", 32, octaves=3)
    struck = c.pick(dents.ids, "struck")
    # the hammer leaves each bowl a burnished side, all of them away from the smith
    burnish = smoothstep(0.62, 0.05, np.hypot(dents.rx + 0.2, dents.ry + 0.26))
    tone = 0.02 + 0.2 * struck + 0.62 * burnish + 0.3 * crest * crest
    tone = tone + 0.4 * (tarnish - 0.5) + 0.12 * (fine - 0.5)
    metal = ramp(np.clip(tone, 0, 1), c.colours)
    dull = smoothstep(0.55, 0.8, tarnish) * (1 - crest) * c.number("age", 0.05, 0.45)
    metal = metal * (1 - 0.6 * dull)[..., None]
    height = bowl - 0.25 * struck * (1 - bowl) + 0.03 * fine
    return Layers(metal, height, 0.16 + 0.1 * fine + 0.35 * dull, 1.0)


HAMMERED: dict[str, Any] = {
    "group": "metal",
    "relief": (0.025, 0.05),
    "modifiers": ("dusty", "wet", "scratched", "dirty"),
    "finishes": ("glossy", "matte"),
}


@family(
    nouns=("hammered copper", "beaten copper", "dented copper", "hand-hammered copper", "dimpled copper"),
    palettes={
        "copper": Palette("orange", "6a2f1a b5623c eda37c", 3),
        "old copper": Palette("brown", "3f1f12 7c4528 c08560"),
    },
    **HAMMERED,
)
def hammered_copper(c: Canvas) -> Layers:
    """Copper, bright or browned."""
    return _hammered(c)


@family(
    nouns=("hammered metal", "beaten metal", "dented metal", "hammered sheet", "hand-hammered metal"),
    palettes={
        "iron": Palette("grey", "3d3c3b 72706e a9a7a4", 1.5),
        "brass": Palette("yellow", "6e5018 b78c34 ecd083", 1.5),
        "black iron": Palette("black", "0d0d0f 222326 58585c", 0.7),
    },
    **HAMMERED,
)
def hammered_metal(c: Canvas) -> Layers:
    """Brass and iron: captions must not call them copper."""
    return _hammered(c)


VERDIGRIS_COPPER = np.stack([from_hex(code) for code in ("3a2116", "70402a", "a8643f", "d08c64")])


@family(
    group="metal",
    nouns=(
        "verdigris copper", "oxidised copper", "verdigris", "weathered copper", "copper patina", "old copper",
    ),
    palettes={
        "teal": Palette("teal", "23665c 4d9c8c 7cc4b2 b4ded0", 3),
        "green": Palette("green", "2c5c3c 4f8a5c 7fb384 b5d6ae"),
        "blue": Palette("teal", "1e5a62 3d8c90 74b8b8 b0dad6"),
    },
    relief=(0.004, 0.009),
    modifiers=("wet", "dusty", "scratched", "dirty"),
)  # fmt: skip
def verdigris_copper(c: Canvas) -> Layers:
    """Copper, dark where it tarnishes, crusted with green that the rain has drawn downwards."""
    p = c.count("blotches", 2.6, 4.4)
    run = c.noise("run", 16, 2, octaves=3)
    field = c.noise("blotch", p, octaves=6, gain=0.62, at=c.warp("melt", 0.04, 4))
    field = field + c.number("rain", 0.15, 0.5) * (run - 0.5)
    level = float(np.quantile(field, c.number("bare", 0.15, 0.5)))
    crust = smoothstep(level - 0.015, level + 0.035, field)
    tarnish = smoothstep(level - 0.22, level - 0.01, field)
    tone, speck = c.noise("tone", 10, octaves=6, gain=0.68), c.noise("speck", 30, octaves=3, gain=0.7)
    bare = ramp(
        np.clip(0.72 + 0.5 * (tone - 0.5) + 0.25 * (run - 0.5) - 0.62 * tarnish, 0, 1), VERDIGRIS_COPPER
    )
    thick = smoothstep(level, level + 0.25, field)
    pale = np.clip(0.22 + 1.1 * (tone - 0.5) + 0.5 * thick + 0.35 * (run - 0.5), 0, 1)
    green = ramp(pale, c.colours) * (1 - 0.35 * smoothstep(0.62, 0.78, speck) * (1 - 0.6 * thick))[..., None]
    height = 0.3 + crust * (0.25 + 0.5 * (tone - 0.3) + 0.25 * speck)
    rough = 0.28 + 0.25 * tarnish + crust * 0.35
    return Layers(mix(bare, green, crust), height, rough, 1 - crust, body=crust)


BOLE = np.stack([from_hex(code) for code in ("3d100a", "6e2015", "9c3a25")])


@family(
    group="metal",
    nouns=("gold leaf", "gilding", "gold foil", "gilded surface", "gilt", "gold leaf surface"),
    palettes={
        "gold": Palette("yellow", "8c5d12 cf9a2c eec45c fde9a4", 3),
        "red gold": Palette("orange", "86441a c67c3a e9ac6c f9d6a8", 0.8),
        "pale gold": Palette("yellow", "8f7230 c4a650 e4cb80 f8ebb4"),
    },
    relief=(0.004, 0.01),
    modifiers=("dusty",),
    finishes=("glossy",),
)
def gold_leaf(c: Canvas) -> Layers:
    """Square leaves that overlap; where they tore, cracked or were rubbed through, the red bole shows."""
    columns = c.count("leaves", 2.0, 3.2)
    u, v = c.warp("lay", 0.012, 6, octaves=5)
    u, v = u + c.number("left", 0.1, 0.3), v + c.number("top", 0.1, 0.3)
    leaves = running_bond(u, v, columns, 2 * max(1, round(columns / 2)), c.number("stagger", 0.1, 0.5))
    seam = c.outline(leaves, 0.0, 0.004, 0.012)
    lap: Array = smoothstep(0.05, 0.042, np.minimum((leaves.x + 0.5) / columns, (leaves.y + 0.5) / columns))
    folded = c.warp("fold", 0.07, 4, octaves=4)
    crease = smoothstep(0.82, 1.0, 1 - np.abs(2 * c.noise("crease", 5, octaves=4, at=folded) - 1))
    sheen, tear = c.noise("sheen", 5, octaves=5, gain=0.6), c.noise("tear", 14, octaves=4, gain=0.65)
    rubbed = c.noise("rubbed", 3, octaves=6, gain=0.6)
    crack = 1 - np.abs(
        2 * c.noise("crack", c.count("cracks", 4, 6), octaves=5, at=c.warp("shiver", 0.06, 4)) - 1
    )
    wear = c.number("wear", 0.0, 1.0)
    # higher where the ground shows: along cracks, at the seams, and where hands have rubbed
    loss = 1.6 * (crack - 0.93) * smoothstep(0.32, 0.6, rubbed) + 0.55 * np.clip(rubbed - 0.62, 0, 1)
    loss = np.maximum(loss, 0.05 * smoothstep(0.014, 0.0, seam) * (0.3 + rubbed)) + 0.2 * (tear - 0.5)
    level = float(np.quantile(loss, 0.93 - 0.13 * wear))
    bare = smoothstep(level - 0.008, level + 0.012, loss)
    rim = smoothstep(level - 0.05, level, loss)
    tone = 0.3 + 0.3 * c.pick(leaves.ids, "tone") + 1.1 * (sheen - 0.5) + 0.3 * crease + 0.2 * lap
    gold = ramp(np.clip(tone, 0, 1), c.colours) * (1 - 0.22 * rim)[..., None]
    bole = ramp(np.clip(0.5 + 1.2 * (tear - 0.5), 0, 1), BOLE)
    height = 0.55 + 0.25 * crease + 0.12 * lap + 0.3 * (sheen - 0.5) - bare * 0.45
    rough = 0.18 + 0.15 * sheen + 0.45 * bare
    return Layers(mix(gold, bole, bare), height, rough, 1 - bare, body=1 - bare)
