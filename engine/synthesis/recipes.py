"""Recipes as a prompt has them: what is remembered, in the colour and the condition that are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from torch import Tensor

from engine.models.guide import Clip
from engine.starter.captions import canonical
from engine.starter.materials import COLOURS, REGISTRY, Params, in_colour, with_overlay
from engine.starter.materials.mixtures import overlays


def relatives(recipe: Params) -> Iterator[Params]:
    """The recipe itself, then without conditions or another material on it, each in all other colours."""
    bodies = [recipe]
    if len(recipe["modifiers"]) > 1:
        bodies += [
            {**recipe, "modifiers": {k: v for k, v in recipe["modifiers"].items() if k != name}}
            for name in recipe["modifiers"]
        ]
    if recipe["modifiers"] or recipe["mixture"] is not None:
        bodies.append({**recipe, "modifiers": {}, "mixture": None})
    yield from bodies
    if REGISTRY[recipe["family"]].colourable:
        for body in bodies:
            yield from (in_colour(body, colour) for colour in COLOURS if colour != recipe["colour"])


def as_asked(recipe: Params, text: Tensor, guide: Clip) -> Params:
    """Of a recipe's relatives the one whose name the guide finds nearest to a prompt's embedding (D,).

    A pack cannot remember everything in every colour, but it can tell what a prompt says of colour. Where
    it says nothing, a name without any lies nearest, and the recipe keeps its own.
    """
    kin = list(relatives(recipe))
    bare = [p for p in kin if p["colour"] == recipe["colour"]]
    names = [canonical(p) for p in kin] + [canonical(p, coloured=False) for p in bare]
    return (kin + bare)[int((guide.encode_text(names) @ text).argmax())]


def conditioned(recipe: Params) -> Iterator[Params]:
    """The recipe with one more condition, or with another material on it, each that its family may have."""
    entry = REGISTRY[recipe["family"]]
    for name in entry.modifiers:
        if name not in recipe["modifiers"]:
            yield {**recipe, "modifiers": {**recipe["modifiers"], name: "plain"}}
    for name in dict.fromkeys(name for name, _ in overlays(recipe["family"])):
        yield with_overlay(recipe, name)


def named_nearest(recipe: Params, text: Tensor, guide: Clip) -> tuple[Params, float]:
    """Of all that a recipe may become the one whose name lies nearest to an embedding (D,), and its cosine.

    As in `as_asked`, colours count where the text says something of colour.
    """
    kin = [*relatives(recipe), *conditioned(recipe)]
    bare = [p for p in kin if p["colour"] == recipe["colour"]]
    names = [canonical(p) for p in kin] + [canonical(p, coloured=False) for p in bare]
    fit = guide.encode_text(names) @ text
    best = int(fit.argmax())
    return (kin + bare)[best], float(fit[best])


def called(recipe: Params, name: str) -> Params | None:
    """What a recipe may become that has this canonical name; None if nothing has."""
    return next((p for p in chain(relatives(recipe), conditioned(recipe)) if canonical(p) == name), None)
