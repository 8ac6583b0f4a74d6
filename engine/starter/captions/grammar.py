"""What people would call a material: a fresh caption each time, and one canonical name.

The grammar is that of research/materials.md 4.5: [degree] condition, scale, colour, finish, noun, layout,
joint, mixture, and a style around them. People type little, so four captions in ten are short.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from engine.starter.captions.colour_words import colour_word
from engine.starter.captions.lexicon import (
    AGEING,
    AGES,
    DEGREES,
    FINISH_WORDS,
    GENERIC_NOUNS,
    MODIFIER_PHRASES,
    MODIFIER_WORDS,
    NOUN_COLOURS,
    OPPOSABLE_GROUPS,
    OPPOSITES,
    PALETTE_NOUNS,
    PLACE_NOUNS,
    RELIEF_WORDS,
    SCALE_WORDS,
    TEXTURE_WORDS,
    UNGLAZED_GROUPS,
)
from engine.starter.captions.phrases import (
    COAT_NOUNS,
    joint_phrase,
    layout_parts,
    mixture_name,
    mixture_parts,
)
from engine.starter.captions.splits import withheld_conditions, withheld_nouns, withheld_pattern
from engine.starter.materials import REGISTRY, Params

SHORT_SHARE = 0.45
TYPO_SHARE = 0.04
NAMED_SHARE = 0.8  # of the captions name a given condition or mixture
DETAIL_SHARES = {"scale": 0.35, "finish": 0.6, "layout": 0.3, "joint": 0.35, "texture": 0.15, "age": 0.15}
DETAILS = tuple(DETAIL_SHARES)

STYLES = (
    "{}",
    "{}",
    "a texture of {}",
    "{}, PBR material",
    "a photo of {}",
    "top down photo of {}",
    "close-up of {}",
    "a surface of {}",
    "{}, tileable",
    "{}, seamless texture",
)
COMPOUND_STYLES = (  # only where the noun comes last
    "seamless {} texture",
    "{} texture",
    "{} material",
    "{} surface, seamless",
)
BRITISH_TO_AMERICAN = {
    "grey": "gray",
    "aluminium": "aluminum",
    "oxidised": "oxidized",
    "colour": "color",
    "fibre": "fiber",
    "galvanised": "galvanized",
    "chequer": "checker",
    "armour": "armor",
    "panelled": "paneled",
}


@dataclass(frozen=True)
class Wish:
    """What a caption must say.

    Attributes:
        name: a factor that it names for sure: "colour", "condition", "scale", "finish", "layout", "joint",
            "mixture", or "material", which then gets no noun that others of its group share.
        opposite: a word like "dry", said instead of a condition.
        withheld: whether the withheld words may be used.
    """

    name: str = ""
    opposite: str = ""
    withheld: bool = False


@dataclass
class Parts:
    """A caption in pieces, in the order of the grammar."""

    noun: str
    colour: str = ""
    front: list[str] = field(default_factory=list)
    finish: str = ""
    back: list[str] = field(default_factory=list)


def canonical(params: Params, *, coloured: bool = True) -> str:
    """The plain name, as in "mossy grey cobblestones" or "white marble with gold veins".

    Without its colour it is "mossy cobblestones". Conditions come in the order of the alphabet: what means
    the same is called the same.
    """
    noun, mixture = REGISTRY[params["family"]].nouns[0], params["mixture"]
    coats = [coat["name"] for coat in params.get("coats", ())]
    conditions = sorted({*params["modifiers"], *(name for name in coats if name not in COAT_NOUNS)})
    text = " ".join([*conditions, *[params["colour"]] * coloured, noun])
    others = [mixture_name(params["family"], mixture)] if mixture else []
    others += [COAT_NOUNS[name] for name in coats if name in COAT_NOUNS]
    return f"{text} with {' and '.join(dict.fromkeys(others))}" if others else text


def meanings(params: list[Params]) -> list[str]:
    """What people also call materials: in natural colours by name alone, as zebras are not teal."""
    return [canonical(p, coloured=p["target"] is not None) for p in params]


def caption(params: Params, rng: np.random.Generator, *, withheld: bool = False) -> str:
    """A caption, drawn anew at every call. About 40 % name just colour and noun, or the noun alone.

    Args:
        params: of the material.
        rng: where the draws come from; the same state gives the same caption.
        withheld: whether the words that the guide must not learn may be used (`splits.withheld_nouns`).
    """
    return compose(params, rng, Wish(withheld=withheld))


def compose(params: Params, rng: np.random.Generator, wish: Wish) -> str:
    """A caption that says what it must."""
    while True:
        text = _short(params, rng, wish) if rng.random() < SHORT_SHARE else _long(params, rng, wish)
        if rng.random() < 0.5:
            text = american(text)
        if rng.random() < TYPO_SHARE:
            text = _with_typo(text, rng)
        # Two pieces side by side may happen to read like a withheld word.
        if wish.withheld or not withheld_pattern().search(text):
            return text


def american(text: str) -> str:
    """In American spelling."""
    for british, spelling in BRITISH_TO_AMERICAN.items():
        text = text.replace(british, spelling)
    return text


def _pick(options: tuple[str, ...], rng: np.random.Generator) -> str:
    return options[int(rng.random() * len(options))]  # several times faster than rng.integers


def nouns_for(params: Params, *, withheld: bool = False) -> tuple[str, ...]:
    """The family's nouns that are true of this material, the canonical one first."""
    family = params["family"]
    barred = () if withheld else withheld_nouns().get(family, ())

    def fits(noun: str) -> bool:
        words = noun.split()
        if params["colour"] not in NOUN_COLOURS.get(noun, (params["colour"],)) or noun in barred:
            return False
        return not (
            ("polished" in words and params["finish"] == "matte")
            or (words[0] in ("dry", "parched", "dead") and "wet" in params["modifiers"])
        )

    first, *others = REGISTRY[family].nouns
    return (first, *filter(fits, others))


def _noun(params: Params, rng: np.random.Generator, wish: Wish) -> str:
    family, draw = params["family"], rng.random()
    nouns = nouns_for(params, withheld=wish.withheld)
    special = PALETTE_NOUNS.get((family, params["palette"]), ())
    if draw < 0.25 and special:
        nouns = special
    elif draw > 0.92 and family in PLACE_NOUNS:
        nouns = PLACE_NOUNS[family]
    elif rng.random() < 0.3:
        nouns = nouns[:1]
    if wish.name == "material":
        telling = tuple(noun for noun in nouns if noun not in GENERIC_NOUNS)
        nouns = telling or tuple(n for n in REGISTRY[family].nouns if n not in GENERIC_NOUNS) or nouns
    return _pick(nouns, rng)


def _named(rng: np.random.Generator, wish: Wish, factor: str, share: float = NAMED_SHARE) -> bool:
    return wish.name == factor or rng.random() < share


def _condition_word(name: str, rng: np.random.Generator, wish: Wish) -> str:
    words = MODIFIER_WORDS[name]
    if not wish.withheld:
        words = tuple(word for word in words if word not in withheld_conditions())
    return _pick(words, rng)


def _add_mixture(parts: Parts, params: Params, rng: np.random.Generator, wish: Wish) -> None:
    if params["mixture"] and _named(rng, wish, "mixture"):
        front, back = mixture_parts(params, params["mixture"], rng)
        parts.front += [front]
        parts.back += [back]


def _finish_word(params: Params, rng: np.random.Generator) -> str:
    words = FINISH_WORDS[params["finish"] or ""]
    if REGISTRY[params["family"]].group in UNGLAZED_GROUPS:
        words = tuple(word for word in words if word != "glazed")
    return _pick(words, rng)


def _scale_word(params: Params, rng: np.random.Generator) -> str:
    return _pick(SCALE_WORDS[params["scale"]], rng)


def _short(params: Params, rng: np.random.Generator, wish: Wish) -> str:
    """Colour and noun, or the noun alone, and what is special about it."""
    parts = Parts(_noun(params, rng, wish))
    parts.front = [name for name in params["modifiers"] if _named(rng, wish, "condition")]
    parts.front += [wish.opposite]
    _add_mixture(parts, params, rng, wish)
    if wish.name in ("scale", "finish", "layout", "joint"):
        _add_details(parts, params, rng, wish, most=0)
    if _named(rng, wish, "colour", 0.75) or wish.name == "joint":
        parts.colour = params["colour"]
    return _joined(parts)


def _long(params: Params, rng: np.random.Generator, wish: Wish) -> str:
    parts = Parts(_noun(params, rng, wish), front=[wish.opposite])
    for name, strength in params["modifiers"].items():
        if not _named(rng, wish, "condition"):
            continue
        if rng.random() < 0.75:
            degree = _pick(DEGREES[strength], rng)
            parts.front.append(f"{degree} {_condition_word(name, rng, wish)}".strip())
        else:
            parts.back.append(_pick(MODIFIER_PHRASES[name], rng))
    _add_details(parts, params, rng, wish, most=2)
    _add_mixture(parts, params, rng, wish)
    if _named(rng, wish, "colour", 0.85) or wish.name == "joint":
        parts.colour = colour_word(params, rng)
    if rng.random() < 0.25:
        rng.shuffle(parts.front)
    return _styled(parts, rng)


def _add_details(parts: Parts, params: Params, rng: np.random.Generator, wish: Wish, most: int) -> None:
    """Scale, finish, layout, joint, texture: what must be named, and at most so many others."""
    order = np.argsort(rng.random(len(DETAILS)))
    drawn = [DETAILS[i] for i in order if rng.random() < DETAIL_SHARES[DETAILS[i]]]
    for factor in dict.fromkeys([wish.name, *drawn[:most]]):
        _add_detail(parts, factor, params, rng, wish)


def _add_detail(parts: Parts, factor: str, params: Params, rng: np.random.Generator, wish: Wish) -> None:
    mixture = params["mixture"]
    if factor == "scale":
        word = _scale_word(params, rng) or (params["scale"] if wish.name == "scale" else "")
        parts.front.append(word)
    elif factor == "finish" and params["finish"]:
        parts.finish = _finish_word(params, rng)
    elif factor == "layout" and params["layout"]:
        front, back = layout_parts(params["layout"], rng)
        parts.front.append(front)
        parts.back.insert(0, back)
    elif factor == "joint" and params["joint"] and not (mixture and mixture["place"] == "between"):
        parts.back.append(joint_phrase(params, rng))
    elif factor == "texture":
        parts.front.append(_texture_word(params, rng))
    elif factor == "age":
        parts.front.append(_age_word(params, rng))


def _texture_word(params: Params, rng: np.random.Generator) -> str:
    words = TEXTURE_WORDS.get(params["family"], ())
    for low, high, relief_words in RELIEF_WORDS:
        if low <= params["relief"] < high and rng.random() < 0.4:
            words = relief_words
    return _pick(words, rng) if words else ""


def _age_word(params: Params, rng: np.random.Generator) -> str:
    """How old it looks; of a material with nothing on it, what is not there."""
    if AGEING & params["modifiers"].keys():
        return _pick(AGES, rng)
    entry = REGISTRY[params["family"]]
    bare = not params["modifiers"] and not params["mixture"]
    if bare and entry.modifiers and entry.group in OPPOSABLE_GROUPS:
        return _pick(OPPOSITES[_pick(entry.modifiers, rng)], rng)
    return ""


def _joined(parts: Parts) -> str:
    """In the grammar's order; a word that the noun says already is left out."""
    said = parts.noun.split()
    before = [part for part in dict.fromkeys((*parts.front, parts.colour, parts.finish)) if part not in said]
    back = [part for part in parts.back if part]
    back[1:] = [re.sub("^with ", "and ", part) for part in back[1:]]
    return " ".join(part for part in (*before, parts.noun, *back) if part)


def _styled(parts: Parts, rng: np.random.Generator) -> str:
    back = [part for part in parts.back if part]
    before = [part for part in (*parts.front, parts.colour, parts.finish) if part]
    draw = rng.random()
    if draw < 0.07:
        tags = [re.sub(r"^(with|and) ", "", part) for part in (*before, parts.noun, *back)]
        rng.shuffle(tags)
        return ", ".join(tags)
    if draw < 0.12:
        return " ".join([parts.noun, *reversed(before), *back])
    return _pick(STYLES if back else STYLES + COMPOUND_STYLES, rng).format(_joined(parts))


def _with_typo(text: str, rng: np.random.Generator) -> str:
    """Drop, double or swap one letter within a word."""
    inner = [k for k in range(1, len(text) - 1) if text[k - 1].isalpha() and text[k].isalpha()]
    if not inner:
        return text
    at = inner[int(rng.integers(len(inner)))]
    kind = int(rng.integers(3))
    if kind == 0:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[:at] + text[at] + text[at:]
    return text[: at - 1] + text[at] + text[at - 1] + text[at + 1 :]
