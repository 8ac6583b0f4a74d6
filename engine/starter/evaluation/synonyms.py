"""Whether a CLIP understands words that it never read: withheld synonyms against the families' own names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from engine.models.guide import Clip
from engine.starter.materials import REGISTRY

TEMPLATES = ("{}", "a texture of {}")


def synonym_accuracy(clip: Clip, synonyms: Mapping[str, Sequence[str]], families: Sequence[str]) -> float:
    """Share of synonyms whose text lies nearest to the canonical noun of their own family.

    Args:
        clip: whose text tower is asked.
        synonyms: by family, nouns that the CLIP's captions never used.
        families: whose canonical nouns compete; synonyms of others are left out.
    """
    found = nearest_families(clip, synonyms, families)
    return sum(own == nearest for own, nearest in found.values()) / max(1, len(found))


def nearest_families(
    clip: Clip, synonyms: Mapping[str, Sequence[str]], families: Sequence[str]
) -> dict[str, tuple[str, str]]:
    """For every synonym the canonical noun of its own family, and the one that its text is nearest to."""
    nouns = list(dict.fromkeys(REGISTRY[family].nouns[0] for family in families))
    pairs = [(word, REGISTRY[f].nouns[0]) for f in families for word in synonyms.get(f, ())]
    if not pairs:
        return {}
    places = _embed(clip, nouns)
    nearest = (_embed(clip, [word for word, _ in pairs]) @ places.T).argmax(1).tolist()
    return {word: (own, nouns[i]) for (word, own), i in zip(pairs, nearest, strict=True)}


def _embed(clip: Clip, texts: Sequence[str]) -> Tensor:
    return torch.stack([clip.encode_templates(text, TEMPLATES) for text in texts])
