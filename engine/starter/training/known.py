"""What is written about the guide's words when it is finished: which it read, which count as known."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import torch

from engine.compute import Compute
from engine.models.guide import Clip
from engine.models.known import FILE, FUNCTION_WORDS, Known, words_of
from engine.starter import captions
from engine.starter.captions import grammar
from engine.starter.materials import COLOURS, MODIFIERS, REGISTRY, Params

log = logging.getLogger(__name__)

FOREIGN = (
    "cathedral", "umbrella", "engine", "portrait", "motorcycle", "senator", "president", "guitar",
    "football", "birthday", "computer", "election", "keyboard", "robot", "violin",
)  # fmt: skip
"""Words of what no surface is made of: they must not count as known."""

OFTEN = 3
"""How often captions use what is no slip of the finger: other words may be compared with it."""

SYNONYMS_KNOWN = 0.9
"""The share of the words of unread synonyms that should count as known."""


def describe(params: list[Params], used: Mapping[str, int]) -> Known:
    """What a CLIP knows whose captions were of these materials and used words so often; threshold 1."""
    read = frozenset(used)
    nouns: dict[str, tuple[str, ...]] = {}
    for family in sorted({p["family"] for p in params}):
        first, *others = REGISTRY[family].nouns
        told = [n for n in dict.fromkeys(others) if n != first and read.issuperset(words_of(n))]
        nouns[first] = (*nouns.get(first, ()), *told)
    phrases = [*nouns, *(n for others in nouns.values() for n in others), *map(captions.canonical, params)]
    near = {w for phrase in (*phrases, *COLOURS, *MODIFIERS) for w in words_of(phrase)}
    near |= {w for w, count in used.items() if count >= OFTEN}
    style = {w for text in (*grammar.STYLES, *grammar.COMPOUND_STYLES) for w in words_of(text)}
    return Known(
        nouns=nouns,
        words=tuple(sorted(read)),
        near=tuple(sorted((near & read) - FUNCTION_WORDS - style)),
        threshold=1.0,
    )


def synonym_words(params: list[Params], known: Known) -> list[str]:
    """All words of the nouns and conditions that no caption used as a whole: what a person may well type."""
    nouns = {n for family in {p["family"] for p in params} for n in REGISTRY[family].nouns}
    phrases = [words_of(phrase) for phrase in sorted(nouns | captions.withheld_conditions())]
    unread = [words for words in phrases if not set(words) <= set(known.words)]
    return [word for words in unread for word in words if word not in FUNCTION_WORDS]


def threshold(foreign: torch.Tensor, synonyms: torch.Tensor) -> float:
    """Where known begins: above every foreign word, and below nine in ten synonyms if there is room.

    Args:
        foreign: closeness of words that must count as unknown, (F,) cosines.
        synonyms: of words that should count as known, (S,) cosines, S may be 0.
    """
    least = float(foreign.max())
    if not len(synonyms):
        return least + 0.05
    wanted = float(synonyms.quantile(1 - SYNONYMS_KNOWN))
    return (least + wanted) / 2 if wanted > least else least + 1e-3


def write(folder: Path, params: list[Params], used: Mapping[str, int], compute: Compute) -> None:
    """Writes known.json beside exported weights, its threshold measured on their token table."""
    known = describe(params, used)
    clip = Clip(f"local-dir:{folder}", compute, known=known)
    foreign = [w for w in FOREIGN if w not in known.words]
    words = synonym_words(params, known)
    strange = clip.closeness([*foreign, *words])
    strange, synonyms = strange[: len(foreign)], strange[len(foreign) :]
    synonyms[[word in known.words for word in words]] = 1.0
    at = threshold(strange, synonyms)
    share = float((synonyms >= at).float().mean()) if words else 1.0
    log.info(
        "from a closeness of %.3f on a word is known; so are %.0f %% of synonyms' words", at, 100 * share
    )
    known = known.model_copy(update={"threshold": round(at, 4)})
    partial = folder / "known.part"
    partial.write_text(known.model_dump_json(indent=1) + "\n", "utf-8")
    partial.replace(folder / FILE)
