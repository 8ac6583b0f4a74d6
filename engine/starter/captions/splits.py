"""What training never sees: combinations of family and colour, and words that only the judge learns.

Everything is fixed by hash, so training and evaluation agree without a file.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import cache

from engine.starter.captions import colour_words, lexicon, phrases
from engine.starter.materials import COLOURS, FAMILIES, REGISTRY, Params
from engine.starter.materials.colour import FINE_TERMS

HELD_OUT_SHARE = 0.1
HELD_OUT_PER_FAMILY = 3
HELD_OUT_PER_COLOUR = 2
PROMISED = frozenset({("square_tiles", "blue")})  # what the README shows stays in training

WITHHOLDING_SHARE = 0.65  # of the families have one noun withheld: about one noun in ten
WITHHELD_CONDITIONS = 8


def _digest(*names: str) -> bytes:
    return hashlib.sha256("/".join(names).encode()).digest()


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
    for pair in sorted(candidates, key=lambda pair: _digest(*pair)):
        if len(chosen) >= HELD_OUT_SHARE * len(natural | coloured):
            break
        names, colours = [p[0] for p in chosen], [p[1] for p in chosen]
        if names.count(pair[0]) < HELD_OUT_PER_FAMILY and colours.count(pair[1]) < HELD_OUT_PER_COLOUR:
            chosen.append(pair)
    return frozenset(chosen)


def is_held_out(params: Params, families: tuple[str, ...] = FAMILIES) -> bool:
    """True for materials that only evaluation may see, where training takes its own from these families."""
    return (params["family"], params["colour"]) in held_out(families)


@cache
def withheld_nouns() -> dict[str, tuple[str, ...]]:
    """By family, the nouns that the guide's captions never use: never the canonical one.

    What also stands inside another noun or phrase cannot be withheld, and is not chosen.
    """
    chosen: dict[str, tuple[str, ...]] = {}
    for name, entry in REGISTRY.items():
        free = [noun for noun in dict.fromkeys(entry.nouns[1:]) if _stands_alone(noun)]
        if free and _digest("withhold", name)[0] < 256 * WITHHOLDING_SHARE:
            chosen[name] = (min(free, key=lambda noun: _digest(name, noun)),)
    return chosen


@cache
def withheld_conditions() -> frozenset[str]:
    """The condition words that the guide's captions never use, of eight conditions one each."""
    free = []
    for name, words in lexicon.MODIFIER_WORDS.items():
        alone = [word for word in dict.fromkeys(words) if word != words[0] and _stands_alone(word)]
        if alone:
            free.append(min(alone, key=lambda word: _digest(name, word)))
    return frozenset(sorted(free, key=lambda word: _digest("condition", word))[:WITHHELD_CONDITIONS])


@cache
def withheld_pattern() -> re.Pattern[str]:
    """Finds a withheld noun or condition word anywhere in a caption."""
    words = [noun for nouns in withheld_nouns().values() for noun in nouns] + sorted(withheld_conditions())
    return re.compile(r"\b(?:" + "|".join(map(re.escape, words)) + r")\b")


def _stands_alone(phrase: str) -> bool:
    """False where other wording would give it away: "brick" in "brick wall"."""
    inside = re.compile(rf"\b{re.escape(phrase)}\b")
    return not any(text != phrase and inside.search(text) for text in _wordings()) and (
        _wordings().count(phrase) == 1
    )


@cache
def _wordings() -> tuple[str, ...]:
    """Every piece that a caption may be put together from, each as often as it has a meaning."""

    def pieces() -> Iterator[str]:
        for entry in REGISTRY.values():
            yield from dict.fromkeys((*entry.nouns, entry.joint))
        for words in lexicon.MODIFIER_WORDS.values():
            yield from dict.fromkeys(words)
        tables = (
            lexicon.MODIFIER_PHRASES, lexicon.OPPOSITES, lexicon.DEGREES, lexicon.SCALE_WORDS,
            lexicon.FINISH_WORDS, lexicon.TEXTURE_WORDS, lexicon.PLACE_NOUNS, lexicon.PALETTE_NOUNS,
            colour_words.COLOUR_SYNONYMS, phrases.LAYOUT_WORDS, phrases.LAYOUT_PHRASES, phrases.OVERLAY_NOUNS,
            phrases.OVERLAY_FRONTS, phrases.GAPS, phrases.BETWEEN, phrases.ON_TOP,
        )  # fmt: skip
        for table in tables:
            for words in table.values():
                yield from words
        yield from (*lexicon.AGES, *FINE_TERMS, *phrases.GOLD_VEINS, *phrases.TILE_GAPS, "autumn leaves")
        yield from (word for _, _, words in lexicon.RELIEF_WORDS for word in words)

    return tuple(pieces())
