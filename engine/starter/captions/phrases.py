"""Phrases of more than one word: how a material is laid, what lies between, what lies on it."""

from __future__ import annotations

import numpy as np

from engine.starter.materials import REGISTRY, Mixture, Params

LAYOUT_WORDS: dict[str, tuple[str, ...]] = {  # before the noun
    "stack bond": ("stack bonded", "stacked"),
    "staggered": ("staggered",),
    "horizontal": ("horizontal",),
    "vertical": ("vertical", "upright"),
}
LAYOUT_PHRASES: dict[str, tuple[str, ...]] = {  # behind it
    "running bond": ("in running bond", "laid in running bond", "in a running bond pattern"),
    "stack bond": ("in stack bond", "laid in stack bond", "in straight stacks"),
    "grid": ("in a grid", "in a straight grid", "laid in a square grid"),
    "staggered": ("in staggered rows", "laid with staggered joints"),
    "horizontal": ("laid horizontally", "running sideways"),
    "vertical": ("laid vertically", "running upwards"),
}

OVERLAY_NOUNS: dict[str, tuple[str, ...]] = {  # the first one is canonical
    "grass": ("grass", "grass", "tufts of grass", "blades of grass"),
    "forest_leaves": ("fallen leaves", "leaves", "leaves"),
    "snow": ("snow", "snow", "fresh snow"),
    "sand_ripples": ("sand", "sand", "loose sand"),
    "pebbles": ("pebbles", "pebbles", "gravel"),
    "gold_leaf": ("gold", "gold", "gold leaf"),
    "lava": ("lava", "lava", "molten lava", "magma"),
}
COAT_NOUNS = {  # of coats that are another material: what names of what they lie on say
    "grass": "grass",
    "leaves": "fallen leaves",
    "sand": "sand",
    "pebbles": "pebbles",
    "gold": "gold joints",
    "lava": "lava",
}
AUTUMN = frozenset({"orange", "red", "yellow", "brown"})
OVERLAY_FRONTS: dict[str, tuple[str, ...]] = {  # before the noun of what they lie on
    "grass": ("grassy",),
    "forest_leaves": ("leaf-covered", "leaf-strewn"),
    "snow": ("snow-dusted",),
    "sand_ripples": ("sand-strewn",),
    "pebbles": ("pebble-strewn",),
    "gold_leaf": ("kintsugi", "gold-filled"),
    "lava": ("lava-filled",),
}
GAPS: dict[str, tuple[str, ...]] = {
    "cobblestone": ("between them", "between the stones", "in the joints", "between the cobbles"),
    "basket_weave_pavers": ("between them", "between the bricks", "in the joints"),
    "brick_wall": ("between the bricks", "in the joints", "in the gaps"),
    "ashlar_wall": ("between the blocks", "between the stones", "in the joints"),
    "slate": ("in the cracks", "in the gaps", "in the crevices"),
    "cracked_mud": ("in the cracks", "in the gaps"),
    "wood_planks": ("between the planks", "in the gaps", "in the seams"),
    "marble": ("in the veins", "in the cracks"),
}
TILE_GAPS = ("between the tiles", "between them", "in the joints", "in the gaps")
BETWEEN: dict[str, tuple[str, ...]] = {
    "grass": ("with {noun} growing {gap}", "with {noun} {gap}", "and {noun} {gap}"),
    "sand_ripples": ("with {noun} {gap}", "filled with {noun} {gap}", "with {noun} lying {gap}"),
    "gold_leaf": ("with {noun} {gap}", "with gold joints", "joined with gold", "with seams of gold"),
    "lava": ("with {noun} {gap}", "with glowing {noun} {gap}", "with {noun} flowing {gap}"),
}
GOLD_VEINS = ("with gold veins", "with gold veins", "veined with gold", "with veins of gold")
ON_TOP: dict[str, tuple[str, ...]] = {
    "grass": ("with patches of grass", "with {noun} growing on it", "partly covered in {noun}"),
    "forest_leaves": ("covered in {noun}", "strewn with {noun}", "with {noun} on top", "under {noun}"),
    "snow": ("covered in {noun}", "with patches of snow", "partly covered in {noun}", "under {noun}"),
    "sand_ripples": ("with patches of sand", "covered in {noun}", "partly covered in {noun}"),
    "pebbles": ("strewn with {noun}", "with {noun} on top", "scattered with {noun}", "covered in {noun}"),
}  # fmt: skip


def _pick(options: tuple[str, ...], rng: np.random.Generator) -> str:
    return options[int(rng.random() * len(options))]


def layout_parts(layout: str, rng: np.random.Generator) -> tuple[str, str]:
    """A word to stand before the noun and a phrase behind it; one of the two is empty."""
    if layout in LAYOUT_WORDS and rng.random() < 0.5:
        return _pick(LAYOUT_WORDS[layout], rng), ""
    return "", _pick(LAYOUT_PHRASES[layout], rng)


def joint_phrase(params: Params, rng: np.random.Generator) -> str:
    """What lies between: "with white mortar"."""
    noun = REGISTRY[params["family"]].joint
    return _pick(
        (f"with {params['joint']} {noun}", f"with {params['joint']} {noun}", f"and {params['joint']} {noun}"),
        rng,
    )


def mixture_name(family: str, mixture: Mixture) -> str:
    """The plain name of what is mixed in: the same for the same meaning."""
    over = mixture["overlay"]["family"]
    if over == "gold_leaf" and mixture["place"] == "between":
        return "gold veins" if family == "marble" else "gold joints"
    return OVERLAY_NOUNS[over][0]


def mixture_parts(params: Params, mixture: Mixture, rng: np.random.Generator) -> tuple[str, str]:
    """A word to stand before the noun and a phrase behind it; one of the two is empty."""
    family, overlay = params["family"], mixture["overlay"]
    over = overlay["family"]
    veins = over == "gold_leaf" and family == "marble"
    if rng.random() < 0.15:
        return ("gold-veined" if veins else _pick(OVERLAY_FRONTS[over], rng)), ""
    if rng.random() < 0.25:
        return "", f"with {mixture_name(family, mixture)}"
    if veins and rng.random() < 0.75:
        return "", _pick(GOLD_VEINS, rng)
    noun = _overlay_noun(overlay, rng)
    if mixture["place"] == "on top":
        return "", _pick(ON_TOP[over], rng).format(noun=noun)
    gap = _pick(GAPS.get(family, TILE_GAPS), rng)
    if veins:
        return "", f"with {noun} {gap}"
    return "", _pick(BETWEEN[over], rng).format(noun=noun, gap=gap)


def _overlay_noun(overlay: Params, rng: np.random.Generator) -> str:
    """Its noun, now and then coloured."""
    family, colour = overlay["family"], overlay["colour"]
    noun, draw = _pick(OVERLAY_NOUNS[family], rng), rng.random()
    if family == "forest_leaves" and colour in AUTUMN and draw < 0.3:
        return "autumn leaves"
    plain = family in ("gold_leaf", "lava") or " of " in noun
    return f"{colour} {noun}" if draw > 0.7 and not plain else noun
