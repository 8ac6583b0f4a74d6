"""Conditions laid over any material: mossy, wet, rusty, dusty, cracked. After materials.md 4.3."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.starter.materials.colour import from_hex, mix, ramp
from engine.starter.materials.conditions import CONDITIONS
from engine.starter.materials.metal import rust_layer
from engine.starter.materials.primitives import Array, blurred, cavities, covering, smoothstep
from engine.starter.materials.registry import Canvas, Maps, Modifier

MOSS = np.stack([from_hex(code) for code in ("18290e", "30541a", "4f7c26", "85a840")])

STRONG = 0.5  # from this strength on, fine cracks branch off the wide ones


def mossy(c: Canvas, maps: Maps, strength: float) -> Maps:
    """Moss fills the joints first, then spreads over the faces in patches."""
    patches, fuzz = c.noise("moss.patch", 4, octaves=4), c.noise("moss.fuzz", 40, octaves=3, gain=0.7)
    field = 0.62 * cavities(maps.height) + 0.9 * patches + 0.3 * (fuzz - 0.5)
    mask = covering(field, 0.16 + 0.36 * strength, 0.05)
    tone = np.clip(0.42 + 1.1 * (fuzz - 0.5) + 0.45 * (patches - 0.5), 0, 1)
    moss = ramp(tone, MOSS) * (0.55 + 0.45 * smoothstep(0.3, 1.0, mask))[..., None]
    thick = 0.1 + 0.14 * fuzz
    return replace(
        maps,
        base=mix(maps.base, moss, mask),
        height=maps.height + mask * thick,
        roughness=maps.roughness + mask * (0.95 - maps.roughness),
        metallic=maps.metallic * (1 - mask),
    )


def wet(c: Canvas, maps: Maps, strength: float) -> Maps:
    """Darker and smoother everywhere; water stands level in the lowest parts."""
    low = blurred(maps.height, 0.015) + 0.5 * (c.noise("wet.pool", 3, octaves=3) - 0.5)
    share = 0.08 + 0.3 * strength
    pool = 1 - covering(low, 1 - share, 0.06)
    porous = maps.roughness * (1 - maps.metallic)
    darker = 1 - strength * (0.06 + 0.34 * porous)
    base: Array = maps.base * darker[..., None]
    base = mix(base, base * np.array([0.62, 0.66, 0.7], np.float32), pool)
    level = float(np.quantile(maps.height, share * 0.8))
    height = maps.height + pool * (np.maximum(maps.height, level) - maps.height)
    rough = maps.roughness * (1 - 0.65 * strength)
    return replace(maps, base=base, height=height, roughness=rough + pool * (0.05 - rough))


def dusty(c: Canvas, maps: Maps, strength: float) -> Maps:
    """Pale dust, thick in the cavities and in drifts."""
    drift = c.noise("dust.drift", 4, octaves=5) + 0.35 * cavities(maps.height)
    speck = c.noise("dust.speck", 48, octaves=3, gain=0.8)
    mask = smoothstep(0.25, 0.85, drift + 0.3 * (speck - 0.5)) * (0.22 + 0.38 * strength)
    dust = from_hex("b9ab92") * (0.9 + 0.2 * speck)[..., None]
    return replace(
        maps,
        base=mix(maps.base, dust, mask),
        height=maps.height + 0.04 * mask,
        roughness=maps.roughness + mask * (0.95 - maps.roughness),
        metallic=maps.metallic * (1 - mask),
    )


def rusty(c: Canvas, maps: Maps, strength: float) -> Maps:
    """Blotches of rust on metal, with runs below them."""
    field = c.noise("rust.blotch", 4, octaves=6, gain=0.6) + 0.4 * (
        c.noise("rust.run", 12, 2, octaves=3) - 0.5
    )
    mask = covering(field, 0.1 + 0.42 * strength, 0.03)
    return replace(
        maps,
        base=mix(maps.base, rust_layer(c, "rust.tone"), mask),
        height=maps.height + 0.5 * mask * c.noise("rust.crust", 24, octaves=3),
        roughness=maps.roughness + mask * (0.85 - maps.roughness),
        metallic=maps.metallic * (1 - mask),
    )


def cracked(c: Canvas, maps: Maps, strength: float) -> Maps:
    """Dark cracks that branch and come and go; more of them where the strength is high."""
    at = c.warp("crack.bend", 0.045, 6, octaves=4)
    wide = c.cells("crack.wide", 3, jitter=1.0, at=at)
    gate = covering(c.noise("crack.gate", 3, octaves=3), 0.35 + 0.6 * strength, 0.08)
    width = 0.02 + 0.03 * strength
    crack = smoothstep(width, 0.3 * width, wide.edge) * gate
    if strength > STRONG:
        fine = c.cells("crack.fine", 7, jitter=1.0, at=at)
        crack = np.maximum(crack, 0.85 * smoothstep(1.3 * width, 0.5 * width, fine.edge) * gate * gate)
    return replace(
        maps,
        base=maps.base * (1 - 0.78 * crack)[..., None],
        height=maps.height - 0.5 * crack * np.ptp(maps.height),
        roughness=maps.roughness + 0.1 * crack,
    )


MODIFIERS: dict[str, Modifier] = {
    "mossy": mossy,
    "wet": wet,
    "rusty": rusty,
    "dusty": dusty,
    "cracked": cracked,
    **CONDITIONS,
}
