"""What people would call a material: a fresh caption each time, one canonical name, and the fixed vocabulary.

The grammar is a small one, after research/materials.md 4.5: [degree] condition, [scale], [tone] colour, noun,
and a style around them. Two things are here because training and evaluation must agree on them: the labels
(FAMILIES, COLOURS) and the combinations of the two that training never sees (`is_held_out`).
"""

from __future__ import annotations

import hashlib
from functools import cache

import numpy as np

from engine.starter.materials import COLOURS, FAMILIES, REGISTRY, Params
from engine.starter.materials.colour import centroid, from_hex, nearest_fine_term, to_lab

HELD_OUT_SHARE = 0.1
HELD_OUT_PER_FAMILY = 3
HELD_OUT_PER_COLOUR = 2
PROMISED = frozenset({("square_tiles", "blue")})  # what the README shows stays in training

SHORT_SHARE = 0.4
TYPO_SHARE = 0.03
FINE_REACH = 12  # ΔE76 within which a finer colour word is true

MODIFIER_WORDS: dict[str, tuple[str, ...]] = {
    "mossy": ("mossy", "mossy", "moss-covered", "moss covered", "overgrown", "green-stained"),
    "wet": ("wet", "wet", "damp", "soaked", "rain-soaked"),
    "rusty": ("rusty", "rusty", "corroded", "rusted", "oxidised"),
    "dusty": ("dusty", "dusty", "dust-covered", "powdered with dust"),
    "cracked": ("cracked", "cracked", "fractured", "broken", "crackled"),
    "worn": ("worn", "weathered", "eroded", "aged", "distressed"),
    "scratched": ("scratched", "scratched", "scuffed"),
    "snowy": ("snowy", "snow-covered", "snow covered", "wintry"),
    "burnt": ("burnt", "burned", "charred", "scorched"),
    "faded": ("faded", "bleached", "sun-bleached", "washed-out"),
    "dirty": ("dirty", "grimy", "soiled", "filthy"),
    "stained": ("stained", "water-stained", "spotted with stains"),
}
MODIFIER_PHRASES: dict[str, tuple[str, ...]] = {
    "mossy": ("with moss", "covered in moss", "with moss in the joints", "with green moss growing on it"),
    "wet": ("after rain", "with puddles", "in the rain"),
    "rusty": ("with rust", "with rust stains", "covered in rust"),
    "dusty": ("covered in dust", "with dust", "under dust"),
    "cracked": ("with cracks", "full of cracks", "with deep cracks"),
    "worn": ("with worn edges", "worn by time", "with signs of wear"),
    "scratched": ("with scratches", "full of scratches"),
    "snowy": ("covered in snow", "with snow", "under snow"),
    "burnt": ("burnt by fire", "with burn marks", "after a fire"),
    "faded": ("faded by the sun", "bleached by the sun"),
    "dirty": ("with dirt", "covered in grime", "with grime"),
    "stained": ("with stains", "with water stains"),
}
DEGREES: dict[str, tuple[str, ...]] = {
    "slightly": ("slightly", "a bit", "lightly", "partly"),
    "plain": ("",),
    "heavily": ("heavily", "very", "extremely", "strongly"),
}
SCALE_WORDS: dict[str, tuple[str, ...]] = {
    "large": ("large", "big", "chunky", "coarse"),
    "medium": ("",),
    "small": ("small", ""),
    "fine": ("fine", "small", "tiny"),
}
FINISH_WORDS: dict[str, tuple[str, ...]] = {
    "glossy": ("glossy", "polished", "shiny", "glazed"),
    "matte": ("matte", "matt", "unpolished"),
}
PALETTE_NOUNS: dict[tuple[str, str], tuple[str, ...]] = {
    ("brushed_metal", "steel"): ("brushed steel", "stainless steel", "brushed aluminium", "steel"),
    ("brushed_metal", "gold"): ("brushed gold", "brushed brass", "gold metal", "brass"),
    ("brushed_metal", "copper"): ("brushed copper", "copper", "copper metal", "brushed bronze"),
    ("wood_planks", "pine"): ("pine planks", "pine boards", "pine wood"),
    ("wood_planks", "walnut"): ("walnut planks", "walnut wood", "walnut boards"),
    ("wood_planks", "tan"): ("oak planks", "oak boards", "oak wood"),
    ("herringbone_parquet", "tan"): ("oak parquet", "oak herringbone floor"),
    ("herringbone_parquet", "walnut"): ("walnut parquet",),
    ("square_tiles", "terracotta"): ("terracotta tiles", "clay tiles"),
    ("roof_shingles", "terracotta"): ("terracotta roof tiles", "clay roof tiles"),
    ("sand_ripples", "beige"): ("beach sand", "sandy beach"),
    ("agate", "green"): ("malachite",),
    ("agate", "orange"): ("carnelian",),
    ("agate", "black"): ("black onyx",),
    ("ashlar_wall", "beige"): ("limestone wall",),
    ("bark", "birch"): ("birch bark",),
    ("forest_leaves", "brown"): ("dead leaves",),
    ("paper_kraft", "parchment"): ("parchment",),
    ("paper_kraft", "white"): ("white paper",),
}
AGES = ("old", "ancient", "rough")
STYLES = (
    "{}",
    "a texture of {}",
    "seamless {} texture",
    "{} texture",
    "{}, PBR material",
    "{} material",
    "a photo of {}",
    "top down photo of {}",
    "close-up of {}",
    "a surface of {}",
    "{} surface, seamless",
    "{}, tileable",
)
BRITISH_TO_AMERICAN = {"grey": "gray", "aluminium": "aluminum", "oxidised": "oxidized", "colour": "color"}
COLOUR_SYNONYMS: dict[str, tuple[str, ...]] = {
    "tan": ("tan", "light brown", "sandy"),
    "beige": ("beige", "sand-coloured"),
    "cream": ("cream", "ivory", "off-white"),
    "teal": ("teal", "turquoise", "blue-green"),
    "olive": ("olive", "olive green"),
    "purple": ("purple", "violet"),
    "red": ("red", "red", "reddish"),
    "blue": ("blue", "blue", "bluish"),
}


def canonical(params: Params) -> str:
    """The plain name: "{modifier} {colour} {noun}", as in "mossy grey cobblestones"."""
    return " ".join([*params["modifiers"], params["colour"], REGISTRY[params["family"]].nouns[0]])


def caption(params: Params, rng: np.random.Generator) -> str:
    """A caption, drawn anew at every call. About 40 % name just colour and noun, or the noun alone.

    Args:
        params: of the material.
        rng: where the draws come from; the same state gives the same caption.
    """
    text = _short(params, rng) if rng.random() < SHORT_SHARE else _long(params, rng)
    if rng.random() < 0.5:
        for british, american in BRITISH_TO_AMERICAN.items():
            text = text.replace(british, american)
    if rng.random() < TYPO_SHARE:
        text = _with_typo(text, rng)
    return text


def _pick(options: tuple[str, ...], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]


def _noun(params: Params, rng: np.random.Generator) -> str:
    nouns = REGISTRY[params["family"]].nouns
    special = PALETTE_NOUNS.get((params["family"], params["palette"]))
    if special and rng.random() < 0.25:
        return _pick(special, rng)
    return nouns[0] if rng.random() < 0.3 else _pick(nouns, rng)


def _body_colour(params: Params) -> np.ndarray:
    """The middle stop of the palette, or the target: sRGB (3,)."""
    if params["target"]:
        return from_hex(params["target"])
    stops = REGISTRY[params["family"]].palettes[params["palette"]].stops.split()
    return from_hex(stops[len(stops) // 2])


def _colour(params: Params, rng: np.random.Generator) -> str:
    """The colour word, now and then with its tone ("dark red"), a finer word or a synonym."""
    term, rgb, draw = params["colour"], _body_colour(params), rng.random()
    if draw < 0.15:
        fine, distance = nearest_fine_term(rgb)
        return fine if distance < FINE_REACH else term
    if draw < 0.35:
        return _toned(term, rgb, rng)
    if draw < 0.45:
        return _pick(COLOUR_SYNONYMS.get(term, (term,)), rng)
    return f"{term} coloured" if draw > 0.98 else term


def _toned(term: str, rgb: np.ndarray, rng: np.random.Generator) -> str:
    """With "dark" or "light" where the colour is darker or lighter than most that share its name."""
    if term in ("black", "white", "cream"):
        return term
    lightness, usual = float(to_lab(rgb)[0]), float(to_lab(centroid(term))[0])
    if lightness > max(usual + 6, 55):
        return _pick(("light ", "pale ", "bright "), rng) + term
    if lightness < min(usual - 6, 45):
        return _pick(("dark ", "deep "), rng) + term
    return term


def _short(params: Params, rng: np.random.Generator) -> str:
    """Colour and noun, or the noun alone; a condition keeps its word three times out of four."""
    words = [name for name in params["modifiers"] if rng.random() < 0.75]
    if rng.random() < 0.75:
        words.append(params["colour"])
    return " ".join([*words, _noun(params, rng)])


def _long(params: Params, rng: np.random.Generator) -> str:
    front, back = [], []
    for name, strength in params["modifiers"].items():
        if rng.random() < 0.75:
            front.append(f"{_pick(DEGREES[strength], rng)} {_pick(MODIFIER_WORDS[name], rng)}".strip())
        else:
            back.append(_pick(MODIFIER_PHRASES[name], rng))
    if rng.random() < 0.35:
        front.append(_pick(SCALE_WORDS[params["scale"]], rng))
    if params["finish"] and rng.random() < 0.6:
        front.append(_pick(FINISH_WORDS[params["finish"]], rng))
    if rng.random() < 0.12:
        front.append(_pick(AGES, rng))
    if rng.random() < 0.25:
        rng.shuffle(front)
    colour = _colour(params, rng) if rng.random() < 0.85 else ""
    return _styled(front, colour, _noun(params, rng), back, rng)


def _styled(front: list[str], colour: str, noun: str, back: list[str], rng: np.random.Generator) -> str:
    parts = [part for part in (*front, colour, noun, *back) if part]
    draw = rng.random()
    if draw < 0.07:
        rng.shuffle(parts)
        return ", ".join(parts)
    if draw < 0.12:
        return " ".join([noun, *(part for part in (colour, *front, *back) if part)])
    return _pick(STYLES, rng).format(" ".join(parts))


def _with_typo(text: str, rng: np.random.Generator) -> str:
    """Drop, double or swap one letter."""
    if len(text) < 4:
        return text
    at = int(rng.integers(1, len(text) - 1))
    kind = int(rng.integers(3))
    if kind == 0:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[:at] + text[at] + text[at:]
    return text[: at - 1] + text[at] + text[at - 1] + text[at + 1 :]


@cache
def held_out(families: tuple[str, ...] = FAMILIES) -> frozenset[tuple[str, str]]:
    """The (family, colour) pairs that training never sees: a tenth of all there are, fixed by hash.

    Only pairs that come from colouring a family are taken, never a family's natural colour, and few of any
    one family or colour, so that none of them disappears from training.

    Args:
        families: that training takes its materials from.
    """
    entries = [REGISTRY[name] for name in families]
    natural = {(entry.name, p.colour) for entry in entries for p in entry.palettes.values()}
    coloured = {(entry.name, term) for entry in entries if entry.colourable for term in COLOURS}
    candidates = coloured - natural - PROMISED
    chosen: list[tuple[str, str]] = []
    for pair in sorted(candidates, key=lambda pair: hashlib.sha256("/".join(pair).encode()).digest()):
        if len(chosen) >= HELD_OUT_SHARE * len(natural | coloured):
            break
        names, colours = [p[0] for p in chosen], [p[1] for p in chosen]
        if names.count(pair[0]) < HELD_OUT_PER_FAMILY and colours.count(pair[1]) < HELD_OUT_PER_COLOUR:
            chosen.append(pair)
    return frozenset(chosen)


def is_held_out(params: Params, families: tuple[str, ...] = FAMILIES) -> bool:
    """True for materials that only evaluation may see, where training takes its own from these families."""
    return (params["family"], params["colour"]) in held_out(families)


__all__ = ["COLOURS", "FAMILIES", "canonical", "caption", "held_out", "is_held_out"]
