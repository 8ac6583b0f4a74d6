"""Conditions laid over any material: mossy, wet, rusty, dusty, cracked. Masks and effects: materials.md 4.3."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.starter.materials.colour import from_hex, mix, ramp
from engine.starter.materials.metal import rust_layer
from engine.starter.materials.primitives import blurred, equalised, smoothstep
from engine.starter.materials.registry import Canvas, Layers

MOSS = np.stack([from_hex(code) for code in ("18290e", "30541a", "4f7c26", "85a840")])


def _cavities(layers: Layers) -> np.ndarray:
    """0..1, high where the surface lies lower than around it."""
    return equalised(blurred(layers.height, 0.02) - layers.height)


def _covering(field: np.ndarray, share: float, softness: float) -> np.ndarray:
    """A mask that covers this share of the picture, where the field is highest."""
    level = float(np.quantile(field, 1 - share))
    return smoothstep(level - softness, level + softness, field)


def mossy(c: Canvas, layers: Layers, strength: float) -> Layers:
    """Moss fills the joints first, then spreads over the faces in patches."""
    patches, fuzz = c.noise("moss.patch", 4, octaves=4), c.noise("moss.fuzz", 40, octaves=3, gain=0.7)
    field = 0.62 * _cavities(layers) + 0.9 * patches + 0.3 * (fuzz - 0.5)
    mask = _covering(field, 0.16 + 0.36 * strength, 0.05)
    tone = np.clip(0.42 + 1.1 * (fuzz - 0.5) + 0.45 * (patches - 0.5), 0, 1)
    moss = ramp(tone, MOSS) * (0.55 + 0.45 * smoothstep(0.3, 1.0, mask))[..., None]
    thick = 0.1 + 0.14 * fuzz
    return Layers(
        base=mix(layers.base, moss, mask),
        height=layers.height + mask * thick,
        roughness=layers.roughness + mask * (0.95 - layers.roughness),
        metallic=layers.metallic * (1 - mask),
        body=layers.body,
    )


def wet(c: Canvas, layers: Layers, strength: float) -> Layers:
    """Darker and smoother everywhere; water stands level in the lowest parts."""
    low = blurred(layers.height, 0.015) + 0.5 * (c.noise("wet.pool", 3, octaves=3) - 0.5)
    share = 0.08 + 0.3 * strength
    pool = 1 - _covering(low, 1 - share, 0.06)
    porous = layers.roughness * (1 - layers.metallic)
    darker = 1 - strength * (0.06 + 0.34 * porous)
    base = layers.base * darker[..., None]
    base = mix(base, base * np.array([0.62, 0.66, 0.7], np.float32), pool)
    level = float(np.quantile(layers.height, share * 0.8))
    height = layers.height + pool * (np.maximum(layers.height, level) - layers.height)
    rough = layers.roughness * (1 - 0.65 * strength)
    return Layers(base, height, rough + pool * (0.05 - rough), layers.metallic, layers.body)


def dusty(c: Canvas, layers: Layers, strength: float) -> Layers:
    """Pale dust, thick in the cavities and in drifts."""
    drift = c.noise("dust.drift", 4, octaves=5) + 0.35 * _cavities(layers)
    speck = c.noise("dust.speck", 48, octaves=3, gain=0.8)
    mask = smoothstep(0.25, 0.85, drift + 0.3 * (speck - 0.5)) * (0.22 + 0.38 * strength)
    dust = from_hex("b9ab92") * (0.9 + 0.2 * speck)[..., None]
    return Layers(
        base=mix(layers.base, dust, mask),
        height=layers.height + 0.04 * mask,
        roughness=layers.roughness + mask * (0.95 - layers.roughness),
        metallic=layers.metallic * (1 - mask),
        body=layers.body,
    )


def rusty(c: Canvas, layers: Layers, strength: float) -> Layers:
    """Blotches of rust on metal, with runs below them."""
    field = c.noise("rust.blotch", 4, octaves=6, gain=0.6) + 0.4 * (c.noise("rust.run", 12, 2, octaves=3) - 0.5)
    mask = _covering(field, 0.1 + 0.42 * strength, 0.03)
    return Layers(
        base=mix(layers.base, rust_layer(c, "rust.tone"), mask),
        height=layers.height + 0.5 * mask * c.noise("rust.crust", 24, octaves=3),
        roughness=layers.roughness + mask * (0.85 - layers.roughness),
        metallic=layers.metallic * (1 - mask),
        body=layers.body,
    )


def cracked(c: Canvas, layers: Layers, strength: float) -> Layers:
    """Dark cracks that branch and come and go; more of them where the strength is high."""
    at = c.warp("crack.bend", 0.045, 6, octaves=4)
    wide = c.cells("crack.wide", 3, jitter=1.0, at=at)
    gate = _covering(c.noise("crack.gate", 3, octaves=3), 0.35 + 0.6 * strength, 0.08)
    width = 0.02 + 0.03 * strength
    crack = smoothstep(width, 0.3 * width, wide.edge) * gate
    if strength > STRONG:
        fine = c.cells("crack.fine", 7, jitter=1.0, at=at)
        crack = np.maximum(crack, 0.85 * smoothstep(1.3 * width, 0.5 * width, fine.edge) * gate * gate)
    return Layers(
        base=layers.base * (1 - 0.78 * crack)[..., None],
        height=layers.height - 0.5 * crack * np.ptp(layers.height),
        roughness=layers.roughness + 0.1 * crack,
        metallic=layers.metallic,
        body=layers.body,
    )


STRONG = 0.5

Modifier = Callable[[Canvas, Layers, float], Layers]
MODIFIERS: dict[str, Modifier] = {"mossy": mossy, "wet": wet, "rusty": rusty, "dusty": dusty, "cracked": cracked}
