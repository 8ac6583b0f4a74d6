"""Scales, fur and the patterns of coats."""

from __future__ import annotations

import numpy as np

from engine.starter.materials.colour import from_hex, mix, ramp
from engine.starter.materials.primitives import Array, Ints, smoothstep
from engine.starter.materials.registry import Canvas, Layers, Palette, family

DARK = ("0d0b0a", "17120f", "21170f")
LIGHT = ("f3ede0", "e8ddc6", "d9d4ca")
DIM = 0.3  # coats darker than this are marked in a light colour


def _flow(c: Canvas, amount: float, period: int = 3) -> tuple[Array, Array]:
    """Coordinates (across, along) that follow the lie of the hair: warped, and for some seeds turned."""
    u, v = c.warp("lie", amount, period, octaves=2)
    return (v, u) if c.chance("level", 0.4) else (u, v)


def _hair(c: Canvas, at: tuple[Array, Array]) -> Array:
    """Short fine hair (H, W), 0..1, along the second coordinate."""
    return c.noise("hair", 40, 14, octaves=2, gain=0.8, at=at)


def _ink(c: Canvas) -> Array:
    """The colour (3,) of the markings: nearly black, on a black coat pale."""
    return from_hex(c.choose("ink", DARK if c.colours.mean() > DIM else LIGHT))


def _print(c: Canvas, coat: Array, hair: Array, body: Array) -> Layers:
    """A short-haired coat (H, W, 3) with its pattern already in it."""
    shade = 0.85 + 0.22 * hair + 0.16 * (c.noise("patch", 3, octaves=3) - 0.5)
    return Layers(coat * shade[..., None], 0.8 * hair + 0.2 * c.noise("form", 3), 0.82, body=body)


def _scale_rows(c: Canvas, columns: int, rows: int, point: float) -> tuple[Array, Array, Array, Ints, Ints]:
    """Scales in staggered rows, each over the next row below.

    Returns:
        x across, -0.5..0.5; t along, 0 at the root to 1 at the tip; depth, 0 on the outline to 1 inside;
        column (in half widths) and row of the scale.
    """
    u, v = c.warp("skin", 0.008, 5, octaves=2)
    y, reach = v * rows, 1.75
    x_at, t_at, outline = np.zeros((3, c.size, c.size), np.float32)
    column, row = np.zeros((2, c.size, c.size), np.int64)
    free, shade = np.ones((c.size, c.size), bool), np.ones((c.size, c.size), np.float32)
    for above in (-1, 0, 1):
        j = np.floor(y).astype(np.int64) + above
        x = u * columns + 0.5 * (j % 2)
        i = np.floor(x).astype(np.int64)
        dx, t = x - i - 0.5, np.maximum((y - j) / reach, 0)
        f = (np.abs(dx) / 0.6) ** point + t**point
        own = free & (f < 1)
        x_at, t_at, outline = np.where(own, dx, x_at), np.where(own, t, t_at), np.where(own, f, outline)
        column, row = np.where(own, 2 * i + 1 - j % 2, column), np.where(own, j, row)
        shade = np.where(free & ~own, np.minimum(shade, smoothstep(1.0, 1.45, f)), shade)
        free &= ~own
    return x_at, t_at, (1 - outline) * shade, column % (2 * columns), row % rows


@family(
    group="animal",
    nouns=("reptile scales", "snake skin", "scales", "dragon scales", "lizard skin", "reptile skin"),
    palettes={
        "green": Palette("green", "15240f 3a6124 7fa04a", 3),
        "brown": Palette("brown", "2c1c10 6a4526 a5794a", 2),
        "dragon red": Palette("red", "300a0c 861c1c c4503a", 1.5),
        "black": Palette("black", "060607 17171a 3a3b40"),
        "olive": Palette("olive", "23230e 5c5c24 a0984e"),
        "blue": Palette("blue", "0f2140 2a5896 6f9fd0", 0.7),
        "sand": Palette("tan", "80603a bf9863 e4c898"),
    },
    relief=(0.03, 0.05),
    colourable=True,
    modifiers=("wet", "dusty"),
    finishes=("glossy", "matte"),
)
def reptile_scales(c: Canvas) -> Layers:
    """Overlapping keeled scales; spots and saddles colour whole scales, as on a snake."""
    columns = c.count("columns", 4.8, 7.2)
    rows = 2 * max(2, round(columns * c.number("aspect", 0.42, 0.72)))
    x, t, depth, column, row = _scale_rows(c, columns, rows, c.number("point", 1.35, 2.2))
    ids = column + 2 * columns * row
    middle = (column / (2 * columns)).astype(np.float32), ((row + 0.8) / rows).astype(np.float32)
    pattern = c.noise("pattern", 2, 3 if c.chance("bands", 0.5) else 2, octaves=2, at=middle)
    marked = smoothstep(0.53, 0.58, pattern + 0.06 * (c.pick(ids, "marked") - 0.5)) * c.number(
        "marks", 0.35, 1
    )
    keel = smoothstep(0.09, 0.0, np.abs(x)) * smoothstep(1.0, 0.6, t) * c.number("keel", 0.1, 0.8)
    fine, rim = c.noise("fine", 32, octaves=3), smoothstep(0.2, 0.0, depth)
    tone = 0.32 + 0.36 * t + 0.26 * (c.pick(ids, "tone") - 0.5) + 0.2 * (fine - 0.5) + 0.18 * keel
    tone = tone + 0.18 * rim * smoothstep(0.5, 0.9, t) - 0.42 * marked
    shadow = smoothstep(0.0, 0.22, depth + 0.3 * t * t)
    skin = ramp(np.clip(tone, 0, 1), c.colours) * (0.22 + 0.78 * shadow)[..., None]
    height = np.sqrt(np.clip(depth, 0, 1)) * (0.35 + 0.5 * t) + 0.35 * t + 0.1 * keel + 0.03 * fine
    rough = 0.3 + c.number("dull", 0, 0.15) + 0.25 * (1 - shadow) + 0.1 * (fine - 0.5)
    return Layers(skin, height, rough, body=shadow)


@family(
    group="animal",
    nouns=("fur", "animal fur", "fluffy fur", "pelt", "shaggy fur", "animal hair", "faux fur"),
    palettes={
        "brown": Palette("brown", "1f130b 5f3f26 a67c52", 3),
        "white": Palette("white", "8a847a dcd8d0 fbfaf8", 1.5),
        "fox": Palette("orange", "5a260c b85c20 e8a260", 1.5),
        "grey": Palette("grey", "2d2d2f 77777a bdbdbd", 1.5),
        "black": Palette("black", "050505 151414 3b3938", 1.5),
        "golden": Palette("tan", "6f4a22 ba8b52 e8cb98"),
        "cream": Palette("cream", "9c8458 e6d8b8 faf4e4"),
    },
    relief=(0.016, 0.032),
    colourable=True,
    modifiers=("wet", "dusty"),
)
def animal_fur(c: Canvas) -> Layers:
    """Locks of hair that overlap and point one way, dark at the root, bright at the tip."""
    n = c.count("locks", 5.5, 8.5)
    at = _flow(c, c.number("curl", 0.03, 0.09))
    height, tone = np.full((2, c.size, c.size), -1, np.float32)
    for k in range(4):
        locks = c.cells(f"locks{k}", n + 2 * k, max(2, round(0.5 * n) + k), jitter=1.0, at=at, borders=False)
        t = np.clip(0.5 - locks.ry, 0, 1)  # 0 at the root, 1 at the tip
        bend = 0.5 * (c.pick(locks.ids, f"bend{k}") - 0.5) * t * t
        ridge = 1 - (np.abs(locks.rx + bend) / (0.62 * (1.12 - t) ** 0.7 + 0.04)) ** 2
        level = np.where(ridge > 0, 0.3 + 0.25 * t + 0.35 * ridge + 0.2 * c.pick(locks.ids, f"lift{k}"), 0)
        top = level > height
        own = 0.1 + 0.5 * t + 0.22 * ridge + 0.25 * (c.pick(locks.ids, f"tone{k}") - 0.5)
        height, tone = np.where(top, level, height), np.where(top, own, tone)
    hair, patch = c.noise("strand", 48, 6, octaves=2, gain=0.9, at=at), c.noise("patch", 3)
    tone = np.clip(tone + 1.25 * (hair - 0.5) + 0.3 * (patch - 0.5), 0, 1)
    coat = ramp(tone, c.colours) * (0.7 + 0.42 * tone)[..., None]
    return Layers(coat, height + 0.7 * hair, 0.72 + 0.12 * (1 - hair))


@family(
    group="animal",
    nouns=("zebra print", "zebra", "zebra stripes", "zebra skin", "zebra fur", "zebra pattern"),
    palettes={
        "white": Palette("white", "d8d2c6 efebe2 fbf9f4", 4),
        "cream": Palette("cream", "d9c9a4 efe2c4 f9f1dc", 1.5),
        "tiger": Palette("orange", "a8561a d9812c f0b060"),
    },
    relief=(0.004, 0.01),
    colourable=True,
    modifiers=("dusty",),
)
def zebra(c: Canvas) -> Layers:
    """Stripes that wander, swell, end and fork."""
    stripes = c.count("stripes", 4.6, 7.2)
    x, y = _flow(c, c.number("bend", 0.05, 0.08))
    fork, swell = c.noise("fork", 3, 2, octaves=2, at=(x, y)), c.noise("swell", 4, 3, octaves=2)
    hair = _hair(c, (x, y))
    phase = x * stripes + c.number("forks", 0.8, 1.7) * (fork - 0.5)
    wave = np.sin(2 * np.pi * phase) + 1.1 * (swell - 0.46) + 0.35 * (hair - 0.5)
    body = smoothstep(-0.3, 0.06, wave)
    pale = ramp(np.clip(0.35 + 0.4 * wave + 0.5 * (hair - 0.5), 0, 1), c.colours)
    return _print(c, mix(_ink(c), pale, body), hair, body)


@family(
    group="animal",
    nouns=("leopard print", "leopard", "leopard skin", "leopard fur", "leopard spots", "jaguar print"),
    palettes={
        "golden": Palette("tan", "9c6a34 c99a5c e6c794", 3),
        "orange": Palette("orange", "a8601e d48a3c ecb878", 2),
        "snow": Palette("white", "c9c5bd e8e5de f8f6f1"),
        "black": Palette("black", "0e0c0c 1d1a19 2f2a28", 0.6),
    },
    relief=(0.004, 0.01),
    colourable=True,
    modifiers=("dusty",),
)
def leopard(c: Canvas) -> Layers:
    """Rosettes: broken dark rings around a deeper tone, and solid spots between them."""
    n = c.count("rosettes", 4.8, 6.8)
    hair = _hair(c, _flow(c, 0.05))
    at = c.warp("wobble", 0.022, 8, octaves=3)
    rosettes, spots = c.cells("rosettes", n, jitter=0.62, at=at), c.cells("spots", 2 * n, jitter=0.8, at=at)
    size = 0.3 + 0.1 * c.pick(rosettes.ids, "size")
    angle = np.arctan2(rosettes.ry, rosettes.rx) + 2 * np.pi * c.pick(rosettes.ids, "turn")
    lobes = 2 + np.floor(3 * c.pick(rosettes.ids, "lobes"))
    ragged = 0.5 * (c.noise("ragged", 16, octaves=2) - 0.5) + 0.12 * (hair - 0.5)
    off = np.abs(rosettes.f1 / size - 1 + ragged)
    broken = 0.24 + 0.12 * np.cos(lobes * angle) + 0.08 * np.cos(angle)
    ring = smoothstep(0.07, -0.07, off - broken)
    far = smoothstep(0.02, 0.14, rosettes.f1 - 1.45 * size) * (c.pick(spots.ids, "there") < 0.8)
    spot = smoothstep(0.05, -0.05, spots.f1 - 0.3 + 0.3 * ragged) * far
    inner = smoothstep(1.0, 0.75, rosettes.f1 / size) * c.number("inner", 0.3, 0.75)
    mark = np.maximum(ring, spot)
    coat = ramp(np.clip(0.68 + 0.45 * (hair - 0.5) - 0.6 * inner, 0, 1), c.colours)
    coat = mix(coat, _ink(c), 0.95 * mark)
    return _print(c, coat, hair, 1 - mark)


@family(
    group="animal",
    nouns=("giraffe print", "giraffe", "giraffe skin", "giraffe pattern", "giraffe fur", "giraffe spots"),
    palettes={
        "brown": Palette("brown", "3f200d 6b3d1b 96602f", 3),
        "orange": Palette("orange", "8a4516 b5682a d08e4c", 1.5),
        "dark": Palette("brown", "26140b 44291a 66432c"),
    },
    relief=(0.003, 0.008),
    modifiers=("dusty",),
)
def giraffe(c: Canvas) -> Layers:
    """Polygonal patches with ragged edges, darker in their middle, on a net of pale lines."""
    n = c.count("patches", 3.8, 5.8)
    hair = _hair(c, _flow(c, 0.04))
    patches = c.cells("patches", n, jitter=0.8, at=c.warp("wobble", 0.035, 5, octaves=3))
    ragged = c.number("ragged", 0.1, 0.32) * (c.noise("edge", 9, octaves=3) - 0.5) + 0.03 * (hair - 0.5)
    width = c.number("width", 0.055, 0.1)
    body = smoothstep(width - 0.025, width + 0.03, patches.edge + ragged)
    core = smoothstep(0.1, 0.34, patches.edge + ragged) * c.number("core", 0.2, 0.6)
    mottle = c.noise("mottle", 8, octaves=3)
    tone = (
        0.5
        + 0.4 * (c.pick(patches.ids, "tone") - 0.3)
        - 0.5 * core
        + 0.6 * (mottle - 0.5)
        + 0.3 * (hair - 0.5)
    )
    net = c.contrasting("net", ("ead9b4", "f0e4c8", "dcc598", "e6cfa0"))
    return _print(c, mix(net, ramp(np.clip(tone, 0, 1), c.colours), body), hair, body)
