"""From parameters to the maps of a material."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engine.starter.materials.colour import from_hex, from_lab, shades, to_lab, to_linear, to_srgb
from engine.starter.materials.modifiers import MODIFIERS
from engine.starter.materials.primitives import Array
from engine.starter.materials.registry import (
    REGISTRY,
    STRENGTHS,
    Canvas,
    Layers,
    Maps,
    Params,
    number_for,
)


@dataclass(frozen=True)
class Material:
    """An exactly periodic tile, row 0 on top.

    Attributes:
        basecolor: (H, W, 3) float32, sRGB 0..1.
        height: (H, W) 0..1, spans nearly all of it.
        roughness: (H, W) 0..1.
        metallic: (H, W) 0..1.
        relief: the height's full range / the tile's width.
        params: what it was made from.
    """

    basecolor: Array
    height: Array
    roughness: Array
    metallic: Array
    relief: float
    params: Params


def colours_of(params: Params) -> Array:
    """The stops (K, 3), sRGB, dark to light, that the recipe paints with."""
    if params["target"]:
        return shades(from_hex(params["target"]))
    stops = REGISTRY[params["family"]].palettes[params["palette"]].stops.split()
    jitter = [(number_for(params["seed"], "jitter", k) - 0.5) * width for k, width in enumerate((10, 5, 5))]
    return from_lab(to_lab(np.stack([from_hex(code) for code in stops])) + np.array(jitter, np.float32))


def render(
    params: Params, size: int = 256, *, supersampling: int = 1, shift: tuple[int, int] = (0, 0)
) -> Material:
    """Draw a material, the same for the same arguments everywhere.

    Args:
        params: as `sample` makes them.
        size: pixels a side, a power of two.
        supersampling: draws this many times larger, then averages (base colour in linear light).
        shift: pixels (down, right) to roll the tile by; the same as rolling the result.

    Raises:
        KeyError: the family, palette, scale or a modifier is not known.
        ValueError: the size is not a power of two.
    """
    if size < 1 or size & (size - 1):
        raise ValueError(f"size must be a power of two, not {size}")
    down, right = (pixels * supersampling for pixels in shift)
    canvas = Canvas(params, size * supersampling, colours_of(params), (down, right))
    maps = _spread(REGISTRY[params["family"]].recipe(canvas), canvas)
    if params["target"]:
        maps = replace(maps, base=_recentred(maps, from_hex(params["target"])))
    for name, strength in params["modifiers"].items():
        maps = _spread(MODIFIERS[name](canvas, maps, STRENGTHS[strength]), canvas)
    maps = replace(maps, roughness=_finished(maps.roughness, params["finish"]))
    base, height, rough, metal = _reduced(maps, supersampling)
    return Material(base, _normalised(height), rough, metal, params["relief"], params)


def _spread(layers: Layers | Maps, canvas: Canvas) -> Maps:
    """Every layer a full float32 picture, in range."""
    shape = (canvas.size, canvas.size)

    def full(x: Array | float) -> Array:
        return np.broadcast_to(np.asarray(x, np.float32), shape)

    height = _normalised(full(layers.height))
    rough = np.clip(full(layers.roughness), 0.04, 1)
    metal, body = np.clip(full(layers.metallic), 0, 1), np.clip(full(layers.body), 0, 1)
    return Maps(np.clip(layers.base, 0, 1).astype(np.float32), height, rough, metal, body)


def _normalised(height: Array) -> Array:
    lo, hi = np.quantile(height, (0.002, 0.998))
    return np.clip((height - lo) / max(hi - lo, 1e-6), 0, 1).astype(np.float32)


def _recentred(maps: Maps, target: Array) -> Array:
    """Move the body's colour so that its mean is the target: the colour word shall be true."""
    base = maps.base
    for _ in range(2):  # clipping takes a little back the first time
        mean = (base * maps.body[..., None]).sum((0, 1)) / max(float(maps.body.sum()), 1e-6)
        base = np.clip(base + maps.body[..., None] * (target - mean), 0, 1)
    return base.astype(np.float32)


def _finished(rough: Array, finish: str | None) -> Array:
    if finish == "glossy":
        return np.clip(rough * 0.35, 0.04, 1)
    if finish == "matte":
        return np.maximum(rough, 0.72)
    return rough


def _reduced(maps: Maps, factor: int) -> tuple[Array, Array, Array, Array]:
    def mean(x: Array) -> Array:
        n = x.shape[0] // factor
        return x.reshape(n, factor, n, factor, *x.shape[2:]).mean((1, 3)).astype(np.float32)

    if factor == 1:
        return maps.base, maps.height, maps.roughness, maps.metallic
    base = to_srgb(mean(to_linear(maps.base)))
    return np.clip(base, 0, 1), mean(maps.height), mean(maps.roughness), mean(maps.metallic)
