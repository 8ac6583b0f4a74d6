"""Colour: sRGB, linear light, Lab, palettes, and the words that people use for colours."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

# Fine terms with the sRGB centroid and the basic term that they are a kind of: materials.md 4.5, with a few
# more brick-like and stone-like centroids, which the basic sixteen alone would misname.
FINE_TERMS: dict[str, tuple[str, str]] = {
    "black": ("1a1a1a", "black"),
    "charcoal": ("36383b", "grey"),
    "grey": ("808080", "grey"),
    "silver": ("c0c2c4", "grey"),
    "white": ("f2f2f0", "white"),
    "cream": ("efe6cf", "cream"),
    "beige": ("d8c7a3", "beige"),
    "tan": ("c19a6b", "tan"),
    "brown": ("6b4423", "brown"),
    "chocolate": ("3d2a1d", "brown"),
    "rust": ("a5491f", "brown"),
    "terracotta": ("b8643f", "orange"),
    "brick red": ("8f3a2e", "red"),
    "red": ("b3202e", "red"),
    "maroon": ("5a1020", "red"),
    "pink": ("e39aa8", "pink"),
    "orange": ("e07b20", "orange"),
    "amber": ("d9951c", "orange"),
    "yellow": ("e6c229", "yellow"),
    "gold": ("d4a63a", "yellow"),
    "olive": ("6b6b2d", "olive"),
    "green": ("3d7a35", "green"),
    "dark green": ("1f4a2b", "green"),
    "teal": ("1f7f7f", "teal"),
    "turquoise": ("40c0b0", "teal"),
    "blue": ("2f5fa8", "blue"),
    "navy": ("16264f", "blue"),
    "sky blue": ("7fb4dc", "blue"),
    "purple": ("6a3a92", "purple"),
    "lavender": ("b9a3d6", "purple"),
}

COLOURS: tuple[str, ...] = (
    "black", "grey", "white", "cream", "beige", "tan", "brown", "red",
    "orange", "yellow", "green", "olive", "teal", "blue", "purple", "pink",
)  # fmt: skip


def from_hex(code: str) -> Array:
    """The colour (3,), sRGB 0..1, that "8a4032" or "#8a4032" stands for."""
    code = code.lstrip("#")
    return np.array([int(code[i : i + 2], 16) / 255 for i in (0, 2, 4)], np.float32)


def to_hex(rgb: Array) -> str:
    """Hex digits like 8a4032 for a colour (3,), sRGB 0..1."""
    return "".join(f"{round(float(np.clip(c, 0, 1)) * 255):02x}" for c in rgb)


def to_linear(srgb: Array) -> Array:
    """From sRGB 0..1 to linear light 0..1 (IEC 61966-2-1)."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4).astype(np.float32)


def to_srgb(linear: Array) -> Array:
    """Linear light 0..1 → sRGB 0..1."""
    curve = 1.055 * np.maximum(linear, 1e-8) ** (1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, linear * 12.92, curve).astype(np.float32)


_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_WHITE = _XYZ.sum(1)  # D65


def to_lab(srgb: Array) -> Array:
    """From sRGB (..., 3) in 0..1 to CIE L*a*b* (..., 3), D65; L in 0..100."""
    xyz = to_linear(np.asarray(srgb, np.float32)) @ _XYZ.T / _WHITE
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    lab = [116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])]
    return np.stack(lab, -1).astype(np.float32)


def from_lab(lab: Array) -> Array:
    """CIE L*a*b* (..., 3), D65 → sRGB (..., 3), clipped to 0..1."""
    lightness = (lab[..., 0] + 16) / 116
    f = np.stack([lightness + lab[..., 1] / 500, lightness, lightness - lab[..., 2] / 200], -1)
    xyz = np.where(f**3 > 216 / 24389, f**3, (116 * f - 16) * 27 / 24389) * _WHITE
    return np.clip(to_srgb(np.clip(xyz @ np.linalg.inv(_XYZ).T, 0, 1).astype(np.float32)), 0, 1)


_FINE_NAMES = tuple(FINE_TERMS)
_FINE_LAB = to_lab(np.stack([from_hex(code) for code, _ in FINE_TERMS.values()]))


def nearest_fine_term(rgb: Array) -> tuple[str, float]:
    """The fine term nearest in Lab to an sRGB colour (3,), and the distance ΔE76."""
    distance = np.linalg.norm(_FINE_LAB - to_lab(rgb), axis=-1)
    return _FINE_NAMES[int(distance.argmin())], float(distance.min())


def nearest_term(rgb: Array) -> str:
    """The basic colour term, one of COLOURS, that an sRGB colour (3,) in 0..1 is called."""
    return FINE_TERMS[nearest_fine_term(rgb)[0]][1]


def centroid(term: str) -> Array:
    """The sRGB centroid (3,) of a basic or fine term. Raises KeyError for any other word."""
    return from_hex(FINE_TERMS[term][0])


def ramp(t: Array, stops: Array) -> Array:
    """Colours (H, W, 3) for t (H, W) in 0..1, linear between evenly spaced stops (K, 3)."""
    at = np.linspace(0, 1, len(stops))
    return np.stack([np.interp(t, at, stops[:, k]) for k in range(3)], -1).astype(np.float32)


def mix(a: Array, b: Array, t: Array | float) -> Array:
    """The sum a + (b - a) t for colours (H, W, 3) or (3,) and a mask (H, W)."""
    weight = np.asarray(t, np.float32)
    return a + (b - a) * (weight[..., None] if weight.ndim == 2 else weight)


def shades(colour: Array) -> Array:
    """Three stops (3, 3), dark to light, around one colour (3,): how an evenly coloured thing varies."""
    dark = colour * 0.74
    light = np.minimum(colour * 1.2 + 0.03, colour + (1 - colour) * 0.4)
    return np.stack([dark, colour, light]).astype(np.float32)
