"""What a small CLIP was taught to read, written beside its weights: `known.json`."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from engine.errors import BadWeights

FILE = "known.json"

FUNCTION_WORDS = frozenset({
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "from", "had", "has", "have", "in", "into",
    "is", "it", "its", "made", "make", "makes", "me", "my", "no", "not", "of", "off", "on", "or", "our",
    "out", "over", "please", "some", "than", "that", "the", "their", "them", "these", "this", "those",
    "through", "to", "under", "up", "very", "was", "were", "which", "while", "with", "without", "your",
})  # fmt: skip
"""Words that say nothing about a surface: nobody has to know them."""


class Known(BaseModel):
    """Nouns and words of a pack, and how near to them another word must be to count as known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    nouns: dict[str, tuple[str, ...]]  # canonical noun of each family → its other nouns
    words: tuple[str, ...]  # every word that training captions used
    near: tuple[str, ...]  # those of them that say something about a surface
    threshold: float  # least cosine of a word's token rows to those of one in `near`


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, in order, numbers and signs left out."""
    return re.findall(r"[^\W\d_]+", text.lower())


def read(folder: Path) -> Known | None:
    """What lies in a model's folder; None where the weights are older than the file.

    Raises:
        BadWeights: the file is there and cannot be read.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        return Known.model_validate_json(path.read_text("utf-8"))
    except (OSError, ValidationError) as error:
        raise BadWeights(
            f"{FILE} of the pack cannot be read. Install the pack again.", field="pack", details=str(error)
        ) from error
