"""What a colour is called: its basic term, with a tone, finer, or by a synonym; always one that is true."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from engine.starter.materials import REGISTRY, Params
from engine.starter.materials.colour import FINE_TERMS, centroid, from_hex, nearest_fine_term, to_lab

FINE_REACH = 12  # ΔE76 within which a finer colour word is true
TONELESS = frozenset({"black", "white", "cream"})
COLOUR_SYNONYMS: dict[str, tuple[str, ...]] = {
    "tan": ("light brown", "sandy"),
    "beige": ("sand-coloured", "greige"),
    "cream": ("ivory", "off-white"),
    "teal": ("turquoise", "blue-green"),
    "olive": ("olive green", "khaki"),
    "purple": ("violet",),
    "grey": ("greyish",),
    "brown": ("brownish",),
    "red": ("reddish",),
    "orange": ("orangey",),
    "yellow": ("yellowish",),
    "green": ("greenish",),
    "blue": ("bluish",),
    "pink": ("pinkish",),
    "black": ("blackish", "jet black"),
    "white": ("whitish", "snow-white"),
}
EASILY_CONFUSED = (
    "black grey, grey white, white cream, white beige, cream beige, cream yellow, cream tan, beige tan, "
    "beige grey, beige yellow, tan brown, tan orange, tan yellow, tan olive, brown red, brown orange, "
    "brown olive, brown black, red orange, red pink, red purple, orange yellow, orange pink, yellow olive, "
    "green olive, green teal, teal blue, blue purple, purple pink, pink cream, pink beige, olive grey"
)
NEIGHBOURS = frozenset(frozenset(pair.split()) for pair in EASILY_CONFUSED.split(", "))


def are_neighbours(a: str, b: str) -> bool:
    """True for basic terms that one and the same colour may be called by."""
    return a == b or frozenset({a, b}) in NEIGHBOURS


def body_colour(params: Params) -> np.ndarray:
    """The middle stop of the palette, or the target: sRGB (3,)."""
    if params["target"]:
        return from_hex(params["target"])
    stops = REGISTRY[params["family"]].palettes[params["palette"]].stops.split()
    return from_hex(stops[len(stops) // 2])


def colour_word(params: Params, rng: np.random.Generator) -> str:
    """The colour term, now and then with its tone ("dark red"), a finer word or a synonym."""
    term, draw = params["colour"], rng.random()
    options: tuple[str, ...] = ()
    if draw < 0.15:
        options = _finer(term, _code(params))
    elif draw < 0.35:
        options = tones(term, _code(params))
    elif draw < 0.45:
        options = COLOUR_SYNONYMS.get(term, ())
    elif draw > 0.98:
        options = (f"{term} coloured",)
    return options[int(rng.integers(len(options)))] if options else term


def _code(params: Params) -> tuple[float, float, float]:
    r, g, b = (float(x) for x in body_colour(params))
    return r, g, b


@lru_cache(4096)
def _finer(term: str, rgb: tuple[float, float, float]) -> tuple[str, ...]:
    fine, distance = nearest_fine_term(np.array(rgb, np.float32))
    return (fine,) if distance < FINE_REACH and FINE_TERMS[fine][1] == term else ()


@lru_cache(4096)
def tones(term: str, rgb: tuple[float, float, float]) -> tuple[str, ...]:
    """The term with every tone word that is true: how the colour differs from most that share its name."""
    if term in TONELESS:
        return ()
    (lightness, a, b), (usual, usual_a, usual_b) = to_lab(np.array(rgb, np.float32)), to_lab(centroid(term))
    chroma, usual_chroma = np.hypot(a, b), np.hypot(usual_a, usual_b)
    words: list[str] = []
    if lightness > max(usual + 6, 55):
        words += ["light", "pale"]
    if lightness < min(usual - 6, 45):
        words += ["dark", "deep"]
    if chroma > max(usual_chroma - 3, 45):
        words += ["bright"] if lightness > 40 else []
        words += ["vivid"]
    if chroma < usual_chroma - 10:
        words += ["muted"]
    return tuple(f"{word} {term}" for word in words)
