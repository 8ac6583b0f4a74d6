"""Bare and rusted metal."""

from __future__ import annotations

import numpy as np

from engine.starter.materials.colour import from_hex, mix, ramp
from engine.starter.materials.primitives import Array, smoothstep
from engine.starter.materials.registry import Canvas, Layers, Palette, family

RUST = np.stack([from_hex(code) for code in ("35170b", "742f11", "a9521c", "cc7a38")])


def rust_layer(c: Canvas, name: str) -> Array:
    """The colour (H, W, 3) of thick rust."""
    tone = c.noise(name, 14, octaves=5, gain=0.65)
    return ramp(np.clip(0.5 + 1.15 * (tone - 0.5), 0, 1), RUST)


@family(
    group="metal",
    nouns=("rusted metal", "rusty metal", "rust", "corroded metal", "rusty iron", "oxidised metal"),
    palettes={
        "brown": Palette("brown", "74767a 94979a b3b5b8"),
        "dark steel": Palette("brown", "4a4c50 66696d 85888c", 0.6),
    },
    relief=(0.004, 0.01),
    modifiers=("wet",),
)
def rusted_metal(c: Canvas) -> Layers:
    """Steel eaten away by rust in blotches with a dark rim."""
    p = c.count("blotches", 2.6, 4.4)
    field = c.noise("blotch", p, octaves=6, gain=0.62, at=c.warp("melt", 0.03, 4))
    level = float(np.quantile(field, c.number("bare", 0.08, 0.4)))
    rusted = smoothstep(level - 0.02, level + 0.05, field)
    rim = smoothstep(0.09, 0.0, np.abs(field - level))
    tone, scratch = c.noise("tone", 14, octaves=5, gain=0.65), c.noise("brush", 4, 64, octaves=2)
    steel = ramp(0.5 + 0.8 * (scratch - 0.5), c.colours)
    rust = ramp(np.clip(0.5 + 1.15 * (tone - 0.5), 0, 1), RUST)
    base = mix(steel, rust, rusted) * (1 - 0.3 * rim * rusted)[..., None]
    height = 0.5 + 0.35 * rusted * (tone - 0.15) - 0.1 * (1 - rusted)
    rough = 0.32 + 0.12 * scratch + rusted * 0.5
    return Layers(base, height, rough, 1 - rusted, body=rusted)


@family(
    group="metal",
    nouns=("brushed metal", "metal", "brushed metal sheet", "satin metal", "metal surface"),
    palettes={
        "steel": Palette("grey", "8b8e92 adb0b3 cccfd1", 3),
        "dark": Palette("black", "111213 1c1d1f 2c2e30"),
        "gold": Palette("yellow", "b08528 d4a83c eccb72"),
        "copper": Palette("orange", "a05a32 c97a4c e0a07a"),
    },
    relief=(0.0008, 0.002),
    modifiers=("rusty", "dusty"),
    scales=("medium",),
)
def brushed_metal(c: Canvas) -> Layers:
    """Fine parallel lines of many lengths, and a soft sheen across."""
    upright = c.chance("upright", 0.35)

    def streaks(name: str, along: int, across: int) -> Array:
        period = (across, along) if upright else (along, across)
        return c.noise(name, *period, octaves=2, gain=0.8)

    lines = 0.5 * streaks("fine", 2, 64) + 0.3 * streaks("middle", 1, 32) + 0.2 * streaks("short", 8, 64)
    sheen = streaks("sheen", 1, 3)
    t = np.clip(0.5 + 1.5 * (lines - 0.5) + 0.5 * (sheen - 0.5), 0, 1)
    return Layers(ramp(t, c.colours), lines, 0.24 + 0.25 * lines, 1.0)
