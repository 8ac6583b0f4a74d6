"""What prompts say lies on a material, and how much of it: "snow-covered bricks | moss:0.4".

The grammar read backwards, for what can be laid on anything (`materials.coats`): words for it are taken out
of a prompt, with what belongs to them, and what is left names the material. Only prompts that name a family
of materials are read so, since of others nobody knows which word says what; and what belongs to a
family's name stays, as in "rusty metal", "cracked mud" and "moss" alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from engine.starter.captions.lexicon import (
    DEGREES,
    MODIFIER_PHRASES,
    MODIFIER_WORDS,
    PALETTE_NOUNS,
    PLACE_NOUNS,
)
from engine.starter.captions.phrases import OVERLAY_FRONTS, OVERLAY_NOUNS
from engine.starter.materials import COATS, COLOURS, REGISTRY, STRENGTHS, Coat
from engine.starter.materials.coats import most

FRONTS: dict[str, tuple[str, ...]] = {  # before the noun, beside those of the lexicon
    "mossy": ("mossed", "moss-grown"),
    "snowy": ("snow-dusted", "snowed", "snow-capped"),
    "frosted": ("frosted", "frosty", "icy", "frost-covered", "rimed"),
    "painted": ("painted", "lacquered"),
    "gilded": ("gilded", "gold-plated", "gilt"),
    "ashen": ("ashen", "ashy", "ash-covered"),
    "slimy": ("slimy", "slime-covered", "oozing"),
    "bloody": ("bloody", "blood-stained", "bloodstained", "blood-splattered", "blood-spattered"),
    "leaves": ("leaf-littered", "leafy", *OVERLAY_FRONTS["forest_leaves"]),
    "sand": ("sandy", "sand-covered", *OVERLAY_FRONTS["sand_ripples"]),
    "grass": ("grass-covered", *OVERLAY_FRONTS["grass"]),
    "pebbles": OVERLAY_FRONTS["pebbles"],
    "gold": ("gold-veined", *OVERLAY_FRONTS["gold_leaf"]),
    "lava": OVERLAY_FRONTS["lava"],
}
COLOURS_TOO = ("gold", "gold leaf")
"""Words that mean a coat behind "with" or alone: gold tiles are not veined."""

TAKEN = 2.0
"""How much more of a coat negative weights take than positive ones give: at ½, as the weight of negative
prompts is, what the same words would bring is gone."""

NOUNS: dict[str, tuple[str, ...]] = {  # of what lies there
    "mossy": ("moss", "lichen"),
    "wet": ("water", "puddles", "rain"),
    "rusty": ("rust", "rust stains", "corrosion"),
    "dusty": ("dust",),
    "cracked": ("cracks", "deep cracks"),
    "worn": ("worn edges", "signs of wear"),
    "scratched": ("scratches",),
    "snowy": ("snow", "fresh snow"),
    "burnt": ("burn marks", "scorch marks"),
    "dirty": ("dirt", "grime", "mud"),
    "stained": ("stains", "water stains"),
    "frosted": ("frost", "hoarfrost", "rime"),
    "gilded": ("gilding",),
    "ashen": ("ash", "ashes"),
    "slimy": ("slime",),
    "bloody": ("blood", "blood stains", "bloodstains"),
    "painted": ("paint",),
    "leaves": ("autumn leaves", "dry leaves", *OVERLAY_NOUNS["forest_leaves"]),
    "sand": OVERLAY_NOUNS["sand_ripples"],
    "grass": OVERLAY_NOUNS["grass"],
    "pebbles": OVERLAY_NOUNS["pebbles"],
    "lava": OVERLAY_NOUNS["lava"],
    "gold": ("gold veins", "gold joints", "gold seams", "gold grout", "veins of gold", "seams of gold",
             *COLOURS_TOO),
}  # fmt: skip

MUCH = ("covered in", "covered with", "covered by", "buried in", "buried under", "full of", "lots of", "much",
        "thick", "deep", "heavy", "dense", "completely", "fully", "thickly", "densely",
        *DEGREES["heavily"])  # fmt: skip
LITTLE = ("partly covered in", "partly covered with", "patches of", "a little", "a bit of", "some", "few",
          "a few", "thin", "light", "sparse", "a dusting of", "traces of", *DEGREES["slightly"])  # fmt: skip
LEADS = ("with", "and", "under", "in", "of", "after", "by", "strewn with", "scattered with", "filled with")
FOLLOWS = ("growing", "lying", "flowing", "covering", "scattered", "on it", "on them", "all over")
GAP = r"(?:between|in)(?: the| its)? (?:joints|gaps|cracks|crevices|seams|veins|grooves|stones|blocks|them)"
OVER = r"(?:over|on top of|on top|on|onto|between|in between)(?: the)?"


@dataclass(frozen=True)
class Reading:
    """What prompts come to.

    Attributes:
        materials: of each prompt the words for the material; None where it only says what lies on it.
        coats: what lies on it, in the order of COATS.
    """

    materials: tuple[str | None, ...]
    coats: tuple[Coat, ...]


@dataclass(frozen=True)
class _Said:
    """One coat in one prompt."""

    name: str
    strength: float
    colour: str | None
    place: str | None


def read(prompts: Sequence[tuple[str, float]]) -> Reading | None:
    """What prompts with their weights say; None where they name no coat, or nothing that one may lie on.

    The amount of a coat is what its words say, "slightly" or "heavily", times the prompt's weight beside
    that of the heaviest one that names a material. What several prompts say adds up, and with a weight
    below 0 one that names nothing but coats takes away.
    """
    parts = [_parsed(text) for text, _ in prompts]
    named = [
        weight for (material, _), (_, weight) in zip(parts, prompts, strict=True) if material and weight > 0
    ]
    if not named:
        return None
    whole, found = max(named), list[tuple[_Said, float]]()
    materials: list[str | None] = []
    for (material, said), (text, weight) in zip(parts, prompts, strict=True):
        alone = material is None
        materials.append(None if alone and weight > 0 else material if weight > 0 else text)
        if weight < 0 and not alone:
            continue
        found += [(one, one.strength * weight / whole * (TAKEN if weight < 0 else 1)) for one in said]
    if not any(said for _, said in parts):
        return None
    coats = [
        coat for name in COATS if (coat := _summed(name, [pair for pair in found if pair[0].name == name]))
    ]
    return Reading(tuple(materials), tuple(coats))


def _summed(name: str, found: Sequence[tuple[_Said, float]]) -> Coat | None:
    """All that prompts say of one coat, with the amounts that it comes to there; None if nothing is left."""
    amount = round(min(most(name), sum(amount for _, amount in found)), 2)
    if amount <= 0:
        return None
    colour = next((one.colour for one, _ in found if one.colour), None)
    place = next((one.place for one, _ in found if one.place), None)
    return Coat(name=name, amount=amount, colour=colour, place=place)


def _parsed(text: str) -> tuple[str | None, list[_Said]]:
    """The words for the material in a prompt, and its coats; no such words where there are coats alone."""
    low = f" {' '.join(text.lower().replace(',', ' , ').split())} "
    spans = [(m.start(), m.end(), m[0]) for m in _words().finditer(low) if _meant(low, m)]
    hosts = [span for span in spans if span[2] in _materials() and span[2] not in _coat_words()]
    kept = {span[0] for span in hosts}
    if not hosts and (both := [span for span in spans if span[2] in _materials()]):
        if len({_coat_words()[word] for _, _, word in both}) > 1:
            kept = {_beneath(low, both)[0]}
        elif len({_coat_words().get(word) for _, _, word in spans}) > 1:
            kept = {both[0][0]}
    said, rest, at = dict[str, _Said](), "", 0
    for start, end, word in spans:
        if start in kept or word not in _coat_words() or start < at:
            continue
        before, one, at = _phrase(low[at:start], word, low, end)
        said[one.name] = max(one, said.get(one.name, one), key=lambda other: other.strength)
        rest = f"{rest}{before} "
    rest = _trimmed(rest + low[at:])
    if not said:
        return text, []
    if not rest:
        return None, list(said.values())
    return (rest, list(said.values())) if kept else (text, [])


def _meant(low: str, found: re.Match[str]) -> bool:
    """Whether a word means a coat or a material here, and not a colour."""
    before = low[: found.start()]
    return (
        found[0] not in COLOURS_TOO or not low.replace(found[0], "").strip() or bool(_lead().search(before))
    )


def _beneath(low: str, both: list[tuple[int, int, str]]) -> tuple[int, int, str]:
    """Of materials that may all lie on another the one below, as grass in "snow on grass"."""
    first, second = both[0], both[1]
    return second if re.search(rf"\b{OVER}\b", low[first[1] : second[0]]) else first


def _phrase(before: str, word: str, low: str, end: int) -> tuple[str, _Said, int]:
    """A coat with the words around it that belong to it: what stands before, the coat, where it ends."""
    strength, colour, place = STRENGTHS["plain"], None, None
    name, noun = _coat_words()[word], word in _nouns()
    if "covered" in word:
        strength = STRENGTHS["heavily"]
    while True:
        m = _lead().search(before)
        tinted = re.search(rf" ({'|'.join(COLOURS)}) $", before) if noun or name == "painted" else None
        if tinted:
            before, colour = before[: tinted.start()] + " ", tinted[1]
        elif m:
            before = before[: m.start()] + " "
            strength = STRENGTHS["heavily"] if m[1] in MUCH else strength
            strength = STRENGTHS["slightly"] if m[1] in LITTLE else strength
        else:
            break
    tail = low[end:]
    while m := _follow().match(tail):
        if m["gap"] or "between" in m[0]:
            place = "between"
        elif m["over"] or "top" in m[0]:
            place = place or "on top"
        if m["colour"] and name != "painted":
            break
        colour = m["colour"] or colour
        tail = tail[m.end() :]
    return before, _Said(name, strength, colour, place), len(low) - len(tail)


def _trimmed(text: str) -> str:
    """Without what joined things that are gone."""
    text = " ".join(text.split()).replace(" ,", ",")
    text = re.sub(r"^(?:(?:,|with|and|under|in|on|over|covered|the)\b\s*|,\s*)+", "", text)
    return re.sub(r"(?:,|\s)*(?:\b(?:with|and|under|in|on|over|covered|of)\b|,|\s)*$", "", text).strip()


@cache
def _nouns() -> frozenset[str]:
    return frozenset(word for words in NOUNS.values() for word in words)


@cache
def _coat_words() -> dict[str, str]:
    """Every word for a coat, and the coat."""
    found = {word: name for name, words in NOUNS.items() for word in words}
    found |= {word: name for name, words in FRONTS.items() for word in words}
    found |= {word: name for name, words in MODIFIER_WORDS.items() for word in words}
    phrases = {phrase: name for name, all_ in MODIFIER_PHRASES.items() for phrase in all_}
    return found | {p: name for p, name in phrases.items() if not any(w in p.split() for w in found)}


@cache
def _materials() -> frozenset[str]:
    """Every name of a family."""
    nouns = {noun for entry in REGISTRY.values() for noun in entry.nouns}
    nouns |= {noun for found in (PLACE_NOUNS, PALETTE_NOUNS) for all_ in found.values() for noun in all_}
    nouns |= {"scifi panels", "sci fi panels", "stone", "rock"}
    single = {noun.removesuffix("s") for noun in nouns if noun.endswith("s") and not noun.endswith("ss")}
    return frozenset(nouns | (single - _coat_words().keys()))


@cache
def _words() -> re.Pattern[str]:
    """Any of them, the longest that fits, and whole: not in "rust-coloured"."""
    words = sorted({*_coat_words(), *_materials()}, key=lambda word: (-len(word), word))
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, words))})(?![\w-]| colou?red)")


def _one_of(words: Sequence[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(filter(None, words), key=len, reverse=True))


@cache
def _lead() -> re.Pattern[str]:
    return re.compile(rf"(?<= )({_one_of((*MUCH, *LITTLE, *LEADS))}) $")


@cache
def _follow() -> re.Pattern[str]:
    return re.compile(
        rf" (?:(?P<gap>{GAP})|(?P<over>{OVER})|(?P<colour>{'|'.join(COLOURS)})|{_one_of(FOLLOWS)})(?= )"
    )
