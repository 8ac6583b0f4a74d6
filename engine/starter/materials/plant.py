"""Grown things and what is made of them: grain, bark, bamboo, boards, baskets, thatch, paper."""

from __future__ import annotations

import numpy as np

from engine.starter.materials.colour import from_hex, mix, ramp
from engine.starter.materials.primitives import Array, blurred, smoothstep
from engine.starter.materials.registry import Canvas, Layers, Palette, family
from engine.starter.materials.strip_primitives import strip
from engine.starter.materials.wood import NATURAL


@family(
    group="wood",
    nouns=("wood grain", "wood veneer", "veneer", "smooth wood", "plywood", "wood panel", "knotty wood"),
    palettes=NATURAL,
    relief=(0.002, 0.006),
    colourable=True,
    modifiers=("wet", "dusty", "cracked", "worn", "scratched", "burnt", "stained", "faded"),
    finishes=("glossy", "matte"),
)
def wood_grain(c: Canvas) -> Layers:
    """One sawn face: year rings as contours that flow around the knots, fibres and pores along them."""
    level = c.chance("level", 0.4)
    across, along = (c.v, c.u) if level else (c.u, c.v)

    def grain(name: str, broad: int, long: int, octaves: int, gain: float = 0.5) -> Array:
        periods = (long, broad) if level else (broad, long)
        return c.noise(name, *periods, octaves=octaves, gain=gain)

    bent = (across + 0.05 * (grain("bend", 4, 2, 3) - 0.5)) % 1, (along + 0 * across) % 1
    knots = c.cells("knots", 2, 1, jitter=0.6, at=bent, borders=False)
    there = c.pick(knots.ids, "there") < c.number("knotty", -0.1, 0.7)
    radius = 0.025 + 0.03 * c.pick(knots.ids, "radius")
    d = np.hypot(knots.rx / 2, knots.ry * 0.55) / radius
    around = np.exp(-((d / 2.2) ** 2)) * there
    lines = c.count("lines", 6.0, 10.0)
    phase = (
        lines * across + c.number("flame", 3.0, 7.5) * (grain("flame", 2, 1, 3, 0.25) - 0.5) + 4.5 * around
    )
    ring = phase - np.floor(phase)
    late = ring**2.2 * smoothstep(1.0, 0.9, ring)  # the dark wood of a summer ends where a spring begins
    fibre, pores = grain("fibre", 64, 4, 2, 0.7), smoothstep(0.62, 0.8, grain("pores", 48, 6, 2))
    core = smoothstep(1.15, 0.6, d) * there
    cloud = grain("cloud", 4, 2, 3)
    t = np.clip(0.78 - 0.6 * late + 0.4 * (fibre - 0.5) + 0.5 * (cloud - 0.5) - 0.35 * around, 0, 1)
    wood = ramp(t, c.colours) * (1 - 0.14 * late - 0.22 * pores - 0.12 * around)[..., None]
    wood = mix(wood, c.colours[0] * (0.42 + 0.3 * (1 - late))[..., None], 0.85 * core)
    height = 0.6 - 0.25 * late + 0.3 * (fibre - 0.5) - 0.4 * pores - 0.15 * core
    return Layers(wood, height, 0.42 + 0.2 * late + 0.15 * pores, body=1 - core)


@family(
    group="plant",
    nouns=("bark", "tree bark", "tree trunk", "rough bark", "oak bark", "pine bark", "bark surface"),
    palettes={
        "brown": Palette("brown", "1d130c 4c3625 7a5d45 a08468", 3),
        "reddish": Palette("brown", "24120b 5e3420 8f5a3a b88662"),
        "grey": Palette("grey", "242220 54504a 827d75 aaa59c", 1.5),
        "birch": Palette("white", "bdb6ab e0dbd2 f3f0ea", 1.2),
        "black": Palette("black", "0a0908 1c1916 302b27 4a443e", 0.6),
    },
    relief=(0.05, 0.1),
    modifiers=("mossy", "wet"),
)
def bark(c: Canvas) -> Layers:
    """Long plates of flaking ridges between deep furrows; the pale palette is a birch's smooth skin."""
    if c.colours.mean() > 0.7:
        return _birch(c)
    n = c.count("plates", 4.6, 6.6)
    at = c.warp("twist", c.number("twist", 0.03, 0.055), 4, octaves=5)
    plates = c.cells("plates", n, max(2, round(n * c.number("length", 0.34, 0.46))), jitter=1.0, at=at)
    split = np.abs(2 * c.noise("split", 2 * n, 4, octaves=3, at=at) - 1)
    rough, fibre = c.noise("rough", 12, 6, octaves=4, gain=0.65, at=at), c.noise("fibre", 32, 6, octaves=2)
    depth = plates.edge + 0.2 * (rough - 0.5) + 0.1 * (fibre - 0.5)
    ridge = smoothstep(0.02, c.number("width", 0.13, 0.2), depth) * (0.55 + 0.45 * smoothstep(0, 0.22, split))
    steps = 3.0 * (rough + 0.5 * c.pick(plates.ids, "proud"))
    flake = (np.floor(steps) + smoothstep(0.0, 0.3, steps % 1)) / 5
    height = ridge * (0.55 + 0.5 * flake) + 0.1 * (fibre - 0.5)
    lichen = smoothstep(0.62, 0.78, c.noise("lichen", 4, octaves=5)) * ridge * c.number("lichens", 0, 0.5)
    tone = 0.12 + 0.85 * height + 0.35 * (fibre - 0.5) + 0.3 * (c.noise("patch", 3) - 0.5)
    wood = ramp(np.clip(tone, 0, 1), c.colours) * (0.7 + 0.3 * ridge)[..., None]
    return Layers(mix(wood, from_hex("8f9680"), lichen), height, 0.95 - 0.05 * ridge)


def _birch(c: Canvas) -> Layers:
    """Papery white skin with dark level pores, peeling bands and a few black scars."""
    at = c.warp("sag", 0.02, 3)
    pores = c.cells("pores", c.count("pores", 4.5, 6.5), 22, jitter=1.0, at=at, borders=False)
    long = 0.14 + 0.34 * c.pick(pores.ids, "long") ** 2
    shape = np.hypot(pores.rx / long, pores.ry / 0.3)
    pore = smoothstep(1.1, 0.7, shape) * (c.pick(pores.ids, "there") < c.number("many", 0.3, 0.6))
    scars = c.cells("scars", 2, 3, jitter=0.9, at=c.warp("torn", 0.05, 5, 4), borders=False)
    torn = np.hypot(scars.rx / 0.3, scars.ry / 0.26) + 1.2 * (c.noise("tear", 8, 16, octaves=4) - 0.5)
    scar = smoothstep(1.0, 0.75, torn) * (c.pick(scars.ids, "there") < c.number("scarred", 0.2, 0.7))
    band, streak = c.noise("band", 2, 12, octaves=4, at=at), c.noise("streak", 6, 64, octaves=2)
    peel = smoothstep(0.56, 0.6, band) * smoothstep(0.72, 0.6, band)
    tone = np.clip(0.6 + 1.0 * (band - 0.5) + 0.4 * (streak - 0.5) + 0.2 * peel, 0, 1)
    skin = mix(ramp(tone, c.colours), from_hex("c99c78"), 0.45 * peel)
    base = mix(skin, from_hex("231d19") * (0.7 + 0.8 * streak)[..., None], np.maximum(0.85 * pore, scar))
    height = 0.6 + 0.3 * (band - 0.5) + 0.15 * peel + 0.15 * pore - 0.45 * scar * (1 - 0.5 * streak)
    return Layers(base, height, 0.6 + 0.3 * np.maximum(pore, scar), body=1 - np.maximum(pore, scar))


@family(
    group="plant",
    nouns=("bamboo", "bamboo canes", "bamboo fence", "bamboo wall", "bamboo poles", "cane", "reed fence"),
    palettes={
        "tan": Palette("tan", "8a6634 c0965a e2c48a", 2),
        "yellow": Palette("yellow", "a08428 d3b846 ecdc80", 1.5),
        "green": Palette("green", "35501c 648a34 a0bf60", 2),
        "brown": Palette("brown", "3a2412 6c4726 987046"),
        "black": Palette("black", "0d0b0a 1d1916 38312b", 0.5),
    },
    relief=(0.04, 0.08),
    modifiers=("mossy", "wet", "dusty"),
    finishes=("glossy", "matte"),
)
def bamboo(c: Canvas) -> Layers:
    """Round canes side by side, each with its own tone and its joints where they happen to be."""
    canes = c.count("canes", 4.6, 7.4)
    level = c.chance("level", 0.25)
    across, along = (c.v, c.u) if level else (c.u, c.v)
    wobble = 0.012 * (c.noise("wobble", 3, octaves=2) - 0.5)
    x = (across + wobble) * canes
    i = np.floor(x).astype(np.int64)
    side, cane = 2 * (x - i - 0.5), i % canes
    joints = 1 + (c.pick(cane, "joints") < c.number("short", 0.2, 0.8))
    y = (along * joints + c.pick(cane, "start") + 0.012 * side**2) % 1 - 0.5
    off = np.abs(y) / joints  # from the joint, in tiles
    ring, cleft = smoothstep(0.03, 0.008, np.abs(off - 0.012)), smoothstep(0.008, 0.002, off)
    width = 0.94 + 0.05 * ring
    round_ = np.sqrt(np.clip(1 - (side / width) ** 2, 0, 1))
    fibre = c.noise("fibre", *((4, 64) if level else (64, 4)), octaves=2, gain=0.7)
    patch, bloom = c.noise("patch", 4, octaves=4), smoothstep(0.1, 0.015, off) * (y > 0)
    tone = (
        0.32 + 0.7 * (c.pick(cane, "tone") - 0.5) + 0.28 * round_ + 0.25 * (fibre - 0.5) + 0.5 * (patch - 0.5)
    )
    stem = ramp(np.clip(tone, 0, 1), c.colours) * (0.42 + 0.58 * smoothstep(0.0, 0.75, round_))[..., None]
    stem = mix(stem, np.minimum(c.colours[-1] * 1.1 + 0.04, 1), 0.45 * bloom * round_)
    stem = stem * (1 - 0.72 * cleft - 0.25 * smoothstep(0.05, 0.02, off) * (y < 0))[..., None]
    body = smoothstep(0.05, 0.35, round_)
    height = round_ * (0.86 + 0.12 * c.pick(cane, "thick")) + 0.1 * (ring - 1.4 * cleft) * round_
    return Layers(
        mix(from_hex("120d08"), stem, body), height, 0.42 + 0.2 * fibre + 0.3 * (1 - body), body=body
    )


@family(
    group="wood",
    nouns=("osb board", "osb", "chipboard", "particle board", "oriented strand board", "pressed wood chips"),
    palettes={
        "tan": Palette("tan", "8a6032 b58748 d0a666 e6c890", 3),
        "brown": Palette("brown", "4a2f18 76502c 98703f b58d5a"),
        "beige": Palette("beige", "b2925c d2b684 e4cda0 f0dfbc"),
        "grey": Palette("grey", "5c5750 807a71 9e978d b8b1a6", 0.7),
    },
    relief=(0.004, 0.01),
    modifiers=("wet", "dusty", "stained", "burnt"),
)
def osb_board(c: Canvas) -> Layers:
    """Flakes of wood pressed flat in every direction, mostly along the board."""
    rng = np.random.default_rng(c.key("flakes"))
    size = 5.0 / c.count("size", 4.4, 5.8)
    main, spread = c.number("main", 0, np.pi), c.number("spread", 0.5, 1.1)
    height = 0.3 * c.noise("under", 12, octaves=3)
    tone = 0.1 + 0.5 * height
    lines = np.linspace(-1, 1, 13)
    for level in np.linspace(0.25, 1, round(210 / size**2)):
        length, width = size * (0.13 + 0.17 * rng.random()), size * (0.034 + 0.06 * rng.random())
        flake = strip(
            c, rng.random(2), rng.normal(main, spread), length, width,
            bend=0.1 * (rng.random() - 0.5), slant=0.3 * (rng.random() - 0.5),
        )  # fmt: skip
        fibre = np.interp(flake.q, lines, rng.random(13))
        edge = smoothstep(1.0, 0.72, np.abs(flake.q)) * smoothstep(0.5, 0.47, np.abs(flake.p))
        flake.paint(tone, (0.22 + 0.62 * rng.random() + 0.24 * (fibre - 0.5)) * (0.55 + 0.45 * edge))
        flake.paint(height, level * (0.8 + 0.2 * edge) + 0.08 * (fibre - 0.5), 0.75)
    height = blurred(height, 0.006)  # pressed, then sanded: no flake ends in a step
    grain = c.noise("grain", 32, octaves=3)
    wood = ramp(np.clip(tone + 0.12 * (grain - 0.5), 0, 1), c.colours)
    return Layers(wood * (0.86 + 0.2 * height)[..., None], height + 0.06 * grain, 0.72 - 0.15 * tone)


@family(
    group="plant",
    nouns=("cork", "cork board", "cork tile", "corkboard", "natural cork", "pinboard"),
    palettes={
        "tan": Palette("tan", "6b4424 ab7c4c c99a68 e0bf90", 3),
        "brown": Palette("brown", "2c1a0f 5c3c22 805a36 a37c52"),
        "beige": Palette("beige", "9c7a50 cdb083 dfc8a0 eddcbc"),
    },
    relief=(0.005, 0.012),
    modifiers=("wet", "dusty"),
)
def cork(c: Canvas) -> Layers:
    """Pressed granules of two sizes, dark bits of bark and small holes among them."""
    n = c.count("granules", 8.5, 11.5)
    at = c.warp("ragged", 0.018, 14, octaves=4)
    coarse, fine = c.cells("coarse", n, jitter=1.0, at=at), c.cells("fine", round(2.2 * n), jitter=1.0, at=at)
    big = c.pick(coarse.ids, "big") < c.number("big", 0.4, 0.8)
    ids = np.where(big, coarse.ids, fine.ids + 4096)
    edge = np.where(big, coarse.edge / n, np.minimum(fine.edge / round(2.2 * n), coarse.edge / n))
    pitted, grain = c.noise("pitted", 24, octaves=3, gain=0.7), c.noise("grain", 48, octaves=2)
    seam = smoothstep(0.011, 0.0, edge) * smoothstep(0.3, 0.6, c.noise("seams", 7, octaves=3))
    scrap = c.pick(ids, "scrap") > c.number("clean", 0.86, 0.95)
    hole = smoothstep(0.7, 0.78, pitted) * c.number("holes", 0.3, 0.9)
    tone = 0.3 + 0.62 * c.pick(ids, "tone") + 0.5 * (pitted - 0.5) + 0.25 * (grain - 0.5) - 0.5 * scrap
    base = ramp(np.clip(tone, 0, 1), c.colours) * (1 - 0.3 * seam - 0.5 * hole - 0.3 * scrap)[..., None]
    height = 0.6 + 0.2 * (c.pick(ids, "proud") - 0.5) + 0.25 * (grain - 0.5) - 0.3 * seam - 0.5 * hole
    return Layers(base, height, 0.9 - 0.06 * pitted)


@family(
    group="plant",
    nouns=("wicker", "rattan", "wicker basket", "woven rattan", "basket weave", "wickerwork", "basketry"),
    palettes={
        "tan": Palette("tan", "7c5428 b0844c d2ac74", 3),
        "brown": Palette("brown", "33200f 5f3f22 876039", 1.5),
        "white": Palette("white", "cfcbc4 e8e5e0 f8f6f3"),
        "grey": Palette("grey", "514d48 7b766f a29d95"),
    },
    relief=(0.03, 0.05),
    colourable=True,
    modifiers=("wet", "dusty"),
    finishes=("glossy", "matte"),
)
def wicker(c: Canvas) -> Layers:
    """Round strands, single or in pairs, that pass before and behind upright stakes."""
    stakes = 2 * c.count("stakes", 2.6, 4.2)
    pair = c.chance("pair", 0.4)
    rows = 2 * round(stakes * c.number("aspect", 0.8, 1.0) * (0.75 if pair else 1.2))
    u, v = c.warp("loose", c.number("loose", 0.003, 0.008), 6)
    x, y = u * stakes, v * rows
    i, j = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    before = np.cos(np.pi * (x - 0.5 + j % 2)) * 0.5 + 0.5
    lane = (y - j) * (2 if pair else 1)
    strand = j % rows * 2 + np.floor(lane).astype(np.int64)
    round_ = np.sqrt(np.clip(1 - (2 * (lane % 1 - 0.5) / 0.95) ** 2, 0, 1))
    stake = np.sqrt(np.clip(1 - ((x - i - 0.5) / 0.2) ** 2, 0, 1)) * 0.62
    weaver = round_ * (0.3 + 0.7 * smoothstep(0.0, 0.9, before))
    top = weaver > stake
    fibre = np.where(top, c.noise("fibre.x", 8, 64, octaves=2), c.noise("fibre.y", 64, 8, octaves=2))
    ids = np.where(top, strand, i % stakes + 4096)
    height = np.maximum(weaver, stake)
    patch = c.noise("patch", 4, octaves=3)
    tone = 0.5 * c.pick(ids, "tone") + 0.35 * height + 0.4 * (fibre - 0.5) + 0.4 * (patch - 0.5) + 0.12
    body = smoothstep(0.12, 0.5, height)
    cane = ramp(np.clip(tone, 0, 1), c.colours) * (0.34 + 0.66 * smoothstep(0.05, 0.85, height))[..., None]
    return Layers(mix(from_hex("100a06"), cane, body), height + 0.06 * fibre, 0.6 - 0.15 * height, body=body)


@family(
    group="plant",
    nouns=("straw", "thatch", "straw thatch", "hay", "thatched roof", "dry straw", "straw bale"),
    palettes={
        "golden": Palette("yellow", "3f2d12 9c7a2c d4b050 f0dc94", 2),
        "tan": Palette("tan", "3a2814 8f6a38 c8a068 e8cc9a", 2),
        "brown": Palette("brown", "21150b 553a20 85623a b08c5c"),
        "grey": Palette("grey", "2b2825 6b655d 98918a c0b9b0"),
    },
    relief=(0.03, 0.06),
    modifiers=("mossy", "wet"),
)
def straw_thatch(c: Canvas) -> Layers:
    """Hundreds of stalks, combed downwards as on a roof or tossed about as in a bale."""
    rng = np.random.default_rng(c.key("stalks"))
    size = 5.0 / c.count("size", 4.4, 5.8)
    tossed = c.chance("tossed", 0.35)
    spread = c.number("spread", 0.5, 0.9) if tossed else c.number("order", 0.06, 0.2)
    height = 0.15 * c.noise("under", 32, 6, octaves=2)
    tone = 0.7 * height
    for level in np.linspace(0.1, 1, round((300 if tossed else 330) / size)):
        length, width = size * (0.3 + 0.25 * rng.random()), size * (0.011 + 0.011 * rng.random())
        angle, bend = np.pi / 2 + rng.normal(0, spread), 0.06 * (rng.random() - 0.5)
        stalk = strip(c, rng.random(2), angle, length, width, bend=bend)
        round_ = np.sqrt(np.clip(1 - stalk.q**2, 0, 1))
        node = smoothstep(0.025, 0.01, np.abs(stalk.p - 0.6 * (rng.random() - 0.5)))
        shade = (0.2 + 0.5 * level + 0.45 * (rng.random() - 0.4)) * (0.5 + 0.5 * round_) - 0.2 * node
        stalk.paint(tone, shade)
        stalk.paint(height, level * 0.8 + 0.2 * round_)
    return Layers(ramp(np.clip(tone, 0, 1), c.colours), height, 0.9 - 0.15 * tone)


@family(
    group="paper",
    nouns=("paper", "kraft paper", "cardboard", "crumpled paper", "wrapping paper", "parchment", "paper bag"),
    palettes={
        "kraft": Palette("tan", "9c7040 ba8c58 cfa878", 3),
        "white": Palette("white", "dcdad5 efeeea faf9f7", 1.5),
        "parchment": Palette("cream", "d8c698 ebdcb6 f6ecd2"),
        "brown": Palette("brown", "5f3f22 7d5833 987048"),
        "grey": Palette("grey", "7c7b79 979694 b0afad", 0.7),
    },
    relief=(0.015, 0.035),
    colourable=True,
    modifiers=("wet", "dusty"),
)
def paper_kraft(c: Canvas) -> Layers:
    """A sheet once crumpled and smoothed out: straight creases between flat facets, short fibres."""
    n = c.count("folds", 2.4, 3.8)
    at = c.warp("give", 0.005, 4)
    folds = [
        c.cells(f"folds{k}", round(n * m), jitter=1.0, at=at).edge for k, m in enumerate((1.0, 1.7, 2.9))
    ]
    crumpled, soft = c.number("crumpled", 0.35, 1.0), c.noise("soft", 3)
    facets = folds[0] - 0.6 * folds[1] + 0.3 * folds[2]
    worn = np.maximum(smoothstep(0.035, 0.0, folds[1]), 0.7 * smoothstep(0.06, 0.0, folds[2])) * crumpled
    valley = smoothstep(0.02, 0.0, folds[0]) * crumpled
    facing = np.roll(facets, (-1, -1), (0, 1)) - np.roll(facets, (1, 1), (0, 1))
    shade = np.clip(0.03 * c.size * crumpled * facing, -1, 1)  # what is left in the folds of handling
    pulp, sheet = c.noise("pulp", 24, octaves=4, gain=0.7), np.zeros((c.size, c.size), np.float32)
    rng = np.random.default_rng(c.key("fibres"))
    for _ in range(130):
        fibre = strip(c, rng.random(2), np.pi * rng.random(), 0.03 + 0.05 * rng.random(), 0.004, bend=0.1)
        fibre.paint(sheet, rng.normal(0, 0.5))
    tone = 0.5 + 0.9 * crumpled * (facets - 0.15) + 0.4 * (soft - 0.5) + 0.3 * (pulp - 0.5) + 0.22 * sheet
    base = ramp(np.clip(tone + 0.3 * worn, 0, 1), c.colours) * (1 + 0.12 * shade - 0.06 * valley)[..., None]
    height = crumpled * facets + 0.2 * soft + 0.03 * pulp + 0.015 * sheet
    return Layers(base, height, 0.9 - 0.06 * pulp)
