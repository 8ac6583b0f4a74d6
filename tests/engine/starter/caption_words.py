"""Materials to write captions of, and what a caption says."""

from __future__ import annotations

import re

import pytest
from hypothesis import strategies as st

from engine.starter.captions import COLOURS, grammar, lexicon
from engine.starter.materials import REGISTRY, sample

seeds = st.integers(0, 2**40)
draws = st.integers(0, 2**32 - 1)


def drawn(seed):
    """A material as it comes back from the renderer, with the colour of its joints."""
    params = sample(seed)
    joints = REGISTRY[params["family"]].joint
    return {**params, "joint": COLOURS[seed % len(COLOURS)]} if joints else params


def spelt(text):
    """In one spelling, the British one where the two differ."""
    return grammar.american(text)


def says(text, phrase):
    return re.search(rf"(?<![\w-]){re.escape(spelt(phrase))}(?![\w-])", spelt(text)) is not None


def without_typos(function, *args, **kwargs):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grammar, "TYPO_SHARE", 0)
        return function(*args, **kwargs)


def names_for(params):
    """Every noun that this material may be called by."""
    family, palette = params["family"], params["palette"]
    special = lexicon.PALETTE_NOUNS.get((family, palette), ())
    return (*REGISTRY[family].nouns, *special, *lexicon.PLACE_NOUNS.get(family, ()))


def without_nouns(params, text):
    """What is said besides the nouns, of the material and of what lies on it."""
    text = spelt(text)
    for noun in sorted(names_for(params), key=len, reverse=True):
        text = text.replace(spelt(noun), " ")
    return text
