"""Brick, stone, tiles, roofs, concrete."""

from __future__ import annotations

import numpy as np

from engine.starter.materials.colour import from_hex, mix, ramp
from engine.starter.materials.primitives import Array, Blocks, Ints, running_bond, smoothstep
from engine.starter.materials.registry import Canvas, Layers, Palette, family

OUTDOOR = ("mossy", "wet", "dusty", "cracked")
WEATHERED = (*OUTDOOR, "worn", "snowy", "dirty", "stained")
JOINTS = ("b3a99c", "cfc8bd", "8f877c", "6b655d")


@family(
    group="masonry",
    nouns=("bricks", "brick wall", "brickwork", "brick", "brick masonry", "brick surface"),
    palettes={
        "red": Palette("red", "6e2a22 8e3a2d a54a38", 3),
        "dark red": Palette("red", "4d1d1b 6a2622 82342c"),
        "orange": Palette("orange", "a0522d c06a38 d08048"),
        "brown": Palette("brown", "4a3222 67462e 80593c"),
        "yellow": Palette("tan", "a5814d c09a62 d2b27c"),
        "grey": Palette("grey", "6a6865 858380 9f9c98"),
        "white": Palette("white", "dcdbd8 ecebe8 f7f6f4"),
    },
    relief=(0.02, 0.045),
    colourable=True,
    modifiers=OUTDOOR,
    finishes=("glossy",),
    layouts=("running bond", "running bond", "stack bond"),
    joint="mortar",
)
def brick_wall(c: Canvas) -> Layers:
    """Chipped, unevenly fired bricks."""
    columns = c.count("columns", 2.6, 4.4)
    rows = 2 * round(columns * c.number("aspect", 1.1, 1.4))
    u, v = c.warp("wobble", 0.005, 6)
    blocks = running_bond(u, v, columns, rows, 0.0 if c.layout == "stack bond" else 0.5)
    gap = c.number("gap", 0.13, 0.2) / rows
    depth = c.outline(blocks, gap, 0.006, 0.006)
    rise = smoothstep(-0.004, 0.014, depth)
    grain, stain = c.noise("grain", 24, octaves=4), c.noise("stain", 5)
    chip = smoothstep(0.72, 0.82, c.noise("chip", 9)) * c.number("chips", 0, 0.6)
    fired = c.pick(blocks.ids, "fired")
    brick = ramp(np.clip(0.75 * fired + 0.35 * (grain - 0.5) + 0.25 * (stain - 0.5) + 0.12, 0, 1), c.colours)
    brick = brick * (0.88 + 0.24 * grain)[..., None]
    joint = c.contrasting("mortar", JOINTS)
    mortar = joint * (0.8 + 0.4 * c.noise("sand", 48, octaves=2))[..., None]
    body = smoothstep(-0.003, 0.005, depth - 0.012 * chip)
    height = rise * (0.7 + 0.15 * c.pick(blocks.ids, "proud")) + 0.12 * grain - 0.3 * chip * rise
    rough = 0.95 - 0.15 * body * grain
    return Layers(mix(mortar, brick, body), height, rough, body=body, joint=joint)


@family(
    group="masonry",
    nouns=("cobblestones", "cobblestone", "cobbles", "paving stones", "cobblestone street", "setts"),
    palettes={
        "grey": Palette("grey", "575654 77756f 98958e", 3),
        "light grey": Palette("grey", "8a8884 a9a7a2 c2c0bb"),
        "black": Palette("black", "131314 1f1f20 2d2d2f"),
        "brown": Palette("brown", "4b3826 67503a 80674d"),
        "beige": Palette("beige", "b5a283 cdbb98 e0d1b2"),
        "red": Palette("red", "6e3630 8b4640 a05a50", 0.6),
    },
    relief=(0.045, 0.08),
    modifiers=OUTDOOR,
)
def cobblestone(c: Canvas) -> Layers:
    """Rounded stones of a street, dark joints."""
    n = c.count("stones", 4.6, 6.6)
    stones = c.cells("stones", n, jitter=c.number("order", 0.55, 0.8), at=c.warp("wobble", 0.012, 6))
    dome = np.sqrt(np.clip(stones.edge / 0.4, 0, 1))
    speckle, face = c.noise("speckle", 32, octaves=3), c.noise("face", 10)
    body = smoothstep(0.035, 0.11, stones.edge)
    shade = np.clip(0.8 * c.pick(stones.ids, "tone") + 0.5 * (face - 0.5) + 0.1, 0, 1)
    stone = ramp(shade, c.colours) * (0.62 + 0.3 * dome + 0.22 * speckle)[..., None]
    joint = from_hex(c.choose("joint", ("3a342c", "2c2926", "4a4238"))) * (0.7 + 0.6 * speckle)[..., None]
    height = dome * (0.8 + 0.25 * c.pick(stones.ids, "proud")) + 0.1 * face + 0.05 * speckle
    return Layers(mix(joint, stone, body), height, 0.92 - 0.3 * body * dome, body=body)


@family(
    group="tiles",
    nouns=("tiles", "ceramic tiles", "square tiles", "bathroom tiles", "tiled floor", "tile"),
    palettes={
        "white": Palette("white", "e2e3e1 eef0ee f6f7f6"),
        "terracotta": Palette("orange", "a8552f c06a3c cf7f50"),
        "grey": Palette("grey", "727477 85888b 999c9f"),
        "beige": Palette("beige", "c8b590 d8c7a3 e4d6b8"),
    },
    relief=(0.006, 0.018),
    colourable=True,
    modifiers=OUTDOOR,
    finishes=("glossy", "matte"),
    layouts=("grid", "grid", "grid", "staggered"),
    joint="grout",
)
def square_tiles(c: Canvas) -> Layers:
    """Glazed tiles with grout."""
    n = c.count("tiles", 2.7, 5.3)
    if c.layout == "staggered":
        n += n % 2  # every other row is shifted: an odd number would not close
    blocks = running_bond(c.u, c.v, n, n, 0.5 if c.layout == "staggered" else 0.0)
    depth = c.outline(blocks, c.number("gap", 0.05, 0.09) / n, 0.06 / n, 0.0)
    body = smoothstep(-0.003, 0.004, depth)
    cloud, glaze = c.noise("cloud", 3), c.noise("glaze", 20, octaves=3)
    tone = c.pick(blocks.ids, "tone") * c.number("variety", 0.25, 0.9)
    tile = ramp(np.clip(0.3 + 0.5 * (tone - 0.25) + 0.5 * (cloud - 0.5), 0, 1), c.colours)
    rim = smoothstep(0.012, 0.0, depth)
    tile = tile * (0.97 + 0.06 * glaze - 0.12 * rim)[..., None]
    joint = c.contrasting("grout", ("d9d6cf", "a9a59d", "7c7a76", "4b4a48"))
    grout = joint * (0.88 + 0.2 * c.noise("sand", 64, octaves=2))[..., None]
    height = smoothstep(-0.004, 0.02, depth) * (0.94 + 0.04 * tone) + 0.02 * cloud
    rough = 0.85 + (c.number("gloss", 0.08, 0.3) - 0.85) * body
    return Layers(mix(grout, tile, body), height, rough + 0.05 * glaze, body=body, joint=joint)


def _shingle_rows(c: Canvas, columns: int, rows: int, bulge: float) -> tuple[Blocks, Array]:
    """Staggered shingles with bulging lower edges, and the distance below the edge above, in rows."""
    y = c.v * rows
    row = np.floor(y).astype(np.int64)
    below = y - row

    def local(r: Ints) -> tuple[Array, Ints]:
        x = c.u * columns + 0.5 * (r % 2)
        i = np.floor(x).astype(np.int64)
        return x - i - 0.5, i % columns + columns * (r % rows)

    x_above, id_above = local(row - 1)
    x_here, id_here = local(row)
    drop = below - bulge * (1 - (2 * np.abs(x_above)) ** 2.5)
    above = drop < 0
    x, ids = np.where(above, x_above, x_here), np.where(above, id_above, id_here)
    reach = np.where(above, 1 + below, below)
    return Blocks(x, reach, 1 / columns, 1 / rows, ids), np.where(above, 1.0, drop)


@family(
    group="roof",
    nouns=("roof shingles", "shingles", "roof tiles", "roofing", "shingle roof", "roof slates"),
    palettes={
        "grey": Palette("grey", "5a5e64 74787e 8c9096", 2),
        "terracotta": Palette("orange", "9c5030 bd6a40 cf8054", 1.5),
        "red": Palette("red", "7a2a22 983a2e ad4c3c", 1.5),
        "brown": Palette("brown", "4a3424 664932 806044"),
        "black": Palette("black", "141517 202124 2d2e31"),
    },
    relief=(0.03, 0.06),
    colourable=True,
    modifiers=OUTDOOR,
)
def roof_shingles(c: Canvas) -> Layers:
    """Overlapping rows; each shingle shades the one below."""
    columns = c.count("columns", 4.6, 6.6)
    rows = 2 * max(2, round(columns * c.number("aspect", 0.42, 0.6)))
    blocks, drop = _shingle_rows(c, columns, rows, c.number("bulge", 0.12, 0.5))
    side = smoothstep(0.5, 0.455, np.abs(blocks.x))
    shadow = smoothstep(0.16, 0.0, drop)
    grain, streak = c.noise("grain", 32, octaves=3), c.noise("streak", 24, 4, octaves=3)
    tone = np.clip(
        0.75 * c.pick(blocks.ids, "tone") + 0.3 * (grain - 0.5) + 0.3 * (streak - 0.5) + 0.12, 0, 1
    )
    lip = smoothstep(0.86, 1.0, np.minimum(blocks.y, 1.0)) * 0.12
    shingle = ramp(tone, c.colours) * (0.85 + 0.2 * np.clip(blocks.y, 0, 1) + lip)[..., None]
    body = side * (1 - shadow)
    height = (0.2 + 0.65 * np.clip(blocks.y, 0, 1.3)) * (0.35 + 0.65 * side)
    height = height + 0.15 * c.pick(blocks.ids, "lift") + 0.06 * grain
    return Layers(shingle * (0.28 + 0.72 * body)[..., None], height, 0.75 + 0.15 * grain, body=body)


@family(
    group="stone",
    nouns=("marble", "marble slab", "veined marble", "polished marble", "marble stone", "marble surface"),
    palettes={
        "white": Palette("white", "dcdad6 eae8e4 f5f3f0", 3),
        "black": Palette("black", "121214 1a1a1d 26262a", 1.5),
        "green": Palette("green", "17352a 23503c 34684e"),
        "pink": Palette("pink", "cf8f92 dca0a4 e8bcbe"),
        "beige": Palette("beige", "cbb993 d9c9a6 e6d9bd"),
        "grey": Palette("grey", "76777a 8c8d90 a3a4a7"),
    },
    relief=(0.0005, 0.002),
    colourable=True,
    modifiers=("cracked",),
    finishes=("matte",),
    joint="veins",
)
def marble(c: Canvas) -> Layers:
    """Cloudy stone with large branching veins, some fine ones beside them."""
    p = c.count("veins", 2.0, 3.0)
    warped = c.warp("fold", c.number("fold", 0.12, 0.2), 3, octaves=5)

    def veins(name: str, period: int, width: float) -> Array:
        ridge = np.abs(2 * c.noise(name, period, octaves=5, at=warped) - 1)
        return smoothstep(width, 0.0, ridge)

    cloud = c.noise("cloud", 3, at=warped)
    bold, fine = veins("bold", p, 0.085), veins("fine", 2 * p, 0.06)
    gate = smoothstep(0.35, 0.6, c.noise("gate", 3))
    haze = veins("bold", p, 0.35) * 0.3
    mask = np.clip(bold * (0.45 + 0.5 * gate) + haze + 0.55 * fine * gate, 0, 1)
    vein = c.contrasting(
        "vein", ("4b5560", "55565c", "6f6a66", "7b6a4c", "d8c08a", "cfcac2", "e4e0d8", "f0ece4")
    )
    stone = mix(ramp(cloud, c.colours), vein, mask * c.number("bold", 0.7, 0.95))
    rough = c.number("polish", 0.06, 0.2) + 0.05 * mask
    height = 0.5 + 0.2 * cloud - 0.4 * mask
    return Layers(stone, height, rough, body=1 - smoothstep(0.05, 0.3, mask), joint=vein)


@family(
    group="stone",
    nouns=("concrete", "concrete wall", "cement", "concrete floor", "cast concrete", "concrete surface"),
    palettes={
        "grey": Palette("grey", "7c7a77 979590 aeaca6", 3),
        "dark grey": Palette("grey", "55544f 6a6964 807e78"),
        "white": Palette("white", "dddcd9 ecebe8 f6f5f3", 0.7),
        "beige": Palette("beige", "b8a98a cdbe9e dccfb3", 0.7),
    },
    relief=(0.003, 0.01),
    colourable=True,
    modifiers=OUTDOOR,
    scales=("large", "medium", "small"),
)
def concrete(c: Canvas) -> Layers:
    """Blotches, sand, air holes, and often the seams and tie holes of the formwork."""
    blotch, mottle = c.noise("blotch", 3, octaves=6, gain=0.6), c.noise("mottle", 14, octaves=4, gain=0.6)
    sand = c.grain("sand")
    pits = c.cells("pits", c.count("pits", 14, 20), jitter=1.0, borders=False)
    radius = 0.08 + 0.16 * c.pick(pits.ids, "width") ** 2
    pit = smoothstep(1.0, 0.6, pits.f1 / radius) * (c.pick(pits.ids, "there") < c.number("holes", 0.15, 0.45))
    seam: Array
    seam = hole = rim = np.zeros((1, 1), np.float32)
    if c.chance("formwork", 0.6):
        n = 1 if c.chance("one board", 0.5) else 2
        x, y = (c.u * n) % 1 - 0.5, (c.v * n) % 1 - 0.5
        border = (0.5 - np.maximum(np.abs(x), np.abs(y))) / n
        seam = smoothstep(0.008, 0.002, border)
        tie = np.hypot(np.abs(x) - 0.27, np.abs(y) - 0.27) / n
        hole, rim = smoothstep(0.022, 0.014, tie), smoothstep(0.034, 0.024, tie) * 0.5
    tone = np.clip(0.5 + 0.9 * (blotch - 0.5) + 0.5 * (mottle - 0.5) + 0.16 * (sand - 0.5), 0, 1)
    base = ramp(tone, c.colours) * (1 - 0.5 * pit - 0.45 * seam - 0.6 * hole - 0.12 * rim)[..., None]
    height = 0.7 + 0.2 * (blotch - 0.5) + 0.15 * (mottle - 0.5) + 0.06 * sand
    height = height - 0.45 * pit - 0.3 * seam - 0.6 * hole
    return Layers(base, height, 0.82 + 0.12 * (mottle - 0.5) - 0.05 * blotch)
