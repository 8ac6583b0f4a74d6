"""Cloth by how it is made or printed: denim, burlap, corduroy, velvet, tartan, carpet, camouflage, dots."""

from __future__ import annotations

import numpy as np

from engine.starter.materials.colour import from_hex, mix, ramp
from engine.starter.materials.primitives import Array, Ints, running_bond, smoothstep
from engine.starter.materials.registry import Canvas, Layers, Palette, family
from engine.starter.materials.strip_primitives import strip
from engine.starter.materials.textile_primitives import DYED, FURNISHING, weave

LIGHT_AND_DARK = ("f4f1ea", "efe3c4", "1a1a1d", "1c2a4e", "7c1d26", "e3bf4a")


@family(
    group="fabric",
    nouns=("denim", "denim twill", "jeans", "twill", "jean fabric"),
    palettes={
        "blue": Palette("blue", "1c3258 2f4f86 5479b4", 3),
        "dark blue": Palette("blue", "0f1a36 1c2d56 37507f", 1.5),
        "light blue": Palette("blue", "5f86b6 86a8cf aac6e2"),
        "black": Palette("black", "0d0d0f 18181b 2c2c30"),
        "grey": Palette("grey", "4c4e52 707277 94969b"),
    },
    relief=(0.006, 0.014),
    colourable=True,
    modifiers=("wet", "dusty", "faded", "stained", "dirty"),
)
def denim_twill(c: Canvas) -> Layers:
    """Dyed warp over two of three undyed wefts: steep diagonal lines, uneven yarn, washed-out patches."""
    n = 3 * c.count("lines", 6.6, 8.4)
    at = c.warp("loose", c.number("loose", 0.001, 0.004), 8)
    cloth = weave(*at, n, n, 3, 2, width=(1.15, 0.8), dive=0.6)
    fibre, slub, wash = (
        cloth.fibre(c, 64, 12),
        c.noise("slub", n, 4, octaves=2),
        c.noise("wash", 3, octaves=5),
    )
    worn = smoothstep(0.35, 0.8, wash) * c.number("washed", 0.15, 0.75)
    tone = 0.55 * cloth.height + 0.4 * (c.pick(cloth.ids, "yarn") - 0.5) + 0.5 * (fibre + slub - 1)
    pale = mix(c.colours[-1], from_hex("e4e4de"), 0.5)
    dyed = ramp(np.clip(tone + 0.3 * worn, 0, 1), c.colours)
    dyed = mix(dyed, pale, worn * smoothstep(0.5, 1.0, cloth.height + 0.5 * (slub - 0.5)))
    weft = mix(dyed, pale, 0.6) * (0.8 + 0.3 * fibre)[..., None]
    base = np.where(cloth.over[..., None], dyed, weft)
    base = base * (0.62 + 0.38 * smoothstep(0.1, 0.7, cloth.height))[..., None]
    return Layers(base, cloth.height + 0.1 * fibre, 0.9, body=cloth.over * (1 - 0.6 * worn))


@family(
    group="fabric",
    nouns=("burlap", "jute", "hessian", "sackcloth", "burlap sack", "jute cloth", "coarse sacking"),
    palettes={
        "tan": Palette("tan", "7d5c32 ab8450 d0b07e", 3),
        "beige": Palette("beige", "9c8358 c8b284 e6d8b4", 1.5),
        "brown": Palette("brown", "3f2a16 674826 8f6c42"),
    },
    relief=(0.02, 0.035),
    modifiers=("wet", "dusty", "faded", "stained", "dirty"),
)
def burlap(c: Canvas) -> Layers:
    """Open plain weave of hairy yarns of uneven thickness, with dark gaps between them."""
    n = 2 * c.count("threads", 5.4, 7.6)
    thick = c.number("thick", 0.62, 0.8)
    width = [np.clip(thick + 1.1 * (c.noise(name, *p, octaves=2) - 0.5), 0.4, 1.05)
             for name, p in (("thick.y", (n, 4)), ("thick.x", (4, n)))]  # fmt: skip
    at = c.warp("loose", c.number("loose", 0.006, 0.013), 7, octaves=3)
    cloth = weave(*at, n, n, width=(width[0], width[1]))
    fibre = cloth.fibre(c, 64, 12)
    twist = np.sin(2 * np.pi * (cloth.along + 1.4 * cloth.across)) * cloth.height
    curl = c.warp("curl", 0.03, 12)
    hair = smoothstep(0.08, 0.0, np.abs(2 * c.noise("hair", 9, octaves=2, at=curl) - 1)) * 0.4
    tone = 0.1 + 0.6 * cloth.height + 0.4 * (c.pick(cloth.ids, "yarn") - 0.5) + 0.5 * (fibre - 0.5)
    tone = tone + 0.1 * twist + 0.4 * (c.noise("patch", 4) - 0.5)
    body = smoothstep(0.02, 0.25, cloth.height)
    yarn = ramp(np.clip(tone, 0, 1), c.colours) * (0.6 + 0.4 * smoothstep(0.1, 0.75, cloth.height))[..., None]
    base = mix(mix(c.colours[0] * 0.42, yarn, body), c.colours[-1], hair)
    return Layers(base, cloth.height + 0.1 * fibre + 0.06 * twist + 0.15 * hair, 0.95, body=body)


@family(
    group="fabric",
    nouns=("corduroy", "ribbed fabric", "corduroy fabric", "ribbed velvet", "cord fabric", "wale corduroy"),
    palettes=DYED | {"tan": Palette("tan", "8f6a3e b58c58 d2ad7c", 1.5)},
    relief=(0.025, 0.045),
    colourable=True,
    modifiers=("dusty",),
)
def corduroy(c: Canvas) -> Layers:
    """Round velvety ribs, a little uneven, with the ground weave in the grooves between them."""
    ribs = c.count("ribs", 6.4, 10.4)
    level = c.chance("level", 0.3)
    across, along = (c.v, c.u) if level else (c.u, c.v)
    x = (across + c.number("wave", 0.001, 0.005) * 2 * (c.noise("wave", 3, octaves=2) - 0.5)) * ribs
    rib = np.floor(x).astype(np.int64)
    side = 2 * (x - rib - 0.5)
    pile, brushed = c.noise("pile", 48, octaves=2, gain=0.8), c.noise("brushed", 3, octaves=4)
    start, worn = c.pick(rib % ribs, "start"), c.pick(rib % ribs, "tone") - 0.5
    cuts = 0.5 + 0.5 * np.cos(2 * np.pi * (along * 3 * ribs + start + 0.35 * side**2))
    round_ = np.sqrt(np.clip(1 - (side / (0.9 + 0.16 * (cuts - 0.5))) ** 2, 0, 1))
    shine = smoothstep(0.9, 0.0, np.abs(side + 0.25))  # the pile leans, so one flank shows more of its length
    tone = 0.02 + 0.4 * round_ + 0.4 * shine + 0.35 * (pile - 0.5) + 0.5 * (brushed - 0.5) + 0.15 * worn
    tone = tone + 0.14 * (cuts - 0.5)
    base = ramp(np.clip(tone, 0, 1), c.colours) * (0.42 + 0.58 * smoothstep(0.0, 0.85, round_))[..., None]
    height = round_ * (0.9 + 0.08 * cuts) + 0.05 * pile + 0.06 * cuts * (1 - round_)
    return Layers(base, height, 0.92 - 0.08 * round_, body=smoothstep(0.15, 0.6, round_))


@family(
    group="fabric",
    nouns=("velvet", "crushed velvet", "plush", "velvet fabric", "velour", "velvet curtain"),
    palettes=DYED
    | {"pink": Palette("pink", "a34a62 d07c92 eab0be"), "teal": Palette("teal", "0a3e42 156468 2f8f90")},
    relief=(0.008, 0.02),
    colourable=True,
)
def velvet(c: Canvas) -> Layers:
    """Pile that shines where it is brushed away from the eye: crushed patches, or soft hanging folds."""
    pile = c.noise("pile", 64, octaves=2, gain=0.8)
    if c.chance("folds", 0.4):
        folds, sway = c.count("drape", 2.4, 4.4), c.noise("sway", 2, 1, octaves=2)
        phase = c.u * folds + c.number("sway", 0.5, 1.3) * (sway - 0.5)
        height = 0.5 + 0.4 * np.sin(2 * np.pi * phase) + 0.4 * (c.noise("soft", 4, 2, octaves=2) - 0.5)
    else:
        at = c.warp("crush", c.number("crush", 0.05, 0.11), 3, octaves=2)
        height = c.noise("pressed", c.count("patches", 2.6, 4.4), octaves=3, gain=0.4, at=at)
    turn = c.number("turn", 0, 2 * np.pi)
    slopes = [(np.roll(height, -1, axis) - np.roll(height, 1, axis)) * c.size / 2 for axis in (0, 1)]
    lean = np.cos(turn) * slopes[0] + np.sin(turn) * slopes[1]
    lean = lean / (2.2 * float(np.std(lean)) + 1e-6) + 0.5 * (c.noise("stroke", 5, octaves=4) - 0.5)
    rim = smoothstep(0.25, 1.3, np.abs(lean))  # velvet is brightest where one looks along the slope
    sheen = np.clip(0.1 + 0.35 * smoothstep(-0.9, 0.9, lean) + 0.5 * rim + 0.22 * (pile - 0.5), 0, 1)
    base = ramp(sheen, c.colours) * (0.62 + 0.5 * sheen)[..., None]
    return Layers(base, height + 0.03 * pile, 0.85 - 0.35 * sheen)


def _sett(c: Canvas, count: int, repeats: int) -> Ints:
    """Which dye each of `count` threads has, mirrored: 0 ground, 1 and 2 broad, 3 and 4 fine, 5 gingham."""
    if c.chance("gingham", 0.2):
        widths, dyes = [0.5, 0.5], [0, 5]
    else:
        limits = ((0.2, 0.3), (0.05, 0.07), (0.12, 0.2), (0.1, 0.2), (0.05, 0.07), (0.05, 0.1), (0.14, 0.26))
        widths = [c.number(f"width{k}", lo, hi) for k, (lo, hi) in enumerate(limits)]
        dyes = [0, 3, 1, 2, 4, 1, 0]
    at = np.abs(2 * (((np.arange(count) + 0.5) / count * repeats) % 1) - 1)
    return np.array(dyes)[np.searchsorted(np.cumsum(widths)[:-1] / sum(widths), at, "right")]


@family(
    group="fabric",
    nouns=(
        "tartan",
        "plaid",
        "checkered fabric",
        "gingham",
        "tartan cloth",
        "plaid flannel",
        "checked cloth",
    ),
    palettes={
        "red": Palette("red", "8a1620 b0202c c83c44", 3),
        "green": Palette("green", "163f28 235a38 3b7550", 2),
        "blue": Palette("blue", "18306a 264a90 4068ae", 2),
        "yellow": Palette("yellow", "b88f1c dcb436 ecca60", 0.7),
        "grey": Palette("grey", "58595c 7c7d81 a0a1a5"),
        "black": Palette("black", "0c0c0e 17171a 29292d", 0.7),
        "tan": Palette("tan", "a07a4c c29c6c d8b88c"),
    },
    relief=(0.005, 0.012),
    colourable=True,
)
def tartan(c: Canvas) -> Layers:
    """The same mirrored stripes in warp and weft, which a twill mixes where they cross."""
    n, repeats = 48, c.count("repeats", 1.6, 3.2) - 1
    cloth = weave(c.u, c.v, n, n, 4, 2)
    second = from_hex(c.choose("second", ("1b2a52", "1d4030", "17171a", "5a1a24", "3c3c40")))
    broad = c.contrasting("broad", ("14202e", "16342a", "17171a", "f0ebdc", "c9c4b8", "22346a", "6e1a22"))
    lines = [c.contrasting(f"line{k}", ("f4f0e4", "e8c84c", "17171a", "b8202c", "9cc0dc")) for k in (0, 1)]
    dyes = np.stack([c.colours[1], broad, second, *lines, c.contrasting("check", ("f6f4ee", "1b1b1e"))])
    stripes = _sett(c, n, repeats)
    warp, weft = (stripes[np.floor(t * n).astype(np.int64) % n] for t in (c.u, c.v))
    mixed = np.where(
        cloth.over, 0.82, 0.18
    )  # from afar the twill is a blend of both, with a hint of diagonals
    fibre, fade = cloth.fibre(c), c.noise("fade", 3, octaves=4)
    tone = 0.35 * (c.pick(cloth.ids, "yarn") - 0.5) + 0.4 * (fibre - 0.5) + 0.5 * (fade - 0.5)
    yarn = mix(dyes[weft], dyes[warp], mixed) * (1 + 0.35 * tone)[..., None]
    base = yarn * (0.72 + 0.28 * smoothstep(0.3, 0.9, cloth.height))[..., None]
    height = 0.5 * cloth.height + 0.12 * fibre + 0.8 * c.noise("crease", 3, octaves=3)
    return Layers(base, height, 0.92, body=((warp == 0) & (weft == 0)).astype(np.float32))


@family(
    group="fabric",
    nouns=("carpet", "rug", "shag carpet", "plush carpet", "carpet floor", "wool rug", "fluffy rug"),
    palettes=FURNISHING,
    relief=(0.03, 0.06),
    colourable=True,
    modifiers=("wet", "dusty", "faded", "stained", "dirty"),
)
def carpet(c: Canvas) -> Layers:
    """Shag of long soft yarns, or rows of short loops, with the marks that feet and brushes leave."""
    fuzz, brushed = c.noise("fuzz", 64, octaves=2, gain=0.8), c.noise("brushed", 2, octaves=4)
    height, tone = _shag(c) if c.chance("shag", 0.5) else _loops(c)
    depth = 0.42 + 0.58 * smoothstep(0.05, 0.75, height)
    tone = np.clip(tone + 0.35 * (fuzz - 0.5) + 0.6 * (brushed - 0.5), 0, 1)
    base = ramp(tone, c.colours) * depth[..., None]
    return Layers(base, height + 0.05 * fuzz + 0.2 * brushed, 0.97, body=smoothstep(0.2, 0.6, height))


def _shag(c: Canvas) -> tuple[Array, Array]:
    """Height and tone of several hundred bent yarns, painted from the lowest to the highest."""
    rng = np.random.default_rng(c.key("yarns"))
    size = 5.0 / c.count("size", 4.4, 5.8)
    spread, flow = c.number("spread", 0.3, 0.7), c.noise("flow", 2, octaves=2)
    height = 0.3 * c.noise("under", 24, octaves=2)
    tone = 0.5 * height
    for level in np.linspace(0.2, 1, round(620 / size**1.8)):
        length, width = size * (0.1 + 0.09 * rng.random()), size * (0.02 + 0.012 * rng.random())
        centre, bend = rng.random(2), 0.3 * (rng.random() - 0.5)
        j, i = ((centre[::-1] * c.size).astype(int) + c.shift) % c.size
        angle = 9 * flow[j, i] + rng.normal(0, spread)  # neighbours lean the same way
        yarn = strip(c, centre, angle, length, width, bend=bend)
        round_ = np.sqrt(np.clip(1 - yarn.q**2, 0, 1)) * smoothstep(0.5, 0.4, np.abs(yarn.p))
        twist = np.sin(2 * np.pi * (5 * yarn.p + 0.4 * yarn.q))
        yarn.paint(tone, 0.05 + 0.3 * level + 0.35 * round_ + 0.25 * (rng.random() - 0.4) + 0.07 * twist)
        yarn.paint(height, level * (0.6 + 0.4 * round_))
    return height, tone


def _loops(c: Canvas) -> tuple[Array, Array]:
    """Height and tone of staggered rows of loops, each a twisted yarn; some loops have another shade."""
    rows = 2 * c.count("rows", 5.4, 7.6)
    u, v = c.warp("uneven", c.number("uneven", 0.003, 0.008), 8)
    loops = running_bond(u, v, round(0.75 * rows), rows)
    bulge = c.pick(loops.ids, "bulge")
    d = np.hypot(loops.x / (0.54 + 0.06 * bulge), loops.y / (0.54 + 0.08 * bulge))
    dome = np.sqrt(np.clip(1 - d * d, 0, 1))
    ply = 0.5 + 0.5 * np.sin(2 * np.pi * (2.6 * loops.x + 1.1 * loops.y + bulge))
    strand = smoothstep(0.0, 0.6, ply)  # the yarn is twisted: dark lines between its plies
    fleck = (c.pick(loops.ids, "fleck") < c.number("flecks", -0.1, 0.35)) * c.number("fleck", -0.4, 0.4)
    tone = 0.02 + 0.45 * dome + 0.32 * strand * dome + 0.3 * (c.pick(loops.ids, "tone") - 0.5) + fleck
    return dome * (0.85 + 0.1 * bulge) * (0.74 + 0.26 * strand), tone


@family(
    group="fabric",
    nouns=("camouflage", "camo", "military camouflage", "army camouflage", "camo fabric", "digital camo"),
    palettes={
        "woodland": Palette("olive", "1f1f16 41492a 6d6a3a 97884f", 3),
        "jungle": Palette("green", "14201a 23492a 4a6f38 87985a", 2),
        "desert": Palette("tan", "6e5638 a17f50 c6a673 dcc499", 2),
        "arctic": Palette("white", "8d959c c9ced2 eef0f1 fbfbfb"),
        "urban": Palette("grey", "1d1e20 55585b 85888b b9bbbd", 1.5),
        "navy": Palette("blue", "0c1428 1f3560 3d5f94 7c98bc"),
    },
    relief=(0.005, 0.012),
    colourable=True,
    modifiers=("wet", "dusty", "faded", "stained", "dirty"),
    scales=("large", "medium", "small"),
)
def camouflage(c: Canvas) -> Layers:
    """Blots of three more colours over the lightest one, hard-edged or in square dots, printed on cloth."""
    at = c.warp("edge", c.number("ragged", 0.02, 0.05), 6, octaves=3)
    if c.chance("digital", 0.3):
        dots = 32 if c.chance("fine dots", 0.6) else 16
        u, v = np.broadcast_arrays(*((np.floor(t * dots) + 0.5) / dots for t in (c.u, c.v)))
        at = u, v
    p = c.count("blots", 2.6, 3.9)
    stops = ramp(np.linspace(0, 1, 4, dtype=np.float32), c.colours)
    layer = np.full((c.size, c.size), 3)
    for k in (2, 1, 0):
        blot = c.noise(f"blot{k}", p, round(p * c.number("flat", 1.0, 1.5)), octaves=3, gain=0.4, at=at)
        layer = np.where(blot > np.quantile(blot, (0.8, 0.68, 0.6)[k]), k, layer)
    threads = 2 * c.count("threads", 15, 18)
    cloth = weave(c.u, c.v, threads, threads)
    fibre, worn = cloth.fibre(c), c.noise("worn", 4, octaves=5)
    shade = 0.88 + 0.12 * cloth.height + 0.16 * (fibre - 0.5) + 0.2 * (worn - 0.5)
    print_ = stops[layer] * np.array((0.72, 0.9, 1.0, 1.08))[layer, None]
    height = 0.45 * cloth.height + 0.12 * fibre + 0.9 * c.noise("crease", 3, octaves=4)
    return Layers(print_ * shade[..., None], height, 0.92)


@family(
    group="fabric",
    nouns=("polka dots", "dotted fabric", "polka dot fabric", "spotted fabric", "spots", "dotted cloth"),
    palettes=FURNISHING
    | {"white": Palette("white", "dcdbd8 f0efec fbfaf8"), "pink": Palette("pink", "c8788c e39aa8 f0bcc6")},
    relief=(0.004, 0.01),
    colourable=True,
)
def polka_dots(c: Canvas) -> Layers:
    """Round dots in a staggered lattice, printed on plain cloth, of one size or a large and a small one."""
    n = c.count("dots", 2.6, 4.4)
    u, v = c.warp("stretch", c.number("stretch", 0.001, 0.004), 4)
    radius, small = (
        c.number("radius", 0.2, 0.32),
        c.number("small", 0.3, 0.6) if c.chance("two sizes", 0.35) else 1.0,
    )

    def dots(x: Array, y: Array, size: float) -> Array:
        return size - np.hypot(x - np.floor(x) - 0.5, y - np.floor(y) - 0.5)

    inside = np.maximum(dots(u * n, v * n, radius), dots(u * n + 0.5, v * n + 0.5, radius * small)) / n
    threads = 2 * c.count("threads", 15, 18)
    cloth = weave(u, v, threads, threads)
    fibre, crease = cloth.fibre(c), c.noise("crease", 3, octaves=4)
    dot = smoothstep(-0.003, 0.003, inside + 0.004 * (fibre - 0.5))
    tone = 0.5 + 0.3 * (fibre - 0.5) + 0.5 * (crease - 0.5)
    shade = (0.88 + 0.12 * cloth.height)[..., None]
    ink = c.contrasting("ink", LIGHT_AND_DARK) * (0.9 + 0.16 * tone)[..., None]
    base = mix(ramp(np.clip(tone, 0, 1), c.colours), ink, dot) * shade
    return Layers(
        base, 0.45 * cloth.height + 0.12 * fibre + 0.9 * crease + 0.08 * dot, 0.9 - 0.1 * dot, body=1 - dot
    )
