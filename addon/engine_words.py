"""What the engine says, in the artist's language: its sentences by their templates, its tags. No bpy.

The engine speaks English. `translations/engine` has, for each language, its sentences with {} in the place of
whatever it fills in, and the words that it tags textures with. What is in neither comes back as it is.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

FOLDER = Path(__file__).parent / "translations" / "engine"
KEPT = 512  # sentences that are remembered: panels ask for the same ones at every drawing
SLOT = "{}"


def say(text: str, language: str) -> str:
    """A sentence or a tag in a language; English where that is not there.

    Args:
        text: as the engine has it.
        language: as Blender names it, such as "es" or "es_ES".
    """
    short = language.partition("_")[0]
    return _say(text, short) if short in _languages() else text


@functools.cache
def _languages() -> frozenset[str]:
    return frozenset(file.stem for file in FOLDER.glob("*.json"))


@functools.lru_cache(KEPT)
def _say(text: str, language: str) -> str:
    exact, patterns = _words(language)
    if text in exact:
        return exact[text]
    for pattern, said in patterns:
        if match := pattern.fullmatch(text):
            return _filled(said, match.groups())
    return text


@functools.lru_cache(8)
def _words(language: str) -> tuple[dict[str, str], list[tuple[re.Pattern[str], str]]]:
    """What has no slots, and patterns with what they mean: the more they say of themselves, the earlier."""
    content = json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8"))
    sentences: dict[str, str] = dict(_expanded(content["sentences"]))
    exact = {text: said for text, said in sentences.items() if SLOT not in text} | content["tags"]
    templates = sorted((text for text in sentences if SLOT in text), key=_letters, reverse=True)
    return exact, [(_pattern(text), sentences[text]) for text in templates]


def _expanded(sentences: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The sentences, and those that end in a fault with every fault: where a slot begins, none can tell."""
    faults = {text: said for text, said in sentences.items() if text[0].islower()}
    for text, said in sentences.items():
        yield text, said
        if text.endswith(f" {SLOT}."):
            head, meant = text.removesuffix(f"{SLOT}."), said.removesuffix(f"{SLOT}.")
            if meant != said:
                yield from ((f"{head}{fault}.", f"{meant}{words}.") for fault, words in faults.items())


def _letters(template: str) -> int:
    return len(template.replace(SLOT, ""))


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile("(.+?)".join(map(re.escape, template.split(SLOT))), re.DOTALL)


def _filled(said: str, parts: Sequence[str]) -> str:
    """The parts in the slots, in their order and as they are: names, numbers, words for a prompt."""
    pieces = said.split(SLOT)
    return "".join(piece + part for piece, part in zip(pieces, [*parts, ""], strict=True))
