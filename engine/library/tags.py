"""What a tag is. Nothing here computes, so that an index opens without a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

SHOWN = 0.35
"""Confidence from which a tag is worth showing, and counts in filters."""


@dataclass(frozen=True)
class Tag:
    """One word about a texture and how likely it holds, 0..1."""

    facet: str
    label: str
    confidence: float


def as_dicts(tags: Sequence[Tag]) -> list[dict[str, Any]]:
    """Tags for JSON."""
    return [asdict(tag) for tag in tags]
