"""What a tag is. Nothing here computes, so that an index opens without a network."""

from __future__ import annotations

from dataclasses import dataclass

SHOWN = 0.35
"""Confidence from which a tag is worth showing, and counts in filters."""


@dataclass(frozen=True)
class Tag:
    """One word about a texture and how likely it holds, 0..1."""

    facet: str
    label: str
    confidence: float
