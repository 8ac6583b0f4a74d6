"""What lies on the ground: pebbles, moss, grass, sand, lava."""

from __future__ import annotations

import numpy as np

from engine.starter.materials.colour import from_hex, mix, ramp
from engine.starter.materials.layouts import patch
from engine.starter.materials.primitives import Array, smoothstep
from engine.starter.materials.registry import Canvas, Layers, Palette, family


@family(
    group="ground",
    nouns=("pebbles", "gravel", "river stones", "small stones", "river rocks", "pebble ground"),
    palettes={
        "grey": Palette("grey", "4d4d4e 7c7c7b b4b3b0", 2),
        "brown": Palette("brown", "3f2c1f 6b4f37 94755a", 1.5),
        "beige": Palette("beige", "a58f6c cfbd98 ebdfc6", 1.5),
        "white": Palette("white", "d8d7d4 eeedea fbfbfa"),
        "black": Palette("black", "0f0f10 1d1d1f 303033"),
        "red": Palette("red", "5f2a25 8c433b b2685c", 0.5),
    },
    relief=(0.05, 0.09),
    modifiers=("mossy", "wet"),
)
def pebbles(c: Canvas) -> Layers:
    """Three sizes of round stones heaped on dark ground."""
    n = c.count("stones", 5.5, 7.5)
    height, bulge = np.zeros((2, c.size, c.size), np.float32)
    ids = np.full((c.size, c.size), -1, np.int64)
    for k, p in enumerate((n, round(1.6 * n), round(2.4 * n))):
        stones = c.cells(f"layer{k}", p, jitter=0.7, at=c.warp(f"wobble{k}", 0.02, 7, 2), borders=False)
        radius = 0.44 + 0.1 * c.pick(stones.ids, f"radius{k}")
        dome = np.sqrt(np.clip(1 - (stones.f1 / radius) ** 2, 0, 1)) * (c.pick(stones.ids, f"there{k}") > 0.2)
        top = dome * (1 - 0.2 * k) > height
        ids, bulge = np.where(top, stones.ids + 4096 * k, ids), np.where(top, dome, bulge)
        height = np.maximum(height, dome * (1 - 0.2 * k))
    speckle = c.noise("speckle", 32, octaves=3)
    body = smoothstep(0.05, 0.3, bulge)
    tone = np.clip(c.pick(ids, "tone") + 0.25 * (speckle - 0.5), 0, 1)
    stone = ramp(tone, c.colours) * (0.5 + 0.55 * bulge + 0.12 * speckle)[..., None]
    ground = c.colours[0] * 0.38 * (0.6 + 0.8 * speckle)[..., None]
    return Layers(mix(ground, stone, body), height + 0.04 * speckle, 0.95 - 0.4 * body, body=body)


@family(
    group="ground",
    nouns=("moss", "mossy ground", "moss carpet", "forest moss", "lichen", "soft moss"),
    palettes={
        "green": Palette("green", "1a3012 37661f 659a35 9cc455", 3),
        "dark green": Palette("green", "0f2210 22471d 3f6f30 6a9548"),
        "olive": Palette("olive", "2c2c10 55551f 808035 a8a455"),
        "yellow green": Palette("green", "2c4010 54801c 86b02e bfd95c"),
    },
    relief=(0.04, 0.07),
    modifiers=("wet",),
)
def moss(c: Canvas) -> Layers:
    """Round cushions covered in short fuzz."""
    n = c.count("cushions", 6.5, 9.5)
    at = c.warp("wobble", 0.025, 10)
    big = c.cells("cushions", n, jitter=0.95, at=at, borders=False)
    small = c.cells("tufts", 3 * n, jitter=0.95, at=at, borders=False)
    cushion, tuft = np.sqrt(np.clip(1 - (big.f1 / 0.8) ** 2, 0, 1)), np.clip(1 - small.f1 / 0.8, 0, 1)
    fuzz, patch = c.noise("fuzz", 64, octaves=2, gain=0.8), c.noise("patch", 4)
    height = 0.6 * cushion + 0.25 * tuft + 0.16 * fuzz + 0.08 * patch
    tone = np.clip(0.62 * cushion + 0.42 * tuft + 0.6 * (fuzz - 0.5) + 0.25 * (patch - 0.5) - 0.16, 0, 1)
    return Layers(ramp(tone, c.colours), height, 0.95)


@family(
    group="ground",
    nouns=("grass", "lawn", "grass blades", "turf", "meadow grass", "grassy ground"),
    palettes={
        "green": Palette("green", "14300e 2f6a1e 58972f 93c255", 4),
        "dark green": Palette("green", "0d220b 1f4a18 3a7028 669a48", 1.5),
        "dry": Palette("yellow", "6b5a1e ae982f d6c04a ecdc7c"),
        "olive": Palette("olive", "2e2e0f 5c5c22 858536 b0ad5c"),
    },
    relief=(0.05, 0.08),
    modifiers=("wet",),
)
def grass(c: Canvas) -> Layers:
    """Several hundred bent blades, painted from the lowest to the highest."""
    rng = np.random.default_rng(c.key("blades"))
    count = c.count("blades", 330, 400)
    lean, spread = c.number("lean", 0, 2 * np.pi), c.number("spread", 1.2, 3.14)
    reach = c.number("length", 0.2, 0.26) * (330 / count) ** 0.5
    under = c.noise("under", 20, octaves=3)
    height, tone = 0.12 * under, 0.16 * under
    for level in np.linspace(0.2, 1, count):
        centre, angle = rng.random(2), lean + spread * (2 * rng.random() - 1)
        length, width = reach * (0.6 + 0.4 * rng.random()), reach * 0.042 * (0.7 + 0.6 * rng.random())
        _blade(c, height, tone, centre, angle, length, width, 2.2 * (rng.random() - 0.5), level, rng.random())
    return Layers(ramp(np.clip(tone, 0, 1), c.colours), height, 0.85 - 0.2 * tone)


def _blade(
    c: Canvas,
    height: Array,
    tone: Array,
    centre: Array,
    angle: float,
    length: float,
    width: float,
    bend: float,
    level: float,
    hue: float,
) -> None:
    """Paint one tapered, bent blade into height and tone, only where it lies."""
    window, dx, dy = patch(c.size, c.shift, (centre[0], centre[1]), length * 0.62 + width)
    p = (dx * np.cos(angle) + dy * np.sin(angle)) / length
    q = -dx * np.sin(angle) + dy * np.cos(angle) + bend * length * (p * p - 0.1)
    t = np.clip(p + 0.5, 0, 1)  # 0 at the root, 1 at the tip
    taper = width * np.sqrt(np.clip(1 - t**2, 0, 1)) * (np.abs(p) < 0.5)
    cover = np.clip((taper - np.abs(q)) * c.size + 0.5, 0, 1) * (taper > 0)
    fold = 1 - 0.4 * np.clip(q / np.maximum(taper, 1e-4), -1, 1)  # one half of the blade is in the light
    height[window] += cover * (level * (0.35 + 0.65 * t) - height[window])
    shade = (0.14 + 0.4 * level + 0.3 * t + 0.2 * (hue - 0.5)) * (0.7 + 0.3 * fold)
    tone[window] += cover * (shade - tone[window])


@family(
    group="ground",
    nouns=("sand ripples", "sand", "rippled sand", "desert sand", "sand dunes", "beach sand"),
    palettes={
        "tan": Palette("tan", "9c7848 c39c68 dcb888", 2),
        "beige": Palette("beige", "b39c70 d6c198 ecdcbc", 2),
        "orange": Palette("orange", "9c5522 c87835 e09a58"),
        "white": Palette("white", "d0ccc4 e8e5de f7f5f1", 0.7),
        "black": Palette("black", "0f0f10 1c1c1d 2f2f30", 0.5),
    },
    relief=(0.025, 0.05),
    modifiers=("wet",),
)
def sand_ripples(c: Canvas) -> Layers:
    """Wind ripples: long crests that fork, gentle on one side, steep on the other."""
    waves = c.count("waves", 5.5, 8.5)
    u, v = c.warp("bend", c.number("bend", 0.04, 0.075), 2, octaves=2)
    phase = v * waves + 1.1 * (c.noise("fork", 4, octaves=2, at=(u, v)) - 0.5)
    w = phase - np.floor(phase)
    rise = np.where(w < 0.68, w / 0.68, (1 - w) / 0.32)
    ridge = smoothstep(0, 1, rise)
    grain, drift = c.grain("grain"), c.noise("drift", 4)
    lit = np.where(w < 0.68, 0.35 + 0.5 * ridge, 0.85 * ridge)  # the steep side lies in its own shade
    tone = np.clip(0.08 + 0.72 * lit + 0.22 * (grain - 0.5) + 0.35 * (drift - 0.5) + 0.08, 0, 1)
    return Layers(ramp(tone, c.colours), 0.85 * ridge + 0.12 * drift + 0.04 * grain, 0.93)


@family(
    group="ground",
    nouns=("lava", "magma", "molten lava", "molten rock", "volcanic lava", "glowing lava"),
    palettes={
        "orange": Palette("orange", "000000 7a1500 f06a08 ffc848", 2),
        "red": Palette("red", "000000 6a0500 c81808 ff5a20"),
    },
    relief=(0.04, 0.07),
    modifiers=(),
)
def lava(c: Canvas) -> Layers:
    """A dark crust broken into plates; what is in the cracks glows."""
    n = c.count("plates", 3.6, 5.4)
    plates = c.cells("plates", n, jitter=0.95, at=c.warp("melt", 0.05, 4, octaves=5))
    rough, patch = c.noise("crust", 7, octaves=6, gain=0.6), c.noise("patch", 3)
    depth = plates.edge + 0.16 * (rough - 0.5) - 0.1 * (patch - 0.4)
    hot = smoothstep(c.number("width", 0.17, 0.26), 0.02, depth)
    crust = ramp(rough, np.stack([from_hex("0f0c0b"), from_hex("2a2523"), from_hex("453d39")]))
    base = mix(crust, ramp(hot, c.colours), smoothstep(0.08, 0.4, hot))
    cooled = smoothstep(0.0, 0.3, depth)
    glow = smoothstep(0.3, 0.9, hot)
    height = cooled * (0.6 + 0.5 * rough)
    return Layers(base, height, 0.92 - 0.4 * hot, body=smoothstep(0.4, 0.6, hot), emission=glow)
