"""Laid and glazed units: hexagon, fish-scale and mosaic tiles, brick pavers."""

from __future__ import annotations

import numpy as np

from engine.starter.materials.colour import from_hex, mix, ramp
from engine.starter.materials.layouts import HEXAGONS, basket_weave, hexagons, scallops
from engine.starter.materials.masonry import WEATHERED
from engine.starter.materials.primitives import Array, Ints, smoothstep
from engine.starter.materials.registry import Canvas, Layers, Palette, family

GROUTS = ("e4e1da", "b0aca4", "7c7a76", "45454a")


def _glazed(
    c: Canvas, tile: Array, depth: Array, ids: Ints, unit: float, gap: float, *, bulge: float, body: Array
) -> Layers:
    """Tiles (H, W, 3) under glaze, set into sandy grout.

    Args:
        c: the canvas.
        tile: colour of the tiles.
        depth: into each tile from its border, in tiles of the texture.
        ids: of the tiles.
        unit: width of one, in tiles of the texture.
        gap: width of the grout / unit.
        bulge: 0 flat with a rounded rim, 1 a cushion.
        body: which tiles the colour word is about.
    """
    inner = depth / unit - gap / 2
    mask = smoothstep(-0.012, 0.02, inner)
    glaze, cloud = c.noise("glaze", 20, octaves=3), c.noise("cloud", 3, octaves=3)
    rim = smoothstep(0.13, 0.0, inner)
    tile = tile * (0.96 + 0.08 * (glaze - 0.5) + 0.24 * (cloud - 0.5) - 0.16 * rim)[..., None]
    worn = smoothstep(0.62, 0.74, c.noise("worn", 7)) * c.number("wear", 0, 0.5)
    tile = mix(tile, tile * 0.6 + 0.22, worn * (0.3 + 0.7 * rim))
    sand = c.noise("sand", 40, octaves=3)
    joint = c.contrasting("grout", GROUTS)
    grout = joint * (0.72 + 0.4 * sand + 0.16 * (cloud - 0.5))[..., None]
    tilt = 0.1 * (c.pick(ids, "lift") - 0.5)
    profile = smoothstep(-0.02, 0.1, inner) * (1 - bulge) + np.sqrt(np.clip(inner / 0.42, 0, 1)) * bulge
    height = profile * (0.9 + tilt) + 0.05 * (1 - mask) * sand + 0.015 * cloud
    rough = 0.88 + mask * (c.number("gloss", 0.07, 0.28) + 0.3 * worn + 0.06 * glaze - 0.88)
    return Layers(mix(grout, tile, mask), height, rough, body=mask * body, joint=joint)


@family(
    group="tiles",
    nouns=(
        "hexagon tiles",
        "hexagonal tiles",
        "hex tiles",
        "honeycomb tiles",
        "hexagon floor tiles",
        "hexagonal tiling",
    ),
    palettes={
        "white": Palette("white", "dcdddb edefed f7f8f7", 2),
        "grey": Palette("grey", "63676b 7f8386 9da0a3"),
        "black": Palette("black", "121315 1d1e21 2c2d30"),
        "green": Palette("green", "1f4a33 2f6847 4f8a64"),
        "blue": Palette("blue", "1c3a6b 2d558f 5580b5"),
        "terracotta": Palette("orange", "a2512d bc683c cf8152"),
        "cream": Palette("cream", "dccfae ecdfc2 f6edd8"),
    },
    relief=(0.006, 0.016),
    colourable=True,
    modifiers=WEATHERED,
    finishes=("glossy", "matte"),
    joint="grout",
)
def hex_tiles(c: Canvas) -> Layers:
    """Glazed hexagons, often with some in a second colour."""
    wanted = c.count("tiles", 4.2, 7.6)
    columns, pairs = min(HEXAGONS, key=lambda layout: abs(layout[0] - wanted))
    upright = c.chance("upright", 0.5)
    tiles = hexagons(c.u, c.v, columns, pairs) if upright else hexagons(c.v, c.u, columns, pairs)
    tone = c.pick(tiles.ids, "tone")
    second = c.pick(tiles.ids, "second") < c.number("share", 0.12, 0.4) * c.chance("two colours", 0.5)
    fleck = c.noise("fleck", 9, octaves=4, gain=0.6)
    shade = np.clip(0.5 + c.number("variety", 0.4, 1.2) * (tone - 0.5) + 0.5 * (fleck - 0.5), 0, 1)
    other = c.contrasting("other", ("2d4b52", "25282c", "f1efe8", "b98a4a", "dfe3e0", "8a3b30"))
    tile = mix(ramp(shade, c.colours), other * (0.85 + 0.3 * shade)[..., None], second.astype(np.float32))
    gap = c.number("gap", 0.05, 0.09)
    return _glazed(c, tile, tiles.depth, tiles.ids, 1 / columns, gap, bulge=0.15, body=1.0 - second)


@family(
    group="tiles",
    nouns=(
        "fish scale tiles",
        "scallop tiles",
        "scalloped tiles",
        "mermaid tiles",
        "fan tiles",
        "fish scale pattern",
    ),
    palettes={
        "teal": Palette("teal", "0f5560 1f8583 5cbcae", 3),
        "blue": Palette("blue", "1a376a 2c5b9c 6b9ed0", 1.5),
        "green": Palette("green", "1d4a30 33754a 74ab7c"),
        "white": Palette("white", "dcdedd eff0ee fafaf9"),
        "pink": Palette("pink", "c9808c dd9eaa f0c4c9"),
        "purple": Palette("purple", "46286a 69408f 9c78c0", 0.7),
    },
    relief=(0.01, 0.022),
    colourable=True,
    modifiers=WEATHERED,
    finishes=("glossy", "matte"),
    joint="grout",
)
def fish_scale_tiles(c: Canvas) -> Layers:
    """Rows of round-ended tiles, each glazed by hand: paler where the glaze ran thin."""
    columns = c.count("tiles", 3.6, 5.6)
    tiles = scallops(c.u, c.v if c.chance("down", 0.7) else -c.v, columns)
    tone, pool = c.pick(tiles.ids, "tone"), c.noise("pool", 8, octaves=4)
    spread = c.number("variety", 0.5, 1.1)
    run = c.number("run", 0.1, 0.5) * (tiles.y + 0.05)
    shade = np.clip(0.5 + spread * (tone - 0.5) - run + 0.45 * (pool - 0.5), 0, 1)
    gap = c.number("gap", 0.04, 0.075)
    bulge = c.number("bulge", 0.3, 0.7)
    whole = np.ones((1, 1), np.float32)
    return _glazed(
        c, ramp(shade, c.colours), tiles.depth, tiles.ids, 1 / columns, gap, bulge=bulge, body=whole
    )


@family(
    group="tiles",
    nouns=("mosaic", "mosaic tiles", "roman mosaic", "tesserae", "glass mosaic", "mosaic floor"),
    palettes={
        "blue": Palette("blue", "12305c 1f5590 3f86c0 9cc7e2", 2),
        "teal": Palette("teal", "0c4a52 1b7f7f 48b5a6 b5e0d2", 1.5),
        "beige": Palette("beige", "a88f66 c9b088 e0cca6 f0e4ca"),
        "red": Palette("red", "5f1a18 93302a b5483c d98a6e"),
        "green": Palette("green", "1c4526 35713c 6a9c58 b3cc94"),
        "orange": Palette("orange", "a04f1e c8762c e09a44 f0c886", 0.7),
        "white": Palette("white", "cfd0cc e4e4e0 f0f0ed fafaf8", 0.7),
    },
    relief=(0.01, 0.022),
    colourable=True,
    modifiers=WEATHERED,
    finishes=("glossy", "matte"),
    joint="grout",
)
def mosaic(c: Canvas) -> Layers:
    """Small hand-cut stones; those of a second colour draw bands and patches among them."""
    n = c.count("stones", 8.5, 11.5)
    stones = c.cells("stones", n, jitter=c.number("order", 0.4, 0.6))
    centre = (c.u + stones.rx / n) % 1, (c.v + stones.ry / n) % 1
    field = c.noise("motif", 3, octaves=2, at=centre)
    wave = field * c.number("bands", 2.0, 4.0)
    drawn = np.abs(wave - np.round(wave)) < c.number("band", 0.1, 0.2)
    stray = c.pick(stones.ids, "stray")
    drawn = (drawn | (stray < 0.05)) & (stray < 0.9)
    tone = c.pick(stones.ids, "tone")
    vein = c.noise("vein", 18, octaves=3)
    first = ramp(np.clip(tone + 0.5 * (field - 0.5) + 0.25 * (vein - 0.5), 0, 1), c.colours)
    other = c.contrasting("other", ("e0b040", "f2efe6", "1f2a33", "b03a2e", "1f8a8a", "e9dcc0"))
    accent = np.where((c.pick(stones.ids, "gold") < 0.3)[..., None], from_hex("d9a441"), other)
    tile = mix(first, accent * (0.78 + 0.4 * tone)[..., None], drawn.astype(np.float32))
    tile = tile * (0.92 + 0.16 * vein)[..., None]
    gap = c.number("gap", 0.1, 0.16)
    return _glazed(c, tile, stones.edge / n, stones.ids, 1 / n, gap, bulge=0.35, body=1.0 - drawn)


@family(
    group="masonry",
    nouns=("pavers", "brick pavers", "basket weave pavers", "brick paving", "basket weave bricks", "patio"),
    palettes={
        "red": Palette("red", "66302a 88413a a55a4c", 2.5),
        "orange": Palette("orange", "9a5030 b96c42 cf8a5c"),
        "grey": Palette("grey", "62605d 83817d a3a09b", 1.5),
        "brown": Palette("brown", "48332a 674a3a 84634d"),
        "tan": Palette("tan", "9a7a54 bd9a6c d6b98c"),
        "black": Palette("black", "17171a 242427 353538", 0.6),
    },
    relief=(0.014, 0.03),
    modifiers=WEATHERED,
    joint="joints",
)
def basket_weave_pavers(c: Canvas) -> Layers:
    """Bricks laid in squares, level and upright by turns, with sand swept into the joints."""
    bricks = 2 if c.chance("pairs", 0.7) else 3
    squares = 2 * max(1, round(c.count("squares", 3.2, 5.2) / bricks))
    u, v = c.warp("wobble", 0.004, 6)
    blocks, level = basket_weave(u, v, squares, bricks)
    breadth = 1 / (squares * bricks)
    depth = c.outline(blocks, c.number("gap", 0.09, 0.15) * breadth, 0.05 * breadth, 0.03 * breadth)
    into = depth / breadth
    grain, stain = c.noise("grain", 24, octaves=4, gain=0.6), c.noise("stain", 4)
    drag = np.where(level, c.noise("drag.x", 8, 40, octaves=2), c.noise("drag.y", 40, 8, octaves=2))
    pit = smoothstep(0.7, 0.9, c.noise("pit", 40, octaves=2))
    tone = 0.9 * c.pick(blocks.ids, "fired") + 0.4 * (grain - 0.5) + 0.35 * (stain - 0.5)
    brick = ramp(np.clip(tone + 0.3 * (drag - 0.5) + 0.05, 0, 1), c.colours)
    edge = smoothstep(0.16, 0.02, into)
    brick = brick * (0.84 + 0.3 * grain + 0.14 * edge - 0.25 * pit)[..., None]
    sand = c.noise("sand", 40, octaves=3)
    swept = c.contrasting("joint", ("b5a78c", "8a8072", "4c453c", "2e2a26"))
    body = smoothstep(-0.02, 0.05, into - 0.12 * (sand - 0.5))
    rise = smoothstep(-0.04, 0.16, into) * (0.75 + 0.25 * c.pick(blocks.ids, "proud"))
    height = rise + 0.12 * grain - 0.12 * pit + 0.1 * (1 - body) * sand
    base = mix(swept * (0.7 + 0.6 * sand)[..., None], brick, body)
    return Layers(base, height, 0.93 - 0.12 * body * grain, body=body, joint=swept)
