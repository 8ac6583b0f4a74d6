"""What was made, by bees, minerals or people: comb, crystals, plastic, foam, old paint."""

from __future__ import annotations

import numpy as np

from engine.starter.materials.colour import from_hex, mix, ramp, shades
from engine.starter.materials.metal import rust_layer
from engine.starter.materials.primitives import Array, Ints, lattice, smoothstep
from engine.starter.materials.registry import Canvas, Layers, Palette, family

HEX = np.float32(np.sqrt(3))


def _comb(u: Array, v: Array, columns: int, pairs: int) -> tuple[Array, Array, Array, Ints]:
    """Hexagons: distance into each from its wall, and offsets from its centre, in widths of one; ids."""
    x, y = u * columns, v * pairs
    best, depth = np.full(x.shape, 9, np.float32), np.zeros(x.shape, np.float32)
    dx, dy, ids = np.zeros(x.shape, np.float32), np.zeros(x.shape, np.float32), np.zeros(x.shape, np.int64)
    for shift in (0, 1):
        i, j = np.floor(x - shift / 2).astype(np.int64), np.floor(y - shift / 2).astype(np.int64)
        qx, qy = x - shift / 2 - i - 0.5, (y - shift / 2 - j - 0.5) * HEX
        reach = np.maximum(np.abs(qx), 0.5 * np.abs(qx) + 0.5 * HEX * np.abs(qy))
        near = reach < best
        best, dx, dy = np.where(near, reach, best), np.where(near, qx, dx), np.where(near, qy, dy)
        depth = np.where(near, 0.5 - reach, depth)
        ids = np.where(near, 2 * (i % columns + columns * (j % pairs)) + shift, ids)
    return depth, dx, dy, ids


@family(
    group="organic",
    nouns=("honeycomb", "beehive", "honeycomb cells", "bee comb", "honey", "beeswax comb"),
    palettes={
        "amber": Palette("orange", "7a3a06 cc7a14 f2b23c", 2),
        "honey": Palette("yellow", "94600a dca522 f6d054", 3),
        "dark": Palette("brown", "2c1506 64370f 9a6420", 1.5),
    },
    relief=(0.03, 0.06),
    finishes=("glossy", "matte"),
)
def honeycomb(c: Canvas) -> Layers:
    """Six-sided wax cells: filled with honey, empty or capped."""
    columns = c.count("columns", 4.8, 7.4)
    u, v = c.warp("bees", 0.012, 5, octaves=2)
    pairs = max(1, round(columns / HEX))
    depth, dx, dy, ids = _comb(u, v, columns, pairs)
    centre = (u - dx / columns) % 1, (v - dy / HEX / pairs) % 1
    fine, patch = c.noise("fine", 24, octaves=3), c.noise("patch", 3)
    width = c.number("wall", 0.055, 0.085) + 0.03 * (c.noise("wax", 8, octaves=2) - 0.5)
    wall, lip = smoothstep(0.03, -0.02, depth - width), smoothstep(0.05, 0.0, np.abs(depth - width - 0.02))
    state = 0.7 * c.pick(ids, "state") + 0.6 * (c.noise("brood", 2, octaves=2, at=centre) - 0.2)
    capped = (state < c.number("capped", 0.0, 0.32)).astype(np.float32)
    empty = (state > c.number("empty", 0.62, 0.95)).astype(np.float32)
    middle = np.clip(1 - np.hypot(dx, dy) / 0.5, 0, 1)
    glint = smoothstep(0.13, 0.05, np.hypot(dx + 0.13, dy + 0.15)) * (1 - empty)
    tone = 0.3 + 0.5 * (c.pick(ids, "tone") - 0.3) + 0.45 * (0.6 - middle) + 0.4 * (patch - 0.5) + 0.3 * glint
    honey = ramp(np.clip(tone, 0, 1), c.colours)
    honey = mix(honey, honey * 0.34 * (0.6 + 0.9 * (1 - middle))[..., None], 0.85 * empty)
    wax = mix(c.colours[-1], from_hex("e6c88c"), 0.5) * (0.72 + 0.4 * fine)[..., None]
    cap = mix(c.colours[1], from_hex("d0a468"), 0.55) * (0.8 + 0.3 * fine)[..., None]
    inside = mix(honey, cap, capped)
    base = mix(inside, wax, wall) * (1 - 0.3 * lip * (1 - capped))[..., None]
    level = 0.5 + 0.12 * (c.pick(ids, "full") - 0.5) - 0.5 * empty * middle + (0.22 + 0.15 * middle) * capped
    height = level + (1 - level) * wall + 0.03 * fine
    rough = 0.1 + 0.5 * np.maximum(wall, capped) + 0.3 * empty
    return Layers(base, height, rough + 0.1 * (fine - 0.5), body=(1 - wall) * (1 - capped) * (1 - empty))


def _crystals(c: Canvas, p: int, at: tuple[Array, Array]) -> tuple[Array, Array, Array, Ints, Ints]:
    """Six-sided points, p × p a tile, that grow into each other: the highest one shows.

    Returns:
        height in cells; edge, 0 where two facets or crystals meet; reach, in cells, from the crystal's axis;
        crystal ids; facet ids.
    """
    sx, sy, turn, lift, lean, toward = (lattice(p, p, c.key(f"crystal.{k}")) for k in range(6))
    cosines, sines = (np.stack([f(np.pi * (turn + k / 3)) for k in range(3)]) for f in (np.cos, np.sin))
    tilt = 0.45 * lean * np.cos(2 * np.pi * toward), 0.45 * lean * np.sin(2 * np.pi * toward)
    x, y = at[0] * p, at[1] * p
    i, j = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    top, second = np.full((2, c.size, c.size), -9, np.float32)
    rx, ry, ids = np.zeros_like(top), np.zeros_like(top), np.zeros(top.shape, np.int64)
    for dj in (-2, -1, 0, 1, 2):
        for di in (-2, -1, 0, 1, 2):
            site = (j + dj) % p * p + (i + di) % p
            qx = x - i - di - 0.5 - 0.85 * (sx.take(site) - 0.5)
            qy = y - j - dj - 0.5 - 0.85 * (sy.take(site) - 0.5)
            away = [
                np.abs(qx * a.take(site) + qy * b.take(site)) for a, b in zip(cosines, sines, strict=True)
            ]
            height = 0.9 * lift.take(site) + qx * tilt[0].take(site) + qy * tilt[1].take(site)
            height -= np.maximum(np.maximum(away[0], away[1]), away[2])
            best = height > top
            second = np.where(best, top, np.maximum(second, height))
            top, ids = np.where(best, height, top), np.where(best, site, ids)
            rx, ry = np.where(best, qx, rx), np.where(best, qy, ry)
    sides = np.stack([rx * a.take(ids) + ry * b.take(ids) for a, b in zip(cosines, sines, strict=True)])
    steep = np.abs(sides).argmax(0)
    facets = 6 * ids + 2 * steep + (np.take_along_axis(sides, steep[None], 0)[0] > 0)
    _, middle, reach = np.sort(np.abs(sides), 0)
    return top, np.minimum(reach - middle, top - second), reach, ids, facets


@family(
    group="mineral",
    nouns=(
        "crystals",
        "crystal",
        "crystal cluster",
        "gemstones",
        "quartz crystals",
        "crystal facets",
        "geode",
    ),
    palettes={
        "amethyst": Palette("purple", "2c0f52 6d35a6 c098e4", 3),
        "emerald": Palette("green", "06301c 1a7a48 7cd09c", 1.5),
        "ruby": Palette("red", "40060f a81628 ea6a72", 1.5),
        "sapphire": Palette("blue", "0a1848 2450aa 86acec", 1.5),
        "quartz": Palette("white", "a9adb8 e2e4ea fcfcfe", 1.5),
        "citrine": Palette("yellow", "7c4e08 d8a21c f8dc78"),
        "rose quartz": Palette("pink", "a85a70 dc98aa f8d2da"),
        "aquamarine": Palette("teal", "0c4a54 2a9a9c 98e0da"),
    },
    relief=(0.05, 0.1),
    colourable=True,
    finishes=("matte",),
)
def crystal_facets(c: Canvas) -> Layers:
    """A druse: pointed crystals side by side, each facet with its own tone, bright along the edges."""
    p = c.count("crystals", 3.4, 5.4)
    height, edge, reach, ids, facets = _crystals(c, p, c.warp("grow", 0.004, 4, octaves=2))
    cloud, flaw = c.noise("cloud", 5, octaves=4), np.abs(2 * c.noise("flaw", 6, octaves=3) - 1)
    rim = smoothstep(0.045, 0.0, edge)
    tone = 0.25 + 0.5 * (c.pick(facets, "facet") - 0.4) + 0.3 * (c.pick(ids, "tone") - 0.5)
    tone = tone + 0.45 * (height - 0.2) + 0.35 * (cloud - 0.5) + 0.14 * smoothstep(0.1, 0.0, flaw)
    glow = np.exp(-reach / 0.16) * c.number("glow", 0, 0.3)
    gem = ramp(np.clip(tone + glow + 0.18 * rim * smoothstep(0.0, 0.4, height), 0, 1), c.colours)
    deep = smoothstep(-0.3, 0.3, height)
    gem = gem * ((0.42 + 0.58 * deep) * (0.68 + 0.6 * c.pick(facets, "facet") + 0.25 * rim))[..., None]
    return Layers(gem, height, 0.05 + 0.06 * cloud + 0.1 * rim, body=deep)


@family(
    group="plastic",
    nouns=("plastic", "textured plastic", "rubber", "vinyl", "plastic surface", "grained plastic"),
    palettes={
        "black": Palette("black", "0d0d0e 17181a 232528", 2),
        "grey": Palette("grey", "64676b 7d8085 979a9f"),
        "white": Palette("white", "dcddde ecedee f8f8f9"),
        "red": Palette("red", "8f141c b81c26 d23a40"),
        "blue": Palette("blue", "1a4488 2860b4 4a80cc"),
        "yellow": Palette("yellow", "c49a10 e6bf1c f4d44c"),
    },
    relief=(0.004, 0.01),
    colourable=True,
    modifiers=("dusty", "wet"),
    finishes=("glossy", "matte"),
)
def plastic_grain(c: Canvas) -> Layers:
    """Moulded grain: pebbles, a grid of nubs or ribs, worn shiny on top, with faint scuffs."""
    kind, n = c.choose("kind", ("pebbles", "pebbles", "nubs", "ribs")), c.count("grain", 9, 13)
    if kind == "pebbles":
        cells = c.cells("grain", n + 7, jitter=0.8, at=c.warp("flow", 0.006, 8, octaves=2))
        top = smoothstep(-0.08, 0.4, cells.edge) * (0.8 + 0.2 * c.pick(cells.ids, "proud"))
    elif kind == "nubs":
        _, dx, dy, _ = _comb(c.u + 0 * c.v, c.v + 0 * c.u, n, max(1, round(n / HEX)))
        top = smoothstep(0.4, 0.24, np.hypot(dx, dy))
    else:
        top = smoothstep(0.12, 0.3, np.abs((n * (c.v + c.u * c.chance("slant", 0.5))) % 1 - 0.5))
    fine, patch = c.noise("fine", 48, octaves=2), c.noise("patch", 3, octaves=4)
    scuff = smoothstep(
        0.07, 0.0, np.abs(2 * c.noise("scuff", 3, 9, octaves=4, at=c.warp("skid", 0.1, 2)) - 1)
    )
    scuff = scuff * smoothstep(0.5, 0.7, c.noise("rubbed", 3)) * top * c.number("scuffs", 0, 0.8)
    tone = 0.2 + 0.42 * top + 0.3 * (patch - 0.5) + 0.12 * (fine - 0.5) + 0.35 * scuff
    base = ramp(np.clip(tone, 0, 1), c.colours) * (0.8 + 0.2 * top)[..., None]
    shine = c.number("shine", 0.22, 0.45)
    return Layers(base, top + 0.06 * fine, shine + 0.2 * (1 - top) + 0.25 * scuff, body=0.3 + 0.7 * top)


@family(
    group="foam",
    nouns=("sponge", "foam", "porous sponge", "foam rubber", "bath sponge", "porous foam"),
    palettes={
        "yellow": Palette("yellow", "b8901c e2c040 f4dc74", 3),
        "orange": Palette("orange", "b06420 dc8c38 f2b46c"),
        "beige": Palette("beige", "b49c70 d6c298 ece0c2", 1.5),
        "grey": Palette("grey", "4e5054 74777c 9da0a5"),
        "pink": Palette("pink", "c07088 e498ac f6c2cc"),
        "green": Palette("green", "3c7a34 5ca04c 90c87c"),
    },
    relief=(0.035, 0.065),
    colourable=True,
    modifiers=("wet", "dusty"),
)
def foam_sponge(c: Canvas) -> Layers:
    """Round pores of three sizes, dark inside, with thin rims."""
    n = c.count("pores", 4.6, 7.0)
    at = c.warp("squeeze", 0.02, 7, octaves=3)
    top, lip = np.ones((c.size, c.size), np.float32), np.zeros((c.size, c.size), np.float32)
    for k, p in enumerate((n, round(1.9 * n), round(3.3 * n))):
        pores = c.cells(f"pores{k}", p, jitter=0.85, at=at, borders=False)
        radius = 0.24 + 0.26 * c.pick(pores.ids, f"radius{k}")
        there = c.pick(pores.ids, f"there{k}") < c.number(f"share{k}", 0.55, 0.9)
        d = np.where(there, pores.f1 / radius, 9)
        bowl = smoothstep(0.25, 1.02, d) * (1 - 0.28 * k) + 0.28 * k
        lip = np.where(bowl < top, 0.0, lip) + smoothstep(0.22, 0.0, np.abs(d - 1.1)) * (0.6 - 0.15 * k)
        top = np.minimum(top, np.where(d < 1.02, bowl, 1))
    fine, patch = c.noise("fine", 32, octaves=3), c.noise("patch", 3)
    body = smoothstep(0.45, 0.95, top)
    tone = 0.5 + 0.6 * (fine - 0.5) + 0.4 * (patch - 0.5) + 0.3 * np.minimum(lip, 1) * body - 0.2 * (1 - body)
    foam = ramp(np.clip(tone, 0, 1), c.colours) * (0.26 + 0.74 * top)[..., None]
    return Layers(foam, top + 0.08 * fine + 0.05 * np.minimum(lip, 1), 0.95, body=body)


OLD_WOOD = np.stack([from_hex(code) for code in ("41362b", "75624c", "a2906f")])
PLASTER = np.stack([from_hex(code) for code in ("85796a", "b5aa98", "d6cdbd")])


def _under_paint(c: Canvas) -> tuple[Array, Array]:
    """What the paint was put on, colour (H, W, 3) and height (H, W): grey wood, rust or plaster."""
    kind = c.choose("under", ("wood", "wood", "rust", "plaster"))
    if kind == "rust":
        return rust_layer(c, "rust"), c.noise("rust", 14, octaves=5, gain=0.65)
    if kind == "plaster":
        sand = c.noise("plaster", 12, octaves=5, gain=0.65)
        return ramp(np.clip(0.5 + 1.3 * (sand - 0.5), 0, 1), PLASTER), sand
    boards = c.count("boards", 2.6, 4.4)
    x, y = c.warp("grain", 0.008, 4)
    board = np.floor(x * boards).astype(np.int64) % boards
    fibre = c.noise("fibre", 32, 2, octaves=3, gain=0.75, at=(x, (y + c.pick(board, "start")) % 1))
    gap = smoothstep(0.47, 0.492, np.abs(x * boards % 1 - 0.5))
    tone = np.clip(0.3 + 1.3 * (fibre - 0.4) + 0.35 * c.pick(board, "board"), 0, 1)
    return ramp(tone, OLD_WOOD) * (1 - 0.8 * gap)[..., None], 0.6 * fibre - 0.6 * gap


@family(
    group="paint",
    nouns=(
        "peeling paint",
        "chipped paint",
        "flaking paint",
        "old paint",
        "weathered paint",
        "cracked paint",
    ),
    palettes={
        "green": Palette("green", "3f6e4c 568a62 7aa884"),
        "teal": Palette("teal", "2c7070 448f8c 70b0aa", 2),
        "blue": Palette("blue", "2c5288 426ea8 6c94c4", 2),
        "white": Palette("white", "d4d2ca e8e6df f5f4ef", 2),
        "red": Palette("red", "7c2220 9c2e2a b84c44", 1.5),
        "yellow": Palette("yellow", "c29a30 dcb848 eccf78"),
        "cream": Palette("cream", "dccca4 eadfc0 f5eeda"),
    },
    relief=(0.008, 0.018),
    colourable=True,
    modifiers=("mossy", "wet", "dusty"),
    finishes=("glossy", "matte"),
)
def painted_peeling(c: Canvas) -> Layers:
    """Paint in flakes with lifted rims, an older coat under it, bare wood, rust or plaster in the gaps."""
    under, grain = _under_paint(c)
    flakes = c.cells("flakes", c.count("flakes", 5.5, 8.5), jitter=1.0, at=c.warp("jag", 0.035, 7, octaves=4))
    field = c.noise("peel", 3, octaves=5, gain=0.6) + 0.14 * (c.pick(flakes.ids, "loose") - 0.5)
    field = field + 0.05 * smoothstep(0.1, 0.0, flakes.edge) - 0.08 * (grain - 0.5)
    level = float(np.quantile(field, c.number("left", 0.5, 0.78)))
    left = level - field
    body, rim = smoothstep(-0.003, 0.012, left), smoothstep(0.07, 0.0, left)
    crack = smoothstep(0.045, 0.01, flakes.edge) * smoothstep(0.2, 0.03, left) * body
    shadow = smoothstep(-0.045, 0.0, left) * (1 - body)
    fine, patch = c.noise("fine", 24, octaves=3), c.noise("patch", 3)
    tone = np.clip(0.5 + 0.5 * (patch - 0.5) + 0.4 * (fine - 0.5) + 0.28 * rim, 0, 1)
    run = 1 - 0.16 * smoothstep(0.5, 0.8, c.noise("dirt", 14, 2, octaves=3))
    paint = ramp(tone, c.colours) * (run * (1 - 0.6 * crack))[..., None]
    older = shades(c.contrasting("older", ("d8d2c2", "a8b4a4", "8fa3ad", "b08a62", "6f7f78")))[1]
    coat = smoothstep(-0.05, -0.04, left + 0.05 * (fine - 0.5)) * (1 - body) * c.chance("two coats", 0.55)
    bare = (
        mix(under, older * (0.85 + 0.3 * fine)[..., None], 0.9 * coat)
        * (1 - 0.5 * shadow * (1 - coat))[..., None]
    )
    height = 0.25 * grain + body * (0.45 + 0.35 * rim + 0.06 * patch) + 0.18 * coat - 0.4 * crack
    return Layers(mix(bare, paint, body), height, 0.88 - body * (0.45 - 0.15 * fine), body=body)
