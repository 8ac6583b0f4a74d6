"""More conditions laid over any material: worn, scratched, snowy, burnt, faded, dirty, stained.

The form is that of `modifiers.py`. After research/materials.md 4.3.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.starter.materials.colour import from_hex, mix, ramp
from engine.starter.materials.metal_primitives import scratches
from engine.starter.materials.primitives import Array, blurred, cavities, covering, smoothstep
from engine.starter.materials.registry import Canvas, Maps, Modifier

GRIME = np.stack([from_hex(code) for code in ("17110c", "2c2218", "4b3d2c")])
CHAR = np.stack([from_hex(code) for code in ("0b0a0a", "1a1817", "383432")])
SNOW = np.stack([from_hex(code) for code in ("cddbe8", "e9f0f6", "fafcfd")])

PALE_ON_DARK = 0.12  # luminance below which stains are paler than what they lie on
ASHES = 0.5  # from this strength on, fire leaves white ash


def _luminance(base: Array) -> Array:
    return (base @ np.array([0.2126, 0.7152, 0.0722], np.float32))[..., None]


def worn(c: Canvas, maps: Maps, strength: float) -> Maps:
    """Edges and high parts are rubbed pale and rounded; nothing is left of them in places."""
    high = 1 - cavities(maps.height, 0.012)
    broken = c.noise("worn.broken", 10, octaves=5, gain=0.65)
    field = 0.8 * high + 0.7 * c.noise("worn.patch", 3, octaves=4) + 0.8 * (broken - 0.5)
    mask = covering(field, 0.06 + 0.36 * strength, 0.06)
    pale = 0.55 * maps.base + 0.2 * _luminance(maps.base) + 0.27
    bare = mix(maps.base, pale * (0.85 + 0.3 * broken)[..., None], 0.55 + 0.4 * strength)
    smooth = maps.height + strength * 0.6 * (blurred(maps.height, 0.006) - maps.height)
    target = maps.roughness + np.where(maps.metallic > 0.5, -0.12, 0.12)
    return replace(
        maps,
        base=mix(maps.base, bare, mask),
        height=smooth - 0.06 * strength * mask * (0.5 + broken),
        roughness=maps.roughness + mask * (target - maps.roughness),
    )


def scratched(c: Canvas, maps: Maps, strength: float) -> Maps:
    """Scratches in all directions, pale on what is dark and dark on what is pale."""
    fine = scratches(c, "scratched.fine", round(20 + 80 * strength), 0.6, 0.0042, bend=0.03)
    deep = scratches(c, "scratched.deep", round(2 + 12 * strength), 0.8, 0.008, bend=0.03)
    line = np.clip(0.85 * fine + deep, 0, 1)
    core = smoothstep(0.45, 0.85, deep)
    light = _luminance(maps.base)
    torn = np.where(light < 0.6, 0.6 * maps.base + 0.34, 0.55 * maps.base)
    base = mix(maps.base, torn, line * (0.65 + 0.35 * strength))
    return replace(
        maps,
        base=base * (1 - 0.6 * core * strength)[..., None],
        height=maps.height - (0.06 * fine + 0.2 * core) * (0.5 + 0.5 * strength),
        roughness=maps.roughness + 0.25 * line * (0.6 - maps.roughness),
    )


def snowy(c: Canvas, maps: Maps, strength: float) -> Maps:
    """Snow lies in the hollows first, then in drifts over everything; a slight fall is a dusting."""
    drift, flake = c.noise("snow.drift", 3, octaves=5), c.noise("snow.flake", 40, octaves=3, gain=0.8)
    low = cavities(maps.height, 0.025)
    field = 0.42 * low + 1.3 * drift + 0.3 * (flake - 0.5)
    mask = covering(field, 0.07 + 0.6 * strength, 0.07)
    deep = blurred(mask, 0.012) * mask
    snow = ramp(np.clip(0.3 + 0.55 * deep + 0.4 * (drift - 0.5) + 0.25 * (flake - 0.5), 0, 1), SNOW)
    thick = (0.12 + 0.25 * strength) * deep * (0.8 + 0.3 * drift)
    level = blurred(maps.height, 0.02)
    return replace(
        maps,
        base=mix(maps.base, snow, mask),
        height=maps.height + mask * 0.7 * (level - maps.height) + thick + 0.02 * flake * mask,
        roughness=maps.roughness + mask * (0.55 + 0.2 * flake - maps.roughness),
        metallic=maps.metallic * (1 - mask),
    )


def burnt(c: Canvas, maps: Maps, strength: float) -> Maps:
    """Scorched brown around, charred black within, with a crackle and, where it was hottest, ash."""
    fire = c.noise("burnt.fire", 3, octaves=6, gain=0.6) + 0.12 * (1 - cavities(maps.height))
    scorch, char = (covering(fire, share, 0.09) for share in (0.12 + 0.72 * strength, 0.03 + 0.52 * strength))
    cells = c.cells("burnt.crackle", 9, jitter=1.0, at=c.warp("burnt.bend", 0.02, 6))
    crackle = smoothstep(0.09, 0.02, cells.edge) * char
    tone = c.noise("burnt.tone", 12, octaves=5, gain=0.65)
    singed = maps.base * np.array([0.56, 0.42, 0.3], np.float32)
    black = mix(ramp(np.clip(0.5 + 1.2 * (tone - 0.5), 0, 1), CHAR), maps.base * 0.2, 0.35)
    black = black * (1 - 0.7 * crackle)[..., None]
    base = mix(mix(maps.base, singed, 0.85 * scorch), black, char)
    if strength > ASHES:
        ash = covering(fire, 0.16 * strength, 0.05) * smoothstep(0.45, 0.62, tone)
        base = mix(base, from_hex("a39d96"), 0.7 * ash)
    return replace(
        maps,
        base=base,
        height=maps.height - 0.16 * crackle - 0.06 * char * tone,
        roughness=maps.roughness + np.maximum(0.5 * scorch, char) * (0.94 - maps.roughness),
        metallic=maps.metallic * (1 - char),
    )


def faded(c: Canvas, maps: Maps, strength: float) -> Maps:
    """Bleached by the sun: less colour, less contrast, lighter, a little less so where there was shade."""
    sun = smoothstep(0.2, 0.75, c.noise("faded.sun", 2, octaves=4) + 0.25 * (0.5 - cavities(maps.height)))
    amount = strength * (0.5 + 0.5 * sun)
    grey = _luminance(maps.base)
    base = mix(maps.base, 0.4 * maps.base + 0.6 * grey, amount)
    base = mix(base, 0.5 * base + from_hex("d6d0c2") * 0.5, 0.9 * amount)
    return replace(maps, base=base, roughness=maps.roughness + 0.4 * amount * (0.9 - maps.roughness))


def dirty(c: Canvas, maps: Maps, strength: float) -> Maps:
    """Grime in the cavities, streaks that ran down, smears."""
    streak, smear = c.noise("dirty.streak", 18, 2, octaves=4), c.noise("dirty.smear", 4, octaves=6, gain=0.6)
    speck = c.noise("dirty.speck", 40, octaves=3, gain=0.8)
    field = 0.36 * cavities(maps.height) + 0.7 * (streak - 0.5) + 0.9 * smear + 0.25 * (speck - 0.5)
    level = float(np.quantile(field, 0.75 - 0.45 * strength))
    mask = smoothstep(level - 0.18, level + 0.22, field) * (0.5 + 0.42 * strength)
    grime = ramp(np.clip(0.4 + 1.3 * (speck - 0.5) + 0.6 * (smear - 0.5), 0, 1), GRIME)
    grime = 0.75 * grime + 0.25 * maps.base * grime.mean(-1, keepdims=True) * 3
    return replace(
        maps,
        base=mix(maps.base, grime, mask),
        height=maps.height + 0.03 * mask * speck,
        roughness=maps.roughness + mask * (0.9 - maps.roughness),
        metallic=maps.metallic * (1 - 0.8 * mask),
    )


def stained(c: Canvas, maps: Maps, strength: float) -> Maps:
    """Dried spills: blots of many sizes, thin within, darkest where their edge dried."""
    drop: Array = np.zeros(maps.height.shape, np.float32)
    tide: Array = np.zeros(maps.height.shape, np.float32)
    at = c.warp("stained.creep", 0.03, 5, octaves=4)
    for name, count in (("large", 3), ("small", 5)):
        spots = c.cells(f"stained.{name}", count, jitter=0.7, at=at, borders=False)
        there = c.pick(spots.ids, f"stained.there.{name}") < 0.3 + 0.5 * strength
        radius = 0.2 + 0.18 * c.pick(spots.ids, f"stained.radius.{name}")
        edge = radius - spots.f1
        drop = np.maximum(drop, smoothstep(0.0, 0.03, edge) * there)
        ring = smoothstep(-0.008, 0.02, edge) * smoothstep(0.09, 0.025, edge)
        tide = np.maximum(tide, ring * there)
    blotch = c.noise("stained.blotch", 6, octaves=5, gain=0.6)
    amount = (0.3 * drop * (0.5 + blotch) + 0.55 * tide) * (0.55 + 0.45 * strength)
    tint = np.array([0.5, 0.36, 0.2], np.float32)
    # what dries on something dark can only be seen as a pale crust
    dried = np.where(_luminance(maps.base) > PALE_ON_DARK, maps.base * tint, maps.base + 0.35 * tint)
    base = mix(maps.base, dried, np.clip(amount, 0, 1))
    rough = maps.roughness + 0.5 * amount * (0.7 - maps.roughness)
    return replace(maps, base=base, roughness=rough, metallic=maps.metallic * (1 - 0.5 * amount))


CONDITIONS: dict[str, Modifier] = {
    "worn": worn,
    "scratched": scratched,
    "snowy": snowy,
    "burnt": burnt,
    "faded": faded,
    "dirty": dirty,
    "stained": stained,
}
