"""What is written about the guide's words when it is finished: which it read, which count as known."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

import torch

from engine.compute import Compute
from engine.models.guide import Clip
from engine.models.known import FILE, FUNCTION_WORDS, Known, words_of
from engine.starter import captions
from engine.starter.materials import COLOURS, MODIFIERS, REGISTRY, Params

log = logging.getLogger(__name__)

FOREIGN = (
    "cathedral", "spaceship", "engine", "portrait", "motorcycle", "giraffe", "president", "guitar",
    "football", "birthday", "computer", "election", "keyboard", "robot", "dragon",
)  # fmt: skip
"""Words of what no surface is made of: they must not count as known."""

SYNONYMS_KNOWN = 0.9
"""The share of unread words of the families' own nouns that should count as known."""


def describe(params: list[Params], words: Iterable[str]) -> Known:
    """What a CLIP knows whose captions were of these materials and used these words; threshold 1."""
    used = frozenset(words)
    nouns: dict[str, tuple[str, ...]] = {}
    for family in sorted({p["family"] for p in params}):
        first, *others = REGISTRY[family].nouns
        read = [n for n in dict.fromkeys(others) if n != first and used.issuperset(words_of(n))]
        nouns[first] = (*nouns.get(first, ()), *read)
    phrases = [*nouns, *(n for others in nouns.values() for n in others), *map(captions.canonical, params)]
    near = {w for phrase in (*phrases, *COLOURS, *MODIFIERS) for w in words_of(phrase)}
    return Known(
        nouns=nouns,
        words=tuple(sorted(used)),
        near=tuple(sorted((near & used) - FUNCTION_WORDS)),
        threshold=1.0,
    )


def unread_synonyms(params: list[Params], known: Known) -> list[str]:
    """Words of the families' nouns and of conditions that no caption used: what a person may well type."""
    nouns = {n for family in {p["family"] for p in params} for n in REGISTRY[family].nouns}
    phrases = nouns | captions.withheld_conditions()
    return sorted({w for text in phrases for w in words_of(text)} - set(known.words) - FUNCTION_WORDS)


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


def write(folder: Path, params: list[Params], words: Iterable[str], compute: Compute) -> None:
    """Writes known.json beside exported weights, its threshold measured on their token table."""
    known = describe(params, words)
    clip = Clip(f"local-dir:{folder}", compute, known=known)
    foreign = [w for w in FOREIGN if w not in known.words]
    synonyms = unread_synonyms(params, known)
    cosines = clip.closeness([*foreign, *synonyms])
    at = threshold(cosines[: len(foreign)], cosines[len(foreign) :])
    passed = int((cosines[len(foreign) :] >= at).sum())
    log.info("closeness %.3f counts as known; so do %d of %d unread synonyms", at, passed, len(synonyms))
    known = known.model_copy(update={"threshold": round(at, 4)})
    partial = folder / "known.part"
    partial.write_text(known.model_dump_json(indent=1) + "\n", "utf-8")
    partial.replace(folder / FILE)
