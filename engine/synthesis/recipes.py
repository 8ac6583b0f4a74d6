"""Recipes as a prompt has them: what is remembered, in the colour and the condition that are asked for."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from engine.models.guide import Clip
from engine.starter.captions import canonical
from engine.starter.materials import COLOURS, REGISTRY, Params, in_colour


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


def called(recipe: Params, name: str) -> Params | None:
    """The recipe's relative of this canonical name; None if it has none."""
    return next((p for p in relatives(recipe) if canonical(p) == name), None)
