"""Things made of metal, and of carbon: corrugated and tread plate, grilles, mail, hulls, twill."""

from __future__ import annotations

import numpy as np

from engine.starter.materials.colour import from_hex, mix, ramp
from engine.starter.materials.metal import rust_layer
from engine.starter.materials.metal_primitives import is_paint, panels, scratches
from engine.starter.materials.primitives import inside, smoothstep
from engine.starter.materials.registry import Canvas, Layers, Palette, family


@family(
    group="metal",
    nouns=(
        "corrugated metal",
        "corrugated iron",
        "corrugated sheet",
        "tin roof",
        "shipping container",
        "corrugated steel",
    ),
    palettes={
        "zinc": Palette("grey", "6b7176 9aa1a6 c4cacd", 3),
        "red": Palette("red", "6b1d16 96291f b5473a"),
        "blue": Palette("blue", "1c3a63 2c5a94 5584b8"),
        "green": Palette("green", "1f4028 336640 5c8d64"),
        "rust": Palette("brown", "4a2412 7a3e1e a5673a"),
    },
    relief=(0.035, 0.065),
    colourable=True,
    modifiers=("wet", "dusty", "faded", "dirty", "snowy"),
)
def corrugated(c: Canvas) -> Layers:
    """Waves or ribs, screwed down below a lap; rust starts at the lap and the screws and runs down."""
    waves = 2 * c.count("waves", 2.8, 4.4)
    u, v = c.warp("dent", 0.004, 3)
    turn = u * waves + c.number("start")
    wave = 0.5 + 0.5 * np.cos(2 * np.pi * turn)
    profile = smoothstep(0.18, 0.82, wave) if c.chance("ribs", 0.45) else wave
    below = (v + c.number("lap")) % 1  # distance below the lap: the sheet above ends on the one below
    lip, shade = smoothstep(0.94, 1.0, below), smoothstep(0.05, 0.0, below)
    ridge = np.floor(turn + 0.5).astype(np.int64) % waves
    screw = np.hypot((turn + 0.5) % 1 - 0.5, (below - 0.955) * waves) + 9 * (ridge % 2)
    head, washer = smoothstep(0.24, 0.17, screw), smoothstep(0.4, 0.3, screw)
    run, blotch = c.noise("run", 18, 2, octaves=4), c.noise("blotch", 4, octaves=6, gain=0.6)
    field = blotch + 0.5 * (run - 0.5) + 0.22 * np.exp(-below / 0.16) + 0.2 * washer - 0.08 * profile
    level = float(np.quantile(field, 1 - c.number("rust", 0.15, 0.55) ** 2))
    rusted = smoothstep(level - 0.02, level + 0.04, field)
    stain = smoothstep(level - 0.2, level, field) * (1 - rusted)
    chalk = 0.55 * (c.noise("chalk", 12, 2, octaves=4) - 0.5) + 0.5 * (c.noise("cloud", 4) - 0.5)
    sheet = ramp(np.clip(0.42 + chalk + 0.3 * (profile - 0.5), 0, 1), c.colours)
    sheet = mix(sheet, from_hex("8a5a38"), 0.35 * stain)
    sheet = mix(sheet, from_hex("a3a6a8"), head)
    base = mix(sheet, rust_layer(c, "rust.tone"), rusted * (1 - head))
    base = base * ((0.5 + 0.5 * profile) * (1 - 0.45 * shade) * (1 - 0.3 * washer * (1 - head)))[..., None]
    height = 0.86 * profile + 0.12 * lip + 0.14 * head + 0.02 * blotch * rusted
    metal = np.maximum((0.0 if is_paint(c) else 1.0) * (1 - rusted), head)
    return Layers(base, height, 0.34 + 0.2 * blotch + 0.35 * rusted, metal, body=(1 - rusted) * (1 - washer))


@family(
    group="metal",
    nouns=(
        "diamond plate",
        "tread plate",
        "checker plate",
        "chequer plate",
        "metal tread",
        "anti-slip plate",
    ),
    palettes={
        "aluminium": Palette("grey", "5d6165 94989c d5d8da", 3),
        "steel": Palette("grey", "45484b 6f7377 abafb2", 1.5),
        "black": Palette("black", "101113 242629 75787c"),
        "brass": Palette("yellow", "a07a26 cfa747 efd98e", 0.5),
    },
    relief=(0.012, 0.028),
    modifiers=("rusty", "dusty", "wet", "scratched", "dirty"),
)
def diamond_plate(c: Canvas) -> Layers:
    """Raised lugs that alternate in direction: single lenses, pairs, or five bars."""
    n = 2 * c.count("lugs", 2.2, 3.4)
    bars = int(c.choose("bars", ("1", "1", "2", "5")))
    x, y = c.u * n + c.number("left", 0.2, 0.8), c.v * n + c.number("top", 0.2, 0.8)
    i, j = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    fx, fy = x - i - 0.5, y - j - 0.5
    turned = (i + j) % 2 == 0
    slanted = bars < 5
    p, q = ((fx + fy) / 2**0.5, (fy - fx) / 2**0.5) if slanted else (fx, fy)
    along, across = np.where(turned, p, q), np.where(turned, q, p)
    reach, half, pitch = {1: (0.54, 0.17, 0.0), 2: (0.46, 0.095, 0.25), 5: (0.42, 0.062, 0.175)}[bars]
    rank = np.clip(np.round(across / max(pitch, 1e-3) - 0.5 * (bars == 2)), -(bars // 2), (bars - 1) // 2)
    off = np.abs(across - pitch * (rank + 0.5 * (bars == 2)))
    lens = 1 - off / half - (np.abs(along) / reach) ** 2.4
    lug, foot = smoothstep(0.0, 0.55, lens), smoothstep(-1.6, 0.0, lens)
    grime, smudge = c.noise("grime", 9, octaves=5, gain=0.6), c.noise("smudge", 3, octaves=5, gain=0.6)
    scuff = scratches(c, "scuff", c.count("scuffs", 40, 80), 0.4, 0.003, bend=0.02)
    worn = smoothstep(0.35, 0.9, lens) * (0.55 + 0.9 * (smudge - 0.3))
    tone = 0.36 + 0.6 * (smudge - 0.5) + 0.3 * (grime - 0.5) + 0.75 * worn + 0.35 * scuff * (0.5 + 0.5 * lug)
    dirt = (foot**2 * (1 - lug) * 0.6 + smoothstep(0.5, 0.8, grime) * 0.3 * (1 - lug)) * c.number(
        "dirt", 0.35, 0.9
    )
    plate = ramp(np.clip(tone, 0, 1), c.colours) * (1 - 0.8 * dirt)[..., None]
    rough = 0.3 + 0.2 * grime - 0.12 * worn + 0.3 * dirt
    return Layers(plate, lug * (0.9 + 0.1 * np.clip(lens, 0, 1)) + 0.04 * grime, rough, 1.0)


@family(
    group="metal",
    nouns=(
        "perforated metal",
        "perforated sheet",
        "metal grille",
        "speaker mesh",
        "punched metal",
        "metal mesh",
    ),
    palettes={
        "steel": Palette("grey", "6a6e72 9a9ea2 ced1d4", 3),
        "black": Palette("black", "1b1c1f 2e3034 686b70", 1.5),
        "white": Palette("white", "cfd0d0 e9eaea fbfbfb", 0.7),
        "gold": Palette("yellow", "86641f c19a40 ecd28a", 0.8),
        "copper": Palette("orange", "7c3f22 b5683f e2a17a", 0.6),
    },
    relief=(0.02, 0.04),
    modifiers=("rusty", "dusty", "wet", "scratched", "dirty"),
    finishes=("matte",),
)
def perforated_metal(c: Canvas) -> Layers:
    """Punched holes in rows: round, square, six-sided or long ones, each with a rolled rim."""
    shape = c.choose("shape", ("round", "round", "staggered", "square", "hexagon", "slot"))
    n = 2 * c.count("holes", 2.6, 4.2)
    rows = n if shape in {"round", "square"} else 2 * max(1, round(n / 3**0.5))
    y = c.v * rows + c.number("top", 0.2, 0.8)
    j = np.floor(y).astype(np.int64)
    x = c.u * n + c.number("left", 0.2, 0.8) + (0.0 if rows == n else 0.5) * (j % 2)
    i = np.floor(x).astype(np.int64)
    dx, dy = np.abs(x - i - 0.5), np.abs(y - j - 0.5) * (n / rows)  # in pitches
    if shape == "square":
        distance = np.maximum(dx, dy) + 0.25 * np.minimum(dx, dy) ** 2 / 0.3
    elif shape == "hexagon":
        distance = np.maximum(dx, 0.5 * dx + 0.866 * dy)
    elif shape == "slot":
        distance = np.hypot(np.maximum(dx - 0.17, 0), dy) + 0.1
    else:
        distance = np.hypot(dx, dy)
    edge = distance - c.number("width", 0.27, 0.36)
    sheet, rim = smoothstep(-0.02, 0.025, edge), smoothstep(0.11, 0.02, edge)
    smudge, brush = c.noise("smudge", 3, octaves=6, gain=0.6), c.noise("brush", 2, 48, octaves=2)
    scuff = scratches(c, "scuff", c.count("scuffs", 20, 45), 0.4, 0.003, bend=0.02)
    tone = 0.36 + 0.6 * (smudge - 0.5) + 0.2 * (brush - 0.5) + 0.4 * rim + 0.4 * scuff
    metal = ramp(np.clip(tone, 0, 1), c.colours)
    wall = smoothstep(-0.13, 0.0, edge)  # one still sees a little of what lies behind
    hole = (0.28 * wall + 0.06)[..., None] * c.colours[0] + 0.008
    height = sheet * (0.8 + 0.2 * smoothstep(0.0, 0.1, edge)) + 0.02 * smudge
    rough = 0.85 + sheet * (0.26 + 0.2 * smudge - 0.85)
    return Layers(mix(hole, metal, sheet), height, rough, sheet, body=sheet)


@family(
    group="metal",
    nouns=("chainmail", "chain mail", "chain armor", "metal rings", "mail armour", "ring mail"),
    palettes={
        "steel": Palette("grey", "3c3f42 7d8185 c3c7ca", 3),
        "dark iron": Palette("grey", "26282a 505356 8f9396"),
        "gold": Palette("yellow", "6b4a12 b8892e f0d27e"),
        "bronze": Palette("brown", "3f2612 7d5230 b98a5a", 0.7),
    },
    relief=(0.03, 0.05),
    modifiers=("rusty", "dusty"),
)
def chainmail(c: Canvas) -> Layers:
    """Four in one: rows of rings lean left and right by turns, so that each goes through four others."""
    n = c.count("rings", 4.0, 6.0)
    rows = 2 * round(0.5 * n / c.number("pitch", 0.54, 0.6))
    wire = c.number("wire", 0.085, 0.105)
    u, v = c.warp("sag", 0.006, 3)
    x, y = u * n + 0.35, v * rows + 0.3
    i0, j0 = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    fx, fy, pitch = x - i0, y - j0, n / rows
    top, bulge, turn = np.full(x.shape, -9.0), np.zeros(x.shape), np.zeros(x.shape)
    ids, cover = np.full(x.shape, -1, np.int64), np.zeros(x.shape)
    for dj in (-1, 0, 1, 2):
        lean = 2 * ((j0 + dj) % 2) - 1
        for di in (-1, 0, 1, 2):
            qx = fx - di - 0.25 * lean
            qy = (fy - dj) * pitch
            off = np.hypot(qx, qy) - 0.45
            round_ = np.sqrt(np.clip(1 - (off / wire) ** 2, 0, 1))
            level = np.where(np.abs(off) < 0.96 * wire, lean * qx * 0.32 + wire * round_, -9)
            cover = np.maximum(cover, smoothstep(0.0, 0.35, round_))
            over = level > top
            top, bulge = np.where(over, level, top), np.where(over, round_, bulge)
            turn = np.where(over, lean * qx, turn)
            ids = np.where(over, (i0 + di) % n + n * ((j0 + dj) % rows), ids)
    grime, fine = c.noise("grime", 4, octaves=5, gain=0.6), c.noise("fine", 40, octaves=2)
    lit = bulge * (0.68 + 0.32 * smoothstep(-0.7, 0.4, turn))
    tone = 0.95 * lit - 0.12 + 0.25 * (c.pick(ids, "tone") - 0.5) + 0.45 * (grime - 0.5) + 0.15 * (fine - 0.5)
    ring = ramp(np.clip(tone, 0, 1), c.colours) * (0.35 + 0.65 * smoothstep(0.1, 0.75, bulge))[..., None]
    back = 0.16 * c.colours[0]
    height = np.where(ids >= 0, 0.55 + 0.7 * top, 0.0) * cover
    rough = 0.9 + cover * (0.28 + 0.2 * grime - 0.9)
    return Layers(mix(back, ring, cover), height, rough, cover, body=cover * smoothstep(0.2, 0.7, bulge))


@family(
    group="metal",
    nouns=(
        "sci-fi panels",
        "spaceship hull",
        "metal plating",
        "tech panels",
        "hull plating",
        "futuristic wall panels",
    ),
    palettes={
        "grey": Palette("grey", "4a5056 737b82 a0a8ae", 2),
        "white": Palette("white", "c4c7ca e2e4e6 f6f7f8", 1.5),
        "black": Palette("black", "0e0f12 1c1e22 3a3d43"),
        "blue grey": Palette("grey", "43525f 6a7c8b 97a8b5"),
    },
    relief=(0.012, 0.03),
    colourable=True,
    modifiers=("rusty", "dusty", "wet", "scratched", "dirty"),
    finishes=("glossy", "matte"),
)
def scifi_panels(c: Canvas) -> Layers:
    """Plates split again and again; some are inset, louvred, bolted or painted with an accent."""
    blocks = panels(c, "split", max(2, c.count("grid", 1.8, 2.6)), 4)
    gap = c.number("gap", 0.008, 0.012)
    depth = inside(blocks, gap, 0.008)
    small = np.minimum(blocks.width, blocks.height)
    kind, tone = c.pick(blocks.ids, "kind"), c.pick(blocks.ids, "tone")
    plate = smoothstep(-0.002, 0.006, depth)
    inset = (kind < 0.28) & (small > 0.09)
    frame = smoothstep(0.019, 0.025, depth) * inset
    groove = frame - smoothstep(0.025, 0.033, depth) * inset
    louvred = (kind > 0.28) & (kind < 0.46) & (small > 0.09)
    wide = blocks.width > blocks.height
    step = np.where(wide, blocks.x * blocks.width, blocks.y * blocks.height) / 0.03
    slat = (
        smoothstep(0.18, 0.32, np.abs(step - np.floor(step) - 0.5))
        * louvred
        * smoothstep(0.016, 0.024, depth)
    )
    bx = np.abs(blocks.x) * blocks.width - (blocks.width / 2 - gap / 2 - 0.021)
    by = np.abs(blocks.y) * blocks.height - (blocks.height / 2 - gap / 2 - 0.021)
    bolt = smoothstep(0.0095, 0.006, np.hypot(bx, by)) * (kind > 0.46) * (kind < 0.8) * (small > 0.07)
    accent = ((tone > 0.9) & ~louvred).astype(np.float32) * plate
    grime, streak = c.noise("grime", 5, octaves=6, gain=0.6), c.noise("streak", 20, 3, octaves=3)
    scuff = scratches(c, "scuff", c.count("scuffs", 20, 40), 0.25, 0.003, bend=0.02)
    rub = smoothstep(0.012, 0.003, depth - 0.02 * (c.noise("rub", 14, octaves=4) - 0.55)) * plate
    shade = np.clip(0.12 + 0.72 * tone + 0.4 * (grime - 0.5) + 0.25 * (streak - 0.5), 0, 1)
    hull = ramp(shade, c.colours)
    stripe = c.contrasting("accent", ("b4551e", "a3221c", "c9a227", "1f6f8a", "d8dadb", "26282b"))
    hull = mix(hull, stripe * (0.8 + 0.4 * grime)[..., None], accent * smoothstep(0.3, 0.4, grime))
    hull = mix(hull, from_hex("a9adb0"), np.clip(0.45 * rub + 0.35 * scuff, 0, 1))
    dark = np.clip(0.75 * groove + 0.8 * slat + 0.35 * smoothstep(0.55, 0.8, grime), 0, 0.9)
    hull = hull * ((1 - dark) * (1 + 0.25 * bolt))[..., None]
    base = mix(0.1 * c.colours[0] + 0.01, hull, plate)
    height = plate * (0.62 + 0.3 * c.pick(blocks.ids, "lift")) - 0.12 * frame - 0.16 * groove - 0.3 * slat
    metal = np.maximum(0.0 if is_paint(c) else 1.0, np.maximum(rub, 1 - plate)) * (
        1 - 0.9 * accent * (1 - rub)
    )
    body = plate * (1 - accent) * (1 - np.clip(dark + rub, 0, 1))
    return Layers(base, height + 0.12 * bolt, 0.34 + 0.25 * grime + 0.2 * dark, metal, body=body)


@family(
    group="composite",
    nouns=(
        "carbon fiber",
        "carbon fibre",
        "carbon weave",
        "carbon twill",
        "carbon composite",
        "carbon sheet",
    ),
    palettes={
        "black": Palette("black", "121315 2a2c30 7c8187", 4),
        "grey": Palette("grey", "45484c 73777c b9bdc2"),
        "red": Palette("red", "5c0c10 a3181e d64a48"),
        "blue": Palette("blue", "12306b 1f4fa8 5c8ad6"),
    },
    relief=(0.002, 0.005),
    colourable=True,
    modifiers=("dusty", "wet"),
    finishes=("glossy", "matte"),
)
def carbon_fiber(c: Canvas) -> Layers:
    """Two-by-two twill: flat tows float over two and under two; warp and weft mirror different light."""
    n = 4 * c.count("repeats", 2.0, 3.2)
    x, y = c.u * n + 0.3, c.v * n + 0.3
    i, j = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    warp = (i - j) % 4 < 2  # the upright tow lies on top
    along = np.where(warp, (y - i + 1) % 4 - 1, (x - j) % 4 - 3)  # -1..1 over each float
    across = np.where(warp, x - i, y - j) - 0.5
    tow = np.where(warp, i % n, j % n + 4096)
    arch = np.sqrt(np.clip(1 - 0.92 * along * along, 0, 1))
    side = smoothstep(0.5, 0.4, np.abs(across))
    upright, level = (
        c.noise(f"strand.{k}", *p, octaves=2, gain=0.7) for k, p in (("y", (64, 4)), ("x", (4, 64)))
    )
    strand, sway = np.where(warp, upright, level), c.noise("sway", 3, octaves=3)
    glint = smoothstep(0.95, 0.0, np.abs(along - 0.5 * (sway - 0.5)))
    tone = 0.04 + 0.78 * glint + 0.55 * (strand - 0.5) + 0.22 * (c.pick(tow, "tone") - 0.5)
    tone = tone + 0.3 * (sway - 0.5)
    fibre = ramp(np.clip(tone, 0, 1), c.colours) * (0.5 + 0.5 * glint)[..., None]
    cross = ramp(
        np.clip(0.8 * tone, 0, 1), 0.35 * np.stack([from_hex(k) for k in ("0c0d0e", "2b2d30", "7d8186")])
    )
    resin = (0.3 + 0.7 * side * (0.35 + 0.65 * arch))[..., None]
    base = np.where(warp[..., None], fibre, cross) * resin
    height = arch * (0.5 + 0.5 * side) + 0.06 * strand
    return Layers(base, height, 0.12 + 0.12 * (1 - side) + 0.06 * strand, body=warp * side * arch)
