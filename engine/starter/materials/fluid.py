"""Water, frozen and not, and the sky."""

from __future__ import annotations

import numpy as np

from engine.starter.materials.colour import from_hex, mix, ramp
from engine.starter.materials.primitives import Array, blurred, equalised, fbm, smoothstep
from engine.starter.materials.registry import Canvas, Layers, Palette, family


@family(
    group="fluid",
    nouns=("ice", "frozen lake", "cracked ice", "frozen water", "ice sheet", "glacier ice"),
    palettes={
        "pale blue": Palette("blue", "4f8db4 8fc0dc d3e8f2", 3),
        "deep blue": Palette("blue", "143a5e 2f6c98 76b0d0", 1.5),
        "teal": Palette("teal", "1d6470 4a9fa4 a4d6d4", 1.5),
        "white": Palette("white", "93b4c6 d6e5ec f6fafb", 1.5),
        "black": Palette("black", "080c12 141d27 2c3a48"),
    },
    relief=(0.004, 0.012),
    modifiers=("wet", "dusty"),
    finishes=("matte",),
)
def ice(c: Canvas) -> Layers:
    """A clear sheet with cracks that run down into it as veils, trapped bubbles, drifts of frost."""
    n = c.count("plates", 2.2, 3.6)
    at = c.warp("bend", 0.05, 4, octaves=5)
    wide, fine = c.cells("wide", n, jitter=1.0, at=at), c.cells("fine", 2 * n + 1, jitter=1.0, at=at)
    cloud, gate = c.noise("cloud", 3, octaves=6, gain=0.55), c.noise("gate", 3, octaves=2)
    slant = c.pick(wide.ids, "slant")  # a veil lies on one side of its crack only
    veil = np.exp(-wide.edge / (0.05 + 0.2 * slant)) * smoothstep(0.35, 0.7, slant) * (0.3 + 1.1 * cloud)
    hair = smoothstep(0.035, 0.0, fine.edge) * smoothstep(0.45, 0.6, gate)
    line = np.maximum(smoothstep(0.034, 0.008, wide.edge), 0.65 * hair)
    bubbles = c.cells("bubbles", c.count("bubbles", 14, 20), jitter=1.0, borders=False)
    radius = 0.06 + 0.26 * c.pick(bubbles.ids, "radius") ** 2
    there = c.pick(bubbles.ids, "there") < 1.6 * (c.noise("swarm", 3, octaves=2) - 0.35)
    bubble = smoothstep(1.0, 0.55, bubbles.f1 / radius) * there
    frost = smoothstep(0.5, 0.75, c.noise("frost", 4, octaves=6, gain=0.65)) * c.number("frost", 0.0, 0.8)
    tone = np.clip(0.45 + 1.3 * (cloud - 0.5) + 0.35 * (c.noise("depth", 2, octaves=2) - 0.5), 0, 1)
    white = np.clip(0.9 * line + 0.55 * veil + 0.6 * bubble + 0.7 * frost, 0, 0.95)
    deep = 1 - 0.4 * smoothstep(0.12, 0.03, wide.edge) * c.number("deep", 0.3, 1)  # where a crack has width
    base = mix(ramp(tone, c.colours) * deep[..., None], from_hex("f2f8fa"), white)
    height = 0.6 + 0.25 * (cloud - 0.5) - 0.4 * line + 0.25 * frost
    return Layers(base, height, 0.06 + 0.3 * line + 0.5 * frost + 0.08 * cloud, body=1 - white)


def _swell(c: Canvas, longest: int, spread: float) -> Array:
    """Long waves (H, W), 0..1, about one heading: sines with integer waves a tile."""
    rng = np.random.default_rng(c.key("swell"))
    heading = 2 * np.pi * rng.random()
    x, y = c.warp("drift", 0.05, 3, octaves=2)
    total = np.zeros((c.size, c.size), np.float32)
    for k in range(6):
        number, angle = longest * 1.2**k, heading + spread * (2 * rng.random() - 1)
        wave = round(number * np.cos(angle)) * x + round(number * np.sin(angle)) * y + rng.random()
        total += (0.5 + 0.5 * np.cos(2 * np.pi * wave)) ** 1.5 * longest / number
    return equalised(total)


def _chop(c: Canvas, n: int, at: tuple[Array, Array]) -> Array:
    """Short waves (H, W): crests as sharp as the borders of cells, three sizes, stretched along the wind."""
    stretch = c.number("stretch", 0.5, 0.95)
    slim = max(2, round(n * stretch))
    px, py = (n, slim) if c.chance("east", 0.5) else (slim, n)
    total = np.zeros((c.size, c.size), np.float32)
    for k, weight in enumerate((0.55, 0.33, 0.12)):
        facets = c.cells(f"chop{k}", px << k, py << k, jitter=1.0, at=at, borders=False)
        total += weight * np.minimum(facets.f1, 1) ** 1.6
    return total


@family(
    group="fluid",
    nouns=("water", "sea water", "ocean waves", "water surface", "rippling water", "lake water", "sea"),
    palettes={
        "deep blue": Palette("blue", "061a38 12406e 4f88b8", 3),
        "blue": Palette("blue", "0d3d70 2470ae 84b9dc", 2),
        "teal": Palette("teal", "06343c 126e74 62b4b0", 2),
        "green": Palette("green", "0c2a1c 24583a 6d9c72"),
        "turquoise": Palette("teal", "0b6f78 2ab0ac 9ce4d8"),
        "murky": Palette("olive", "26240f 55502a 8f8a58", 0.7),
        "black": Palette("black", "040608 0f151a 2c363e", 0.7),
    },
    relief=(0.015, 0.035),
    scales=("large", "medium", "small"),
)
def water(c: Canvas) -> Layers:
    """Wind waves: round dark troughs, sharp crests where light comes through, foam on some of them."""
    at = c.warp("stir", 0.05, 3, octaves=4)
    chop = _chop(c, c.count("waves", 4.4, 6.6), at)
    swell, patch = _swell(c, c.count("swell", 1.6, 2.8), c.number("spread", 0.4, 1.0)), c.noise("patch", 2)
    waves = equalised(chop + c.number("swell", 0.15, 0.4) * swell)
    tone = 0.04 + 0.42 * waves + 0.5 * waves**5 + 0.5 * (patch - 0.5)
    bubbles = c.cells("foam", c.count("foam", 20, 26), jitter=1.0, at=at)
    lace = smoothstep(0.3, 0.05, bubbles.edge)
    crest = smoothstep(0.85, 1.0, waves + 0.35 * (c.noise("break", 3, octaves=6, gain=0.65) - 0.5))
    foam = np.clip(crest * (0.45 + 0.6 * lace), 0, 1) * c.number("foam", 0.4, 1.0) * c.chance("foamy", 0.4)
    base = mix(ramp(np.clip(tone, 0, 1), c.colours), from_hex("eef5f5"), 0.9 * foam)
    return Layers(base, chop + 0.5 * swell + 0.05 * foam, 0.05 + 0.04 * patch + 0.5 * foam, body=1 - foam)


def _refracted(c: Canvas, period: int, depth: float) -> tuple[Array, Array, Array]:
    """Light through a wavy surface on to the floor: brightness there (H, W), mean 1, and the floor seen.

    Follows a lattice of rays to where they land and counts them. Also returns the coordinates (H, W) of the
    floor that one sees through each point of the surface.
    """
    n = max(512, c.size)
    at = ((np.arange(n) + 0.5) / n).astype(np.float32)
    surface = fbm(at[None, :], at[:, None], period, period, 2, 0.3, c.key("surface"), n) - 0.5
    bend = np.float32(depth * n / period**2)
    dx, dy = (bend * (np.roll(surface, -1, axis) - np.roll(surface, 1, axis)) / 2 for axis in (1, 0))
    x, y = ((at[None, :] + dx) * c.size + c.shift[1] - 0.5), ((at[:, None] + dy) * c.size + c.shift[0] - 0.5)
    i, j = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    light = np.zeros(c.size**2)
    for a, b in ((0, 0), (1, 0), (0, 1), (1, 1)):
        weight = np.abs(1 - a - (x - i)) * np.abs(1 - b - (y - j))
        light += np.bincount(
            ((j + b) % c.size * c.size + (i + a) % c.size).ravel(), weight.ravel(), c.size**2
        )
    brightness = blurred(light.reshape(c.size, c.size) * (c.size / n) ** 2, 0.0035)
    wave = c.noise("sway.u", period, octaves=3, gain=0.4), c.noise("sway.v", period, octaves=3, gain=0.4)
    sway = 0.12 / period
    return brightness, (c.u + sway * (2 * wave[0] - 1)) % 1, (c.v + sway * (2 * wave[1] - 1)) % 1


@family(
    group="fluid",
    nouns=("pool water", "caustics", "swimming pool water", "water caustics", "clear water", "shallow water"),
    palettes={
        "pool blue": Palette("blue", "0a5a94 2e94cc 9cd6f0", 3),
        "turquoise": Palette("teal", "0a7480 22aeb4 9ce8e2", 2.5),
        "deep blue": Palette("blue", "0a2f68 1f62ac 74aee0"),
        "green": Palette("green", "17583c 3f9468 a4dcb4", 0.7),
    },
    relief=(0.01, 0.03),
)
def caustics(c: Canvas) -> Layers:
    """The net of light that waves throw on the floor of a pool, sometimes a tiled one."""
    period = c.count("period", 2.7, 4.3)
    light, x, y = _refracted(c, period, c.number("depth", 0.16, 0.26))
    glow = np.clip(light - 0.55, 0, 5)
    net, patch = 1 - np.exp(-0.55 * glow), c.noise("patch", 3, octaves=3)
    tone = 0.2 + 0.95 * net + 0.3 * (patch - 0.5)
    if c.chance("tiled", 0.4):
        n = 2 * period if c.chance("fine", 0.5) else period
        joint = 0.5 - np.maximum(np.abs(x * n % 1 - 0.5), np.abs(y * n % 1 - 0.5))
        tone = tone - 0.16 * smoothstep(0.07, 0.03, joint)
    base = mix(ramp(np.clip(tone, 0, 1), c.colours), from_hex("f4fdff"), 0.8 * smoothstep(0.55, 1.0, net))
    height = c.noise("wave", period, octaves=4, gain=0.45)
    return Layers(base, height, 0.05 + 0.02 * patch, body=1 - smoothstep(0.5, 0.9, net))


@family(
    group="sky",
    nouns=("clouds", "cloudy sky", "sky", "sky with clouds", "cumulus clouds", "summer sky"),
    palettes={
        "blue": Palette("blue", "2a66b4 4f8fd0 86b8e4", 4),
        "deep blue": Palette("blue", "173f86 2a62b0 5590d0", 1.5),
        "grey": Palette("grey", "4a4f56 6c7178 8f949a"),
        "pink": Palette("pink", "b8788c e0a0a8 f2c0b4"),
        "orange": Palette("orange", "c0602a e48c3c f4b468"),
        "purple": Palette("purple", "3c2a60 62448c 9470b0", 0.7),
    },
    relief=(0.002, 0.006),
)
def clouds(c: Canvas) -> Layers:
    """Heaped clouds, lit from the upper left, with thin wisps between them."""
    n = c.count("clouds", 2.0, 3.2)
    at = c.warp("wind", c.number("wind", 0.05, 0.1), 3, octaves=4)
    puff = c.cells("puffs", 4 * n, jitter=1.0, at=c.warp("curl", 0.03, 9, octaves=3), borders=False)
    mass = c.noise("mass", n, octaves=6, gain=0.52, at=at) + 0.12 * (0.5 - puff.f1)
    level = float(np.quantile(mass, 1 - c.number("cover", 0.35, 0.65)))
    dense = smoothstep(level - 0.02, level + 0.16, mass)
    wisp = 0.35 * smoothstep(level - 0.16, level + 0.03, mass) * c.noise("wisp", 6, octaves=5, at=at)
    step = max(1, c.size // 32)
    soft = blurred(mass, 0.012)
    lit = np.clip(0.62 + 3.2 * (soft - np.roll(soft, (step, step), (0, 1))) - 0.5 * (mass - level), 0, 1)
    sky = ramp(0.5 + 0.9 * (c.noise("haze", 2, octaves=2) - 0.5), c.colours)
    tint = c.colours.mean(0)
    shaded = mix(from_hex("9ea6b8"), tint, 0.4)
    bright = mix(from_hex("fffefa"), tint, 0.06)
    cloud = mix(np.broadcast_to(shaded, sky.shape), bright, lit)
    cover = np.clip(dense + wisp * (1 - dense), 0, 1)
    return Layers(mix(sky, cloud, cover), dense * (0.4 + 0.6 * lit), 0.9, body=1 - cover)
