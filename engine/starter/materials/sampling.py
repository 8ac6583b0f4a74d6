"""Drawing the parameters of a material from a seed. Policy: research/materials.md 4.4."""

from __future__ import annotations

import zlib
from collections.abc import Collection

import numpy as np

from engine.starter.materials.colour import COLOURS, centroid, from_lab, nearest_term, to_hex, to_lab
from engine.starter.materials.mixtures import Rule, overlays
from engine.starter.materials.registry import REGISTRY, SCALES, STRENGTHS, Family, Mixture, Params

COLOUR_SHARE = 0.5  # of the draws of colourable families
MODIFIERS_SHARE = (0.45, 0.4, 0.15)  # none, one, two
MIXTURE_SHARE = 0.5  # of the draws of families that something may be mixed into
FAVOURED = frozenset({"masonry", "tiles", "wood", "stone", "fabric", "metal", "roof"})
FAVOURED_WEIGHT = 1.5  # what scenes need most
FINISH_SHARE = 0.25
COLOURLESS = ("black", "grey", "white")
RARE = (
    "white",
    "cream",
    "yellow",
    "olive",
    "teal",
    "blue",
    "purple",
    "pink",
)  # which few natural palettes have
RARE_WEIGHT = 1.7


def target_near(term: str, rng: np.random.Generator) -> str:
    """A colour (sRGB hex) that is called by this term, drawn around its centroid in Lab."""
    centre = to_lab(centroid(term))
    hue = 1.5 if term in COLOURLESS else 5.0  # a grey with some hue in it is no longer called grey
    for _ in range(20):
        colour = from_lab(centre + rng.normal(0, (5, hue, hue)).astype(np.float32))
        if nearest_term(colour) == term:
            return to_hex(colour)
    return to_hex(centroid(term))


def sample(seed: int, family: str | None = None, *, among: Collection[str] = REGISTRY) -> Params:
    """The parameters that belong to this seed; the family is drawn too where none is given.

    Args:
        seed: the same one gives the same parameters, as long as `among` is the same.
        family: a name in REGISTRY.
        among: the families to draw one of.
    """
    rng = np.random.default_rng([seed, zlib.crc32(b"sample")])
    names = sorted(among)
    weights = np.array([FAVOURED_WEIGHT if REGISTRY[name].group in FAVOURED else 1.0 for name in names])
    chosen = str(rng.choice(names, p=weights / weights.sum()))
    params = plain(REGISTRY[family or chosen], seed, rng)
    mixable = overlays(params["family"])
    if mixable and rng.random() < MIXTURE_SHARE:
        params["mixture"] = _mixture(seed, mixable, rng)
    else:
        params["modifiers"] = _modifiers(REGISTRY[params["family"]], rng)
    return params


def with_overlay(params: Params, overlay: str) -> Params:
    """The same material with another one mixed in, of the same seed, and no conditions.

    Raises:
        ValueError: nothing says how the two mix; see `mixtures.RULES`.
    """
    mixable = [(name, rule) for name, rule in overlays(params["family"]) if name == overlay]
    if not mixable:
        raise ValueError(f"{overlay} is not mixed into {params['family']}.")
    rng = np.random.default_rng([params["seed"], zlib.crc32(b"overlay")])
    return {**params, "modifiers": {}, "mixture": _mixture(params["seed"], mixable, rng)}


def another(params: Params, seed: int) -> Params:
    """The same kind of material, laid out anew by another seed."""
    again: Params = {**params, "seed": seed, "joint": None}
    if mixture := params["mixture"]:
        again["mixture"] = {**mixture, "overlay": {**mixture["overlay"], "seed": seed, "joint": None}}
    return again


def in_colour(params: Params, colour: str) -> Params:
    """The same material in a colour that is called so, a shade of it that the seed decides.

    Raises:
        KeyError: there is no such colour.
    """
    rng = np.random.default_rng([params["seed"], zlib.crc32(f"in {colour}".encode())])
    return {**params, "palette": "any", "target": target_near(colour, rng), "colour": colour}


def sibling(params: Params, seed: int) -> Params:
    """The same material, of the same seed, with one thing changed: colour, a condition, scale or finish.

    Args:
        params: of the first one.
        seed: of the change.
    """
    rng = np.random.default_rng([seed, zlib.crc32(b"sibling")])
    entry = REGISTRY[params["family"]]
    factors = ["colour"]
    factors += ["scale"] * (len(entry.scales) > 1)
    factors += ["finish"] * bool(entry.finishes)
    factors += ["conditions"] * (bool(entry.modifiers) or params["mixture"] is not None)
    factor = str(rng.choice(factors))
    if factor == "colour":
        palette, target, colour = _colouring(entry, rng)
        return {**params, "palette": palette, "target": target, "colour": colour}
    if factor == "scale":
        other = [name for name in entry.scales if name != params["scale"]]
        return {**params, "scale": str(rng.choice(other))}
    if factor == "finish":
        finish = None if params["finish"] else str(rng.choice(entry.finishes))
        return {**params, "finish": finish}
    if params["mixture"]:
        return {**params, "mixture": None}
    if params["modifiers"]:
        dropped = str(rng.choice(tuple(params["modifiers"])))
        return {**params, "modifiers": {k: v for k, v in params["modifiers"].items() if k != dropped}}
    name, strength = str(rng.choice(entry.modifiers)), str(rng.choice(tuple(STRENGTHS)))
    return {**params, "modifiers": {name: strength}}


def plain(entry: Family, seed: int, rng: np.random.Generator) -> Params:
    """A family's material with nothing on it."""
    palette, target, colour = _colouring(entry, rng)
    scale = str(rng.choice(entry.scales))
    finish = str(rng.choice(entry.finishes)) if entry.finishes and rng.random() < FINISH_SHARE else None
    relief = rng.uniform(*entry.relief) / SCALES[scale]
    layout = str(rng.choice(entry.layouts)) if entry.layouts else None
    return Params(
        family=entry.name, seed=seed, palette=palette, target=target, colour=colour, scale=scale,
        finish=finish, modifiers={}, relief=round(float(relief), 5), layout=layout, joint=None, mixture=None,
    )  # fmt: skip


def _modifiers(entry: Family, rng: np.random.Generator) -> dict[str, str]:
    wanted = min(int(rng.choice(3, p=MODIFIERS_SHARE)), len(entry.modifiers))
    names = rng.choice(entry.modifiers, wanted, replace=False) if wanted else ()
    return {str(name): str(rng.choice(tuple(STRENGTHS), p=(0.25, 0.5, 0.25))) for name in names}


def _mixture(seed: int, mixable: list[tuple[str, Rule]], rng: np.random.Generator) -> Mixture:
    name, rule = mixable[int(rng.integers(len(mixable)))]
    overlay = plain(REGISTRY[name], seed, rng)
    return Mixture(overlay=overlay, place=rule.place, share=round(float(rng.uniform(*rule.share)), 3))


def _colouring(entry: Family, rng: np.random.Generator) -> tuple[str, str | None, str]:
    if entry.colourable and rng.random() < COLOUR_SHARE:
        frequency = np.array([RARE_WEIGHT if term in RARE else 1.0 for term in COLOURS])
        term = str(rng.choice(COLOURS, p=frequency / frequency.sum()))
        return "any", target_near(term, rng), term
    names = tuple(entry.palettes)
    weights = np.array([entry.palettes[name].weight for name in names])
    name = str(rng.choice(names, p=weights / weights.sum()))
    return name, None, entry.palettes[name].colour
