"""From parameters to the maps of a material."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engine.starter.materials.coats import in_order, lay
from engine.starter.materials.colour import (
    from_hex,
    from_lab,
    nearest_term,
    shades,
    to_lab,
    to_linear,
    to_srgb,
)
from engine.starter.materials.mixtures import PLACES
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
        emission: (H, W) 0..1, how strongly it glows in its base colour.
        relief: the height's full range / the tile's width.
        params: what it was made from, the joint's colour filled in.
    """

    basecolor: Array
    height: Array
    roughness: Array
    metallic: Array
    emission: Array
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
        KeyError: the family, palette, scale, a modifier or a coat is not known.
        ValueError: the size is not a power of two.
    """
    if size < 1 or size & (size - 1):
        raise ValueError(f"size must be a power of two, not {size}")
    size_px, roll = size * supersampling, (shift[0] * supersampling, shift[1] * supersampling)
    canvas, maps, joint = _drawn(params, size_px, roll)
    if mixture := params["mixture"]:
        _, over, _ = _drawn(mixture["overlay"], size_px, roll)
        maps = _spread(PLACES[mixture["place"]](canvas, maps, over, mixture["share"]), canvas)
    for name, strength in params["modifiers"].items():
        maps = _spread(MODIFIERS[name](canvas, maps, STRENGTHS[strength]), canvas)
    for coat in in_order(params.get("coats", ())):
        maps = _spread(lay(canvas, maps, coat, params, lambda other: _drawn(other, size_px, roll)[1]), canvas)
    maps = replace(maps, roughness=_finished(maps.roughness, params["finish"]))
    maps = _reduced(maps, supersampling)
    return Material(
        maps.base, _normalised(maps.height), maps.roughness, maps.metallic, maps.emission,
        params["relief"], {**params, "joint": None if joint is None else nearest_term(joint)},
    )  # fmt: skip


def _drawn(params: Params, size: int, shift: tuple[int, int]) -> tuple[Canvas, Maps, Array | None]:
    """A family's recipe in the wanted colour, and the colour of its joint, before anything lies on it."""
    canvas = Canvas(params, size, colours_of(params), shift)
    layers = REGISTRY[params["family"]].recipe(canvas)
    maps = _spread(layers, canvas)
    if params["target"]:
        maps = replace(maps, base=_recentred(maps, from_hex(params["target"])))
    return canvas, maps, layers.joint


def _spread(layers: Layers | Maps, canvas: Canvas) -> Maps:
    """Every layer a full float32 picture, in range."""
    shape = (canvas.size, canvas.size)

    def full(x: Array | float) -> Array:
        return np.broadcast_to(np.asarray(x, np.float32), shape)

    def share(x: Array | float) -> Array:
        return np.clip(full(x), 0, 1)

    height = _normalised(full(layers.height))
    rough = np.clip(full(layers.roughness), 0.04, 1)
    base = np.clip(layers.base, 0, 1).astype(np.float32)
    return Maps(base, height, rough, share(layers.metallic), share(layers.body), share(layers.emission))


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


def _reduced(maps: Maps, factor: int) -> Maps:
    """Every `factor` x `factor` pixels averaged into one, base colour in linear light."""

    def mean(x: Array) -> Array:
        n = x.shape[0] // factor
        return x.reshape(n, factor, n, factor, *x.shape[2:]).mean((1, 3)).astype(np.float32)

    if factor == 1:
        return maps
    base = np.clip(to_srgb(mean(to_linear(maps.base))), 0, 1)
    scalars = (maps.height, maps.roughness, maps.metallic, maps.body, maps.emission)
    return Maps(base, *map(mean, scalars))
