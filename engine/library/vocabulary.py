"""The words that textures are tagged with, by facet, and what a CLIP is asked about each."""

from __future__ import annotations

from dataclasses import dataclass

from engine.starter.captions import withheld_nouns
from engine.starter.captions.lexicon import FINISH_WORDS, GENERIC_NOUNS, MODIFIER_WORDS, TEXTURE_WORDS
from engine.starter.materials import COLOURS, REGISTRY

TEMPLATES = ("{}", "a texture of {}", "a photo of {}")
"""Prompt ensembling, Radford et al. 2021, section 3.1.4, with styles of captions of textures."""

NOUNS_PER_MATERIAL = 3

NEUTRAL = ("a texture", "a surface", "a material", "a photo")
"""What a word of the user's own is held against."""

PATTERN_WORDS: dict[str, tuple[str, ...]] = {  # the first one is the tag
    "striped": ("striped", "stripy"),
    "spotted": ("spotted",),
    "blotchy": ("blotchy", "patchy", "patched"),
    "woven": ("woven", "crosshatched", "twilled"),
    "knitted": ("knitted", "braided"),
    "interlaced": ("interlaced", "meshed"),
    "banded": ("banded", "stratified", "swirly"),
    "layered": ("layered", "overlapping"),
    "veined": ("veined", "marbled"),
    "speckled": ("speckled", "flecked", "grainy"),
    "grained": ("grained",),
    "streaked": ("streaked", "lined"),
    "grooved": ("grooved", "ribbed"),
    "scaly": ("scaly",),
    "hexagonal": ("hexagonal", "honeycombed", "six-sided"),
    "square": ("square", "chequered", "tessellated"),
    "zigzag": ("zigzagged",),
    "dotted": ("dotted", "polka-dotted", "perforated"),
    "rounded": ("rounded", "bumpy"),
    "wavy": ("wavy", "rippled"),
    "crystalline": ("crystalline", "faceted"),
    "wrinkled": ("wrinkled", "creased"),
    "dimpled": ("dimpled", "pitted", "porous"),
    "studded": ("studded", "embossed"),
    "soft": ("soft", "fluffy", "hairy"),
    "fibrous": ("fibrous",),
    "flaky": ("flaky",),
    "glowing": ("glowing",),
}


@dataclass(frozen=True)
class Material:
    """A material as people search for it: its tag, and every noun that it is asked about by."""

    tag: str
    nouns: tuple[str, ...]


def _nouns(family: str) -> tuple[str, ...]:
    strange = {*withheld_nouns().get(family, ()), *GENERIC_NOUNS}
    first, *others = REGISTRY[family].nouns
    return (first, *[noun for noun in dict.fromkeys(others) if noun not in strange])[:NOUNS_PER_MATERIAL]


FAMILIES: tuple[str, ...] = tuple(sorted(REGISTRY))
MATERIALS: tuple[Material, ...] = tuple(Material(REGISTRY[f].nouns[0], _nouns(f)) for f in FAMILIES)
CONDITIONS: tuple[str, ...] = tuple(MODIFIER_WORDS)
FINISHES: tuple[str, ...] = tuple(FINISH_WORDS)
PATTERNS: tuple[str, ...] = tuple(PATTERN_WORDS)

LABELS: dict[str, tuple[str, ...]] = {
    "material": tuple(material.tag for material in MATERIALS),
    "colour": COLOURS,
    "condition": CONDITIONS,
    "finish": FINISHES,
    "pattern": PATTERNS,
}
"""Facet → its tags. A texture has one material and one colour, and any number of the others."""

EXCLUSIVE = ("material", "colour")


def has_pattern(pattern: str, family: str) -> bool:
    """Whether the lexicon calls a family of materials by one of a pattern's words."""
    return bool({*PATTERN_WORDS[pattern]} & {*TEXTURE_WORDS.get(family, ())})
