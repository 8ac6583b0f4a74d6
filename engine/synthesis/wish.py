"""What a start can make of a request besides the direction of its words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from engine.models.guide import Clip
from engine.settings import RunSettings
from engine.starter.captions.reading import read
from engine.starter.materials import Coat
from engine.synthesis.prompts import Prompt, wanted
from engine.synthesis.targets import Target, of_texts


@dataclass(frozen=True)
class Wish:
    """What a start can make of a request besides what its words come to.

    Attributes:
        whole: the guide's embedding (D,) of all that is asked for, what it shall not be like taken off;
            None where that is the same as the words.
        pictures: (3, H, W), sRGB, 0..1, to come near to, and the weight of each.
        material: the embedding of the words and pictures without what lies on the material; None where
            that is the same as with it.
        weight: of the words, beside the pictures'.
        looks: what the guide sees in the pictures, (D,) each.
        coats: what lies on the material.
    """

    whole: Tensor | None = None
    pictures: tuple[tuple[Tensor, float], ...] = ()
    material: Tensor | None = None
    weight: float = 1.0
    looks: tuple[Tensor, ...] = ()
    coats: tuple[Coat, ...] = ()


WORDS = Wish()
"""Nothing but words."""


def wish_of(s: RunSettings, asked: Target, pictures: Sequence[Tensor], clip: Clip) -> Wish:
    """What starts can make of a request: what it shall not be like, pictures, and what lies on a material.

    Args:
        s: the request.
        asked: what the guide reads in it, from `targets.of_request`.
        pictures: of `s.pictures`, each (3, H, W).
        clip: the guide.
    """
    words = [] if s.vary or s.towards else wanted(s.prompt, s.negative, s.negative_weight)
    spoken = spoken_of(words, s, clip)
    texts = len(asked) - len(s.pictures)
    shown = [
        (x, asked.embeddings[texts + k], prompt.weight)
        for k, (x, prompt) in enumerate(zip(pictures, s.pictures, strict=True))
        if prompt.weight > 0
    ]
    repels = bool((asked.weights < 0).any()) and bool((asked.weights > 0).any())
    about = asked.select([True] * texts + [False] * len(s.pictures)) if spoken is None else spoken[0]
    whole = about + asked.select([False] * texts + [True] * len(s.pictures))
    return Wish(
        whole=whole.direction() if repels or spoken else None,
        pictures=tuple((x, weight) for x, _, weight in shown),
        material=None if spoken is None else whole.attracting().direction(),
        weight=float(about.attracting().weights.sum()),
        looks=tuple(seen for _, seen, _ in shown),
        coats=() if spoken is None else spoken[1],
    )


def worded(text: str, s: RunSettings, clip: Clip) -> Wish:
    """The same of a text alone, as a spot has."""
    spoken = spoken_of([Prompt(text)], s, clip)
    if spoken is None:
        return WORDS
    material = spoken[0].direction()
    return Wish(whole=material, material=material, coats=spoken[1])


def spoken_of(words: Sequence[Prompt], s: RunSettings, clip: Clip) -> tuple[Target, tuple[Coat, ...]] | None:
    """What prompts say of the material itself, and what lies on it; None where they name no such thing."""
    found = read([(p.text, p.weight) for p in words])
    if found is None:
        return None
    rest = [
        Prompt(material, p.weight, p.stop)
        for p, material in zip(words, found.materials, strict=True)
        if material is not None
    ]
    return of_texts(rest, s.templates, clip), found.coats
