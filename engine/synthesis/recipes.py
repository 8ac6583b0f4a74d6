"""Recipes as a prompt has them: what is remembered, in the colour and the condition that are asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import cast

import torch
from torch import Tensor

from engine.models.exemplars import Exemplars
from engine.models.guide import Clip
from engine.starter.captions import canonical, meanings
from engine.starter.materials import (
    COATS,
    COLOURS,
    REGISTRY,
    Coat,
    Params,
    in_colour,
    with_coats,
    with_overlay,
)
from engine.starter.materials.mixtures import PLACES, overlays

COAT = re.compile(
    rf" \+ (\d\.\d+)(?: ({'|'.join(COLOURS)}))? ({'|'.join(COATS)})(?: ({'|'.join(PLACES)}))?(?=$| \+ )"
)
"""A coat as `described` writes it."""


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
    if recipe.get("coats"):
        bodies.append(with_coats(recipe, ()))
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
    coats = {coat["name"] for coat in recipe.get("coats", ())}
    for name in entry.modifiers:
        if name not in recipe["modifiers"] and name not in coats:
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


def seen_in_exemplars(exemplars: Exemplars, index: Tensor, guide: Clip) -> Tensor:
    """What the guide saw in exemplars (N,) when they were made: unit vectors (N, D)."""
    recipes = [cast("Params", exemplars.recipes[i]) for i in index.tolist()]
    pairs = list(zip(map(canonical, recipes), meanings(recipes), strict=True))
    names = list(dict.fromkeys(chain.from_iterable(pairs)))
    told = dict(zip(names, guide.encode_text(names), strict=True))
    return exemplars.seen(index, torch.stack([told[name] + told[meaning] for name, meaning in pairs]))


def described(recipe: Params) -> str:
    """A recipe's canonical name, and how much lies on it: "grey bricks + 0.39 mossy + 0.65 yellow leaves"."""
    coats = [
        " ".join(filter(None, (f"{coat['amount']:.2f}", coat["colour"], coat["name"], coat["place"])))
        for coat in recipe.get("coats", ())
    ]
    return " + ".join([canonical(with_coats(recipe, ())), *coats])


def called(recipe: Params, description: str) -> Params | None:
    """What a recipe may become that is described so; None if nothing is."""
    name = COAT.sub("", description)
    coats = [
        Coat(name=found[3], amount=float(found[1]), colour=found[2], place=found[4])
        for found in COAT.finditer(description)
    ]
    kin = chain(relatives(recipe), conditioned(recipe))
    body = next((p for p in kin if canonical(p) == name), None)
    return None if body is None else with_coats(body, coats)
