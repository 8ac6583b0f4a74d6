"""Cloth, knitting, leather."""

from __future__ import annotations

import numpy as np

from engine.starter.materials.colour import mix, ramp
from engine.starter.materials.primitives import smoothstep
from engine.starter.materials.registry import Canvas, Layers, Palette, family


@family(
    group="fabric",
    nouns=("fabric", "woven fabric", "cloth", "canvas", "linen", "cotton fabric", "textile"),
    palettes={
        "beige": Palette("beige", "a8946c d2c09a e8dabb", 1.5),
        "white": Palette("white", "dbdad8 f2f1ef fdfdfc"),
        "grey": Palette("grey", "57585a 808184 a5a6a8"),
        "denim": Palette("blue", "223a62 355690 567ab0"),
    },
    relief=(0.01, 0.025),
    colourable=True,
)
def plain_weave(c: Canvas) -> Layers:
    """Threads over and under each other like a chessboard."""
    n = 2 * c.count("threads", 5.6, 8.4)
    u, v = c.warp("loose", c.number("loose", 0.002, 0.006), 8)
    x, y = u * n, v * n
    i, j = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    over = (i + j) % 2 == 0
    fx, fy = x - i - 0.5, y - j - 0.5
    across, along = np.where(over, fx, fy), np.where(over, fy, fx)
    profile = np.sqrt(np.clip(1 - (2 * across / 0.96) ** 2, 0, 1))
    arch = profile * (0.62 + 0.38 * np.cos(np.pi * along))
    thread = np.where(over, c.pick(i % n, "warp"), c.pick(j % n + 997, "weft"))
    upright, level = (
        c.noise(f"fibre.{k}", *p, octaves=2, gain=0.7) for k, p in (("y", (64, 16)), ("x", (16, 64)))
    )
    fibre = np.where(over, upright, level)
    second = c.number("second", 0.08, 0.26) * (1 if c.chance("lighter", 0.5) else -1)
    tone = 0.18 + 0.5 * arch + 0.35 * (thread - 0.5) + 0.5 * (fibre - 0.5) + np.where(over, second, -second)
    depth = smoothstep(0.0, 0.6, profile) * (0.72 + 0.28 * np.cos(np.pi * along))
    cloth = ramp(np.clip(tone, 0, 1), c.colours) * (0.45 + 0.55 * depth)[..., None]
    return Layers(cloth, arch + 0.12 * fibre, 0.88, body=depth)


@family(
    group="fabric",
    nouns=("knitted wool", "wool", "knit", "knitted fabric", "wool sweater", "knitwear", "chunky knit"),
    palettes={
        "cream": Palette("cream", "d8cdb0 f0e7cf fbf5e4", 1.5),
        "grey": Palette("grey", "5a5b5d 808183 a6a7a8"),
        "brown": Palette("brown", "452c1a 6b4628 8c6440"),
    },
    relief=(0.03, 0.06),
    colourable=True,
)
def knit_wool(c: Canvas) -> Layers:
    """Stocking stitch: columns of V-shaped loops."""
    columns = c.count("columns", 5.4, 8.0)
    rows = round(columns * c.number("aspect", 1.05, 1.3))
    u, v = c.warp("loose", 0.006, 6)
    x = u * columns
    column = np.floor(x).astype(np.int64)
    side = x - column - 0.5
    y = v * rows - 1.3 * np.abs(side)
    fy = y - np.floor(y) - 0.5
    d = np.hypot((np.abs(side) - 0.25) / 0.27, fy / 0.56)
    loop = np.sqrt(np.clip(1 - d * d, 0, 1))
    ply = np.sin(2 * np.pi * (1.6 * fy + 4.2 * np.abs(side)))
    fuzz, patch = c.noise("fuzz", 64, octaves=2, gain=0.8), c.noise("patch", 3)
    t = np.clip(0.1 + 0.55 * loop + 0.14 * ply * loop + 0.5 * (fuzz - 0.5) + 0.2 * (patch - 0.5), 0, 1)
    depth = smoothstep(0.0, 0.8, loop)
    wool = ramp(t, c.colours) * (0.3 + 0.7 * depth)[..., None]
    return Layers(wool, loop * (0.85 + 0.1 * ply) + 0.12 * fuzz, 0.95, body=depth)


@family(
    group="leather",
    nouns=("leather", "leather hide", "grained leather", "leather upholstery", "worn leather", "hide"),
    palettes={
        "brown": Palette("brown", "412515 613c24 7d5436", 3),
        "tan": Palette("tan", "8a6036 b0814f c99d6c", 1.5),
        "black": Palette("black", "0f0e0e 1d1b1a 32302f", 2),
        "dark red": Palette("red", "4d1414 741f1c 923530"),
    },
    relief=(0.008, 0.02),
    colourable=True,
    modifiers=("wet", "dusty", "cracked"),
    finishes=("glossy", "matte"),
    scales=("medium", "small", "fine"),
)
def leather(c: Canvas) -> Layers:
    """Pebbled grain between soft creases."""
    n = c.count("grain", 16, 22)
    grain = c.cells("grain", n, jitter=0.9, at=c.warp("wobble", 0.025, 8))
    small = c.cells("pores", round(2.3 * n), jitter=0.9, at=c.warp("wobble2", 0.01, 12), borders=False)
    ridge = np.abs(2 * c.noise("crease", 3, octaves=4, at=c.warp("fold", 0.07, 4)) - 1)
    crease = smoothstep(0.09, 0.0, ridge) * c.number("creases", 0.35, 1.0)
    patch, fine = c.noise("patch", 4), c.noise("fine", 48, octaves=2)
    bead = smoothstep(-0.1, 0.3, grain.edge) * (1 - 0.7 * crease)
    pore = np.clip(small.f1, 0, 1)
    t = np.clip(0.05 + 0.5 * bead + 0.55 * (patch - 0.4) + 0.15 * (fine - 0.5) - 0.12 * pore + 0.12, 0, 1)
    grained = ramp(t, c.colours) * (0.72 + 0.28 * bead)[..., None]
    wear = smoothstep(0.62, 0.8, patch) * c.number("wear", 0, 0.25)
    hide = mix(grained, c.colours[-1], wear * bead)
    height = bead * 0.85 + 0.15 * (1 - pore) + 0.2 * patch
    return Layers(hide, height, 0.42 + 0.25 * (1 - bead), body=smoothstep(0.2, 0.7, bead))
