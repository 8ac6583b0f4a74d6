"""Stone as it is quarried, cut, laid and rendered over: granite, agate, slate, strata, terrazzo, walls."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.starter.materials.colour import from_hex, mix, ramp
from engine.starter.materials.layouts import courses, rings
from engine.starter.materials.masonry import JOINTS, WEATHERED
from engine.starter.materials.primitives import Array, Ints, blurred, smoothstep
from engine.starter.materials.registry import Canvas, Layers, Palette, family


@family(
    group="masonry",
    nouns=("stone wall", "castle wall", "stone blocks", "ashlar wall", "stone masonry", "stone block wall"),
    palettes={
        "beige": Palette("beige", "9c8762 c3ad84 e3d2ae", 2.5),
        "grey": Palette("grey", "55575a 7c7e80 a4a5a4", 2.5),
        "tan": Palette("tan", "82643f ad8a5c cfae7e", 1.5),
        "dark grey": Palette("grey", "37393c 55585b 75787a"),
        "brown": Palette("brown", "45301f 68492f 8a6747"),
        "red": Palette("red", "6b332b 914a3e b06c5c", 0.7),
        "white": Palette("white", "d5d3ce e8e6e2 f7f5f2", 0.7),
    },
    relief=(0.03, 0.06),
    modifiers=WEATHERED,
    joint="mortar",
)
def ashlar_wall(c: Canvas) -> Layers:
    """Courses of unlike height, cut stones of unlike length with hewn, weathered faces."""
    rows = c.count("rows", 4.6, 6.6)
    columns = max(2, round(rows * c.number("aspect", 0.42, 0.62)))
    u, v = c.warp("wobble", 0.006, 6)
    blocks = courses(u, v, rows, columns, c.key("courses"), uneven=c.number("uneven", 0.25, 0.5))
    depth = c.outline(blocks, c.number("gap", 0.05, 0.1) / rows, 0.07 / rows, 0.02) * rows
    face, pit = c.noise("face", 9, octaves=5, gain=0.62), c.noise("pit", 30, octaves=3)
    stain, streak = c.noise("stain", 3), c.noise("streak", 14, 3, octaves=3)
    lean = (c.pick(blocks.ids, "lean.x") - 0.5) * blocks.x + (c.pick(blocks.ids, "lean.y") - 0.5) * blocks.y
    tone = 0.8 * c.pick(blocks.ids, "tone") + 0.7 * (face - 0.5) + 0.35 * (stain - 0.5) + 0.1
    edge = smoothstep(0.2, 0.04, depth)
    dirt = smoothstep(0.5, 0.75, streak + 0.2 * (stain - 0.5)) * c.number("dirt", 0.0, 0.3)
    stone = ramp(np.clip(tone, 0, 1), c.colours)
    stone = stone * (0.8 + 0.36 * pit + 0.12 * edge - dirt)[..., None]
    body = smoothstep(-0.03, 0.05, depth)
    joint = c.contrasting("joint", (*JOINTS, "4d4740"))
    mortar = joint * (0.62 + 0.6 * pit)[..., None]
    pillow = smoothstep(-0.05, 0.22, depth) * (0.72 + 0.2 * c.pick(blocks.ids, "proud") + 0.5 * lean)
    height = pillow + body * (0.34 * (face - 0.5) + 0.1 * (pit - 0.5)) + 0.06 * (1 - body) * pit
    return Layers(mix(mortar, stone, body), height, 0.95 - 0.1 * body * face, body=body, joint=joint)


@family(
    group="masonry",
    nouns=("stucco", "plaster", "plaster wall", "rendered wall", "stucco wall", "rough plaster"),
    palettes={
        "beige": Palette("beige", "b8a47f d3c09b e6d7b8", 2),
        "cream": Palette("cream", "d3c5a2 e9dcbe f6ecd6", 1.5),
        "white": Palette("white", "d2d2cf e9e9e6 f8f8f6", 2),
        "orange": Palette("orange", "a5572d c67440 dd9360"),
        "yellow": Palette("yellow", "b98f35 dbb54e efd27c"),
        "grey": Palette("grey", "6d6c69 8b8a87 a9a8a4"),
        "pink": Palette("pink", "c28480 dba09d ecbfbb", 0.7),
    },
    relief=(0.012, 0.03),
    colourable=True,
    modifiers=WEATHERED,
)
def stucco(c: Canvas) -> Layers:
    """Wall render: thrown on rough, thrown and flattened, or drawn with the trowel."""
    n = c.count("lumps", 8.0, 11.0)
    lump = c.noise("lump", n, octaves=4, gain=0.55, at=c.warp("throw", 0.03, 8, octaves=3))
    style = c.choose("style", ("thrown", "flattened", "trowelled"))
    if style == "trowelled":
        relief = 0.75 * _sweeps(c, max(3, n // 2)) + 0.25 * lump
    elif style == "flattened":
        relief = 0.75 * smoothstep(0.38, 0.58, lump) + 0.2 * lump
    else:
        relief = 1.1 * smoothstep(0.2, 0.8, lump)
    sand, patch = c.noise("sand", 44, octaves=3, gain=0.7), c.noise("patch", 2, octaves=5)
    run = smoothstep(0.5, 0.8, c.noise("run", 16, 2, octaves=4)) * c.number("runs", 0.0, 0.6)
    height = relief + 0.2 * sand
    hollow = 2.2 * np.clip(blurred(height, 0.02) - height, -0.2, 0.2)
    tone = 0.52 - 0.4 * hollow + 0.7 * (patch - 0.5) + 0.2 * (sand - 0.5) - 0.5 * run
    base = ramp(np.clip(tone, 0, 1), c.colours)
    return Layers(
        base * (1 - 0.2 * np.maximum(hollow, 0) - 0.15 * run)[..., None], height, 0.95 - 0.06 * patch
    )


def _sweeps(c: Canvas, n: int) -> Array:
    """Short curved strokes of a trowel, one over the other, each with the grooves that it drew: 0..1."""
    sweeps = c.cells("sweeps", n, jitter=1.0, at=c.warp("turn", 0.12 / n, 2 * n))
    angle = 6.2832 * c.pick(sweeps.ids, "angle")
    away = 0.8 + 0.8 * c.pick(sweeps.ids, "away")  # to the elbow around which the stroke turned, in cells
    r = np.hypot(sweeps.rx + away * np.cos(angle), sweeps.ry + away * np.sin(angle))
    start = 20 * c.pick(sweeps.ids, "start")
    groove = 0.5 + 0.3 * np.sin(14 * r + start) + 0.2 * np.sin(31 * r + 3 * start)
    lip = smoothstep(0.14, 0.03, sweeps.edge)
    return np.clip(0.35 * groove + 0.3 * c.pick(sweeps.ids, "thick") + 0.35 * lip, 0, 1)


@family(
    group="stone",
    nouns=("slate", "slate stone", "shale", "cleft slate", "layered rock", "slate rock"),
    palettes={
        "grey": Palette("grey", "3a4148 5e666e 8d949a", 2.5),
        "black": Palette("black", "101214 1e2124 3d4246", 1.5),
        "green": Palette("green", "2c4434 46634d 748e74"),
        "brown": Palette("brown", "35261c 5a4232 86694f", 0.7),
    },
    relief=(0.015, 0.035),
    modifiers=WEATHERED,
    finishes=("matte",),
    scales=("large", "medium", "small"),
)
def slate(c: Canvas) -> Layers:
    """A riven face: thin sheets broken off along stepped, wandering edges."""
    n = c.count("sheets", 2.4, 3.6)
    at = c.warp("split", 0.14 / n, 2 * n, octaves=5)
    sheet: Array = np.zeros((c.size, c.size), np.float32)
    tone: Array = 0.5 * sheet
    for k in range(3):
        flakes = c.cells(f"flakes{k}", n + k * n // 2, 2 * n + k * n, jitter=1.0, at=at, borders=False)
        level = np.floor(3 * c.pick(flakes.ids, f"level{k}")) / 3
        tilt = (c.pick(flakes.ids, f"x{k}") - 0.5) * flakes.rx + (
            c.pick(flakes.ids, f"y{k}") - 0.5
        ) * flakes.ry
        sheet = sheet + 0.75**k * (level + 0.3 * tilt)
        tone = tone + 0.5 * (c.pick(flakes.ids, f"tone{k}") - 0.5)
    cleft = c.noise("cleft", 4, 20, octaves=5, gain=0.65, at=at)
    grain, cloud = c.noise("grain", 32, octaves=3, gain=0.7), c.noise("cloud", 3)
    height = sheet + 0.35 * cleft + 0.08 * grain
    edge = np.clip(sheet - blurred(sheet, 0.012), -0.4, 0.4)  # bright on the broken edge, dark at its foot
    shade = 0.5 + 0.45 * tone + 0.8 * (cleft - 0.5) + 0.4 * (cloud - 0.5) + 0.35 * (grain - 0.5)
    base = ramp(np.clip(shade + 0.6 * np.maximum(edge, 0), 0, 1), c.colours)
    base = base * (1 + 1.5 * np.minimum(edge, 0))[..., None]
    rust = smoothstep(0.54, 0.74, c.noise("rust", 3, octaves=5, gain=0.6)) * c.chance("rusted", 0.4)
    base = mix(base, from_hex("8a5a35") * (0.5 + cleft)[..., None], 0.35 * rust)
    return Layers(base, height, 0.72 - 0.25 * cleft)


@family(
    group="stone",
    nouns=("sandstone", "rock strata", "sandstone strata", "canyon rock", "layered sandstone", "banded rock"),
    palettes={
        "orange": Palette("orange", "94452a c0693a d28c58 efcda0", 2.5),
        "red": Palette("red", "662219 963c2c ae5c46 d8a080", 1.5),
        "tan": Palette("tan", "8a5a38 bd8a58 cfab7c eedcb8", 1.5),
        "beige": Palette("beige", "a8814f cdb48a dfcca8 f3e9d2"),
        "brown": Palette("brown", "402417 6c432a 86603e b48f66"),
        "grey": Palette("grey", "55524f 7b7774 989490 c6c2bc", 0.7),
    },
    relief=(0.025, 0.055),
    modifiers=WEATHERED,
)
def sandstone_strata(c: Canvas) -> Layers:
    """Beds of unlike thickness and colour, fine layers in them; the soft ones are worn back."""
    n = c.count("beds", 5.0, 7.5)
    u, v = c.warp("fold", c.number("fold", 0.02, 0.06), 2, octaves=2)
    v = v + 0.012 * (c.noise("ripple", 9, octaves=4) - 0.5)
    t = v * n + 1.5 * (c.noise("uneven", 1, n, octaves=2, at=(0 * u, v % 1)) - 0.5)
    bed = np.floor(t).astype(np.int64) % n
    inside = t - np.floor(t)
    # joints: the hard beds have broken upright, each in its own places
    x = u + c.pick(bed, "offset") + 0.03 * (c.noise("joint", 5, octaves=3) - 0.5)
    blocks = np.floor(2 + 3 * c.pick(bed, "blocks"))
    side = np.abs((x * blocks) % 1 - 0.5) / blocks
    hard = c.pick(bed, "hard")
    rim = np.minimum(np.minimum(inside, 1 - inside) / n, side + 0.05 * (hard < 0.5))
    layer = c.noise("layer", 2, 6 * n, octaves=3, gain=0.6, at=(u, v % 1))
    worn, grain = c.noise("worn", 7, octaves=5, gain=0.6), c.grain("grain")
    seam = smoothstep(0.012, 0.002, rim + 0.012 * (worn - 0.5))
    face = np.sqrt(np.clip(rim / 0.05, 0, 1))
    hue = (c.pick(bed, "hue") + 0.62 * (bed % 2)) % 1  # neighbours differ
    tone = 0.06 + 0.8 * hue + 0.42 * (layer - 0.5) + 0.5 * (worn - 0.5) + 0.2 * (grain - 0.5) + 0.06 * face
    base = ramp(np.clip(tone, 0, 1), c.colours) * (0.9 + 0.1 * face - 0.5 * seam)[..., None]
    height = 0.4 * hard + 0.4 * face + 0.16 * (layer - 0.5) + 0.5 * (worn - 0.5) + 0.05 * grain
    return Layers(base, height - 0.12 * seam, 0.95 - 0.06 * hard)


@family(
    group="stone",
    nouns=("granite", "granite countertop", "speckled stone", "polished granite", "granite slab"),
    palettes={
        "grey": Palette("grey", "55565a 85868a adaeb0 dcdcdb", 2),
        "pink": Palette("pink", "a06a66 cf9890 e2b8b0 f0dcd6", 1.5),
        "black": Palette("black", "08080a 161619 26272a 45474c", 1.5),
        "red": Palette("red", "4a1814 8a3a30 a85a4c c99484"),
        "white": Palette("white", "b9b8b6 e9e8e6 f2f1ef fbfafa"),
        "tan": Palette("tan", "7f5c3a b48e64 cdab82 e8d4b4"),
        "blue": Palette("blue", "1f3350 3b5f94 6088bb a3b9d6", 0.6),
    },
    relief=(0.001, 0.004),
    modifiers=("cracked", "wet"),
    finishes=("matte", "glossy"),
    scales=("medium", "small", "fine"),
)
def granite(c: Canvas) -> Layers:
    """Crystals of three minerals: clouded feldspar, clear quartz, and black or bright flakes of mica."""
    n = c.count("crystals", 19, 25)
    at = c.warp("grow", 0.012, 16)
    large = c.cells("crystals", n, jitter=1.0, at=at, borders=False)
    small = c.cells("flakes", round(1.8 * n), jitter=1.0, at=at, borders=False)
    cloud, swarm = c.noise("cloud", 40, octaves=2), c.noise("swarm", 4)
    kind = c.pick(large.ids, "kind")
    feldspar = np.where(kind < 0.55, 0.3 + 0.5 * kind, 0.5 + 0.5 * kind)
    tone = np.where(kind < 0.2, 0.02 + kind, feldspar) + 0.3 * (cloud - 0.5) + 0.25 * (swarm - 0.5)
    mica = c.contrasting("mica", ("141416", "232226", "2b2320", "e6e4df"))
    there = c.pick(small.ids, "flake") + 0.5 * (swarm - 0.5) < c.number("flakes", 0.14, 0.26)
    flake = smoothstep(0.62, 0.5, small.f1) * there
    stone = mix(ramp(np.clip(tone, 0, 1), c.colours), mica * (0.8 + 0.4 * cloud)[..., None], 0.92 * flake)
    rough = c.number("polish", 0.1, 0.26) + 0.1 * kind * (1 - flake) + 0.12 * flake
    return Layers(stone, 0.5 + 0.2 * (kind - 0.5) - 0.3 * flake + 0.1 * cloud, rough)


@family(
    group="stone",
    nouns=("agate", "banded agate", "onyx", "banded stone", "agate slice", "polished agate"),
    palettes={
        "orange": Palette("orange", "6a2408 a8481a d97a34 eaa468", 2),
        "blue": Palette("blue", "101f4a 234a8c 3f74b8 86aedb", 2),
        "purple": Palette("purple", "2c1246 542a7c 7c4ca6 b08cd0", 1.5),
        "green": Palette("green", "0b3a24 1c6a40 3f9058 86bd8a", 1.5),
        "teal": Palette("teal", "0a3c44 187478 36a09a 82cac0"),
        "pink": Palette("pink", "9a3c58 cf7488 e39cac f2c8ce"),
        "black": Palette("black", "08080a 151518 222226 3a3a40"),
        "brown": Palette("brown", "2a160c 553018 7d5230 a87e56"),
    },
    relief=(0.0006, 0.002),
    colourable=True,
    modifiers=("cracked",),
    finishes=("glossy",),
    scales=("large", "medium", "small"),
)
def agate(c: Canvas) -> Layers:
    """Rings within rings around a few centres, dark and light by turns, some pale; crystals in the middle."""
    n = c.count("centres", 1.7, 2.6)
    u, v = c.warp("fold", c.number("fold", 0.05, 0.11) / n, 2 * n, octaves=5)
    far = rings(u, v, n, c.number("order", 0.6, 0.95), c.key("centres"))
    t = far * c.number("bands", 20, 27)
    t = t + 0.8 * np.sin(t * c.number("uneven", 0.4, 0.8) + c.number("phase", 0, 6.28))
    band, fine = np.floor(t).astype(np.int64), np.floor(4 * t).astype(np.int64)
    rise = smoothstep(0.0, 0.2, t - band)

    def blended(of: Callable[[Ints], Array]) -> Array:
        before = of(band - 1)
        return before + (of(band) - before) * rise

    turns = blended(lambda k: 1.0 * (k % 2))
    cloud, fibre = c.noise("cloud", 4), c.noise("fibre", 30, octaves=2)
    tone = 0.14 + 0.56 * turns + 0.5 * (blended(lambda k: c.pick(k, "tone")) - 0.5)
    tone = tone + 0.2 * (c.pick(fine, "fine") - 0.5) + 0.3 * (cloud - 0.5) + 0.08 * (fibre - 0.5)
    pale = blended(lambda k: 1.0 * ((k % 2 == 1) & (c.pick(k, "pale") < 0.5)))
    light = c.contrasting("light", ("f3ece2", "efe6ea", "e8eef2", "dfc4a0", "2a2226", "4a3a38"))
    base = ramp(np.clip(tone, 0, 1), c.colours) * (0.82 + 0.24 * turns)[..., None]
    base = mix(base, light * (0.88 + 0.1 * cloud + 0.1 * c.pick(fine, "fine"))[..., None], 0.92 * pale)
    druse = c.cells("druse", 12 * n, jitter=1.0, borders=False)
    glint = c.pick(druse.ids, "facet")
    hollow = smoothstep(0.18, 0.14, far + 0.06 * (glint - 0.5)) * c.chance("crystals", 0.6)
    quartz = mix(c.colours[0], mix(c.colours[-1], np.ones(3, np.float32), 0.45), glint)
    base = mix(base, quartz, 0.9 * hollow)
    height = 0.5 + 0.08 * turns - hollow * (0.5 - 0.4 * glint)
    rough = c.number("polish", 0.06, 0.16) + 0.05 * pale + 0.15 * hollow
    return Layers(base, height, rough, body=(1 - pale) * (1 - hollow))


CHIPS = (
    "2f3134 7d3b2a 5d6b63 c98d63 f0e6d6",
    "2c2e31 6d7073 a8a59d d6d2c8 f4f0e8",
    "3e4a52 a8584e 8a9a8c e2b7a4 f3e9dc",
    "1d4a55 b0503a 4f8f8a d8a24a f2ead9",
    "33241c 7a5638 a8845c d2b48c efe4cf",
)


@family(
    group="stone",
    nouns=("terrazzo", "terrazzo floor", "chip floor", "venetian terrazzo", "terrazzo tiles", "stone chips"),
    palettes={
        "white": Palette("white", "dedcd7 ecebe7 f7f6f3", 2),
        "cream": Palette("cream", "ddcfae ece0c4 f5edda"),
        "grey": Palette("grey", "6c6d6f 85868a a0a1a3", 1.5),
        "black": Palette("black", "131416 1f2023 2e2f33"),
        "green": Palette("green", "2c5a40 3f7352 5c8d6b", 0.7),
        "pink": Palette("pink", "cd8e8e dda8a8 ecc6c4", 0.7),
    },
    relief=(0.0006, 0.002),
    colourable=True,
    modifiers=("cracked", "dusty", "wet"),
    finishes=("glossy", "matte"),
)
def terrazzo(c: Canvas) -> Layers:
    """Angular chips of marble in three sizes, ground flat in a coloured binder."""
    n = c.count("chips", 4.6, 6.6)
    chips = c.choose("set", CHIPS)
    colours = np.stack([from_hex(code) for code in chips.split()])
    sand, cloud = c.noise("sand", 48, octaves=2), c.noise("cloud", 3)
    binder = ramp(np.clip(0.5 + 0.5 * (cloud - 0.5) + 0.6 * (sand - 0.5), 0, 1), c.colours)
    base, covered = binder, np.zeros((c.size, c.size), np.float32)
    share = c.number("share", 0.45, 0.75)
    vein = c.noise("vein", 12, octaves=4, gain=0.6)
    for k, p in enumerate((3 * n, round(1.8 * n), n)):
        cell = c.cells(f"chips{k}", p, jitter=1.0, at=c.warp(f"chipped{k}", 0.06 / p, 3 * p, 2))
        margin = 0.06 + 0.16 * c.pick(cell.ids, f"size{k}")
        chip = smoothstep(0.0, 0.05, cell.edge - margin) * (c.pick(cell.ids, f"there{k}") < share)
        stone = ramp(np.floor(5 * c.pick(cell.ids, f"stone{k}")) / 4, colours)
        stone = stone * (0.8 + 0.3 * vein + 0.14 * (c.pick(cell.ids, f"shade{k}") - 0.5))[..., None]
        # binder shows between a large chip and the small ones around it
        clear = smoothstep(-0.06, -0.01, cell.edge - margin) * (c.pick(cell.ids, f"there{k}") < share)
        base = mix(mix(base, binder, clear), stone, chip)
        covered = np.maximum(covered * (1 - clear), chip)
    rough = c.number("polish", 0.1, 0.28) + 0.06 * (1 - covered)
    return Layers(base, 0.5 + 0.3 * covered + 0.1 * (sand - 0.5), rough, body=1 - covered)
