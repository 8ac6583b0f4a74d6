"""Open ground: asphalt, dry mud, snow, fallen leaves."""

from __future__ import annotations

import numpy as np

from engine.starter.materials.colour import from_hex, mix, ramp
from engine.starter.materials.layouts import patch
from engine.starter.materials.primitives import Array, blurred, smoothstep
from engine.starter.materials.registry import Canvas, Layers, Palette, family


@family(
    group="ground",
    nouns=("asphalt", "tarmac", "road surface", "asphalt road", "blacktop", "road"),
    palettes={
        "black": Palette("black", "131315 1f2022 2b2c2f 6c6d6e", 2),
        "dark grey": Palette("grey", "232427 36383b 4a4c4f 7d7d7c", 2),
        "grey": Palette("grey", "48494a 68696a 838382 b0aea9", 1.5),
        "red": Palette("red", "451c18 6e2d26 8a4036 b57c6e", 0.5),
    },
    relief=(0.01, 0.024),
    modifiers=("wet", "dusty", "mossy", "cracked"),
)
def asphalt(c: Canvas) -> Layers:
    """Crushed stone in bitumen, worn bare in places; often cracked, patched or stained."""
    n = c.count("stones", 24, 32)
    stones = c.cells("stones", n, jitter=1.0, at=c.warp("roll", 0.006, 20))
    fines = c.cells("fines", 2 * n, jitter=1.0, borders=False)
    worn, stain = c.noise("worn", 4, gain=0.55), c.noise("stain", 2, octaves=5)
    stone = smoothstep(0.0, 0.1, stones.edge - 0.05 - 0.25 * c.pick(stones.ids, "size"))
    fine = smoothstep(0.55, 0.2, fines.f1) * (c.pick(fines.ids, "there") < 0.6)
    bare = smoothstep(0.25, 0.75, c.pick(stones.ids, "bare") + 0.9 * (worn - 0.5))
    tone = 0.2 + 0.5 * (worn - 0.5) + 0.3 * (stain - 0.5) + 0.16 * fine * c.pick(fines.ids, "tone")
    tone = tone + stone * bare * (0.12 + 0.55 * c.pick(stones.ids, "tone") ** 1.5)
    height = 0.4 * stone * (0.5 + 0.5 * c.pick(stones.ids, "proud")) + 0.14 * fine + 0.3 * worn
    crack: Array = np.zeros((1, 1), np.float32)
    patched: Array = crack
    if c.chance("cracks", 0.55):
        net = c.cells("cracks", c.count("slabs", 2.0, 3.6), jitter=1.0, at=c.warp("tear", 0.05, 6, 5))
        come_and_go = smoothstep(0.36, 0.5, c.noise("torn", 3, octaves=3))
        if c.chance("sealed", 0.35):
            patched = smoothstep(0.034, 0.026, net.edge) * come_and_go
        else:
            crack = smoothstep(0.035, 0.012, net.edge) * come_and_go
    base = ramp(np.clip(tone, 0, 1), c.colours) * (1 - 0.75 * crack)[..., None]
    base = mix(base, c.colours[0] * 0.55, 0.9 * patched)
    oil = smoothstep(0.62, 0.75, c.noise("oil", 3, octaves=4)) * c.number("oil stains", 0, 0.4)
    height = (height + 0.1 * patched) * (1 - 0.6 * patched) + 0.35 * patched - 0.55 * crack
    return Layers(base * (1 - oil)[..., None], height, 0.93 - 0.1 * stone * bare - 0.4 * patched - 0.3 * oil)


@family(
    group="ground",
    nouns=("cracked mud", "dry mud", "cracked earth", "dry ground", "parched earth", "mud", "clay ground"),
    palettes={
        "brown": Palette("brown", "46301f 6b4b31 8c6a4a", 2),
        "tan": Palette("tan", "93714a b8935f d4b488", 2.5),
        "beige": Palette("beige", "b09a74 cfba94 e5d5b5", 1.5),
        "grey": Palette("grey", "5c5954 7f7c77 a09c96"),
        "red": Palette("red", "6a2d20 8d4230 ac644c", 0.8),
        "orange": Palette("orange", "91502a b56c3e cc8d5e", 0.8),
    },
    relief=(0.025, 0.05),
    modifiers=("wet", "dusty", "mossy"),
)
def cracked_mud(c: Canvas) -> Layers:
    """Plates parted by deep cracks, their rims curled up; finer cracks run across them."""
    n = c.count("plates", 3.8, 5.8)
    at = c.warp("wander", 0.16 / n, 2 * n, octaves=5)
    plates = c.cells("plates", n, jitter=0.9, at=at)
    fine = c.cells("fine", 2 * n, jitter=1.0, at=c.warp("wander.fine", 0.1 / n, 4 * n, octaves=3))
    width = c.number("width", 0.035, 0.075) * (0.6 + 0.8 * c.noise("width", 4, octaves=3))
    plate = smoothstep(0.0, 1.0, (plates.edge - 0.45 * width) / (0.9 * width))
    split = (c.pick(plates.ids, "split") < c.number("splits", 0.35, 0.8)) * smoothstep(
        0.03, 0.09, plates.edge
    )
    hair = smoothstep(0.1, 0.03, fine.edge) * split
    clay, dust = c.noise("clay", 6, octaves=6, gain=0.6), c.noise("dust", 36, octaves=3, gain=0.7)
    rim = smoothstep(0.24, 0.04, plates.edge)
    tone = (
        0.5 + 0.4 * (c.pick(plates.ids, "tone") - 0.5) + 0.8 * (clay - 0.5) + 0.35 * (dust - 0.5) + 0.2 * rim
    )
    mud = ramp(np.clip(tone, 0, 1), c.colours) * (1 - 0.5 * hair)[..., None]
    deep = c.colours[0] * 0.34 * (0.7 + 0.6 * dust)[..., None]
    lean = (c.pick(plates.ids, "x") - 0.5) * plates.rx + (c.pick(plates.ids, "y") - 0.5) * plates.ry
    top = 0.62 + c.number("curl", 0.08, 0.26) * rim + 0.16 * lean + 0.2 * (clay - 0.5) + 0.05 * dust
    return Layers(mix(deep, mud, plate), plate * (top - 0.22 * hair), 0.95 - 0.06 * clay, body=plate)


@family(
    group="ground",
    nouns=("snow", "fresh snow", "powder snow", "snow surface", "snowy ground", "snowfield"),
    palettes={
        "white": Palette("white", "cbd7e6 e6ecf3 f4f7fa fdfeff", 3),
        "blue white": Palette("white", "b7cae2 dce6f1 eff4f9 fcfeff", 1.5),
        "warm white": Palette("white", "cfcfdc e9e8ea f8f5f0 fffdf8"),
        "dirty": Palette("grey", "7c7c7c a5a6a6 bfc0c0 d6d7d7", 0.6),
    },
    relief=(0.018, 0.04),
    modifiers=("wet",),
)
def snow(c: Canvas) -> Layers:
    """Soft drifts, wind ripples here and there, fallen clumps; blue in the hollows, glints on top."""
    n = c.count("drifts", 2.2, 3.6)
    u, v = c.warp("wind", 0.05, 3)
    drift = c.noise("drift", n, octaves=3, gain=0.35, at=(u, v))
    wave = v * 3 * n + 1.6 * c.noise("swing", n, octaves=2) + 1.1 * (c.noise("fork", 2 * n, octaves=2) - 0.5)
    w = wave - np.floor(wave)
    ripple = np.where(w < 0.7, smoothstep(0, 0.7, w), smoothstep(1, 0.7, w))
    ripple = ripple * smoothstep(0.35, 0.6, c.noise("swept", n, octaves=3)) * c.number("ripples", 0.0, 0.22)
    clumps = c.cells("clumps", 5 * n, jitter=1.0, at=c.warp("melt", 0.02, 9), borders=False)
    clump = np.sqrt(np.clip(1 - (clumps.f1 / (0.15 + 0.35 * c.pick(clumps.ids, "size"))) ** 2, 0, 1))
    clump = clump * (c.pick(clumps.ids, "there") < c.number("clumps", 0.04, 0.3))
    powder, grain = c.noise("powder", 20, octaves=4, gain=0.7), c.grain("grain")
    height = drift + ripple + 0.14 * clump + 0.1 * powder + 0.012 * grain
    hollow = 2.5 * (blurred(height, 0.02) - height) + 2.4 * (blurred(height, 0.12) - height)
    tone = 0.6 - 0.8 * hollow + 0.1 * (grain - 0.5)
    glint = smoothstep(0.985, 0.995, grain)
    base = mix(ramp(np.clip(tone, 0, 1), c.colours), np.ones(3, np.float32), 0.7 * glint)
    return Layers(base, height, 0.6 + 0.1 * powder - 0.3 * glint)


@family(
    group="ground",
    nouns=("fallen leaves", "autumn leaves", "leaves", "forest floor", "leaf litter", "dry leaves"),
    palettes={
        "orange": Palette("orange", "7c3410 b25a1c d98630 edb452", 3),
        "brown": Palette("brown", "3a2112 5e3a1e 7f5630 a67e4e", 2),
        "red": Palette("red", "5a1412 8e2a1e b4442a d6793e", 1.5),
        "yellow": Palette("yellow", "9c7420 cfa32e e6c244 f3de82", 1.5),
        "green": Palette("green", "22401a 3e6c28 628f3a 96b458", 0.8),
    },
    relief=(0.03, 0.055),
    modifiers=("wet", "dusty"),
    scales=("large", "medium", "small"),
)
def forest_leaves(c: Canvas) -> Layers:
    """Leaves heaped in any direction, plain, wavy or lobed, with midrib and side veins, over dark soil."""
    rng = np.random.default_rng(c.key("leaves"))
    across = c.count("leaves", 6.0, 8.0)
    kind = c.choose("kind", ("plain", "wavy", "lobed", "lobed"))
    soil = c.noise("soil", 16, octaves=4, gain=0.6)
    height, tone, light = 0.12 * soil, 0.25 * soil, 0.16 + 0.3 * soil
    count = round(4.6 * across**2)
    for level in np.linspace(0.15, 1, count):
        centre, angle = (rng.random(), rng.random()), 2 * np.pi * rng.random()
        length, shade = (0.75 + 0.5 * rng.random()) / across, rng.random()
        window, dx, dy = patch(c.size, c.shift, centre, 0.62 * length)
        p = (dx * np.cos(angle) + dy * np.sin(angle)) / length
        q = (dy * np.cos(angle) - dx * np.sin(angle)) / length + 0.5 * (rng.random() - 0.5) * (p * p - 0.1)
        cover, vein, bow = _leaf(kind, p, q, c.size * length)
        lit = (0.62 + 0.3 * level + 0.16 * bow) * (1 - 0.3 * vein)
        height[window] += cover * (0.72 * level + 0.2 * bow - 0.05 * vein - height[window])
        tone[window] += cover * (shade + 0.25 * (np.abs(q) - 0.12) - 0.12 * vein - tone[window])
        light[window] += cover * (lit - light[window])
    spots = smoothstep(0.6, 0.75, c.noise("spots", 20, octaves=3))
    base = ramp(np.clip(tone - 0.2 * spots, 0, 1), c.colours) * (light * 1.08)[..., None]
    body = smoothstep(0.3, 0.5, light)
    base = mix(from_hex("2a1c10") * (0.5 + soil)[..., None], base, body)
    return Layers(base, height, 0.82 - 0.2 * body * tone, body=body)


def _leaf(kind: str, p: Array, q: Array, pixels: float) -> tuple[Array, Array, Array]:
    """How far one leaf covers the pixels, where its veins lie, how its blade bows up: each 0..1.

    p runs along the leaf, -0.5 at the stem to 0.5 at the tip, q across, both in lengths of `pixels`.
    """
    side = np.abs(q)
    stem = (side < 0.016) & (p < -0.2) & (p > -0.6)
    rib = smoothstep(0.03, 0.008, side)
    if kind == "lobed":
        theta, r = np.arctan2(side, p + 0.08), np.hypot(side, p + 0.08)
        lobe = np.abs(np.cos(2.5 * theta)) ** 1.4
        outline = (0.24 + 0.3 * lobe) * (0.78 + 0.22 * np.cos(theta)) * (1 + 0.05 * np.cos(25 * theta))
        from_lobe = np.abs((theta + 0.2 * np.pi) % (0.4 * np.pi) - 0.2 * np.pi)
        edge, vein = outline - r, smoothstep(0.03, 0.008, r * np.sin(from_lobe))
        bow = np.clip(1 - from_lobe / 0.6, 0, 1) * 0.6 + 0.4 * np.clip(r / 0.5, 0, 1)
    else:
        t = np.clip(p + 0.5, 0, 1)
        wide = 0.24 * np.sin(np.pi * t**0.85) ** 0.8
        if kind == "wavy":
            wide = wide * (1 + 0.3 * np.cos(2 * np.pi * 4.5 * t))
        edge = np.where(np.abs(p) < 0.5, wide, 0) - side
        feather = (9 * (p - 0.7 * side)) % 1
        vein = np.maximum(rib, 0.7 * smoothstep(0.16, 0.06, np.abs(feather - 0.5)) * (side < 0.2))
        bow = np.clip(side / 0.2, 0, 1) ** 0.7
    cover = np.maximum(np.clip(edge * pixels + 0.5, 0, 1) * (edge > -0.1), stem)
    return cover, np.clip(vein, 0, 1), np.clip(bow, 0, 1)
