"""Captions that are wrong in exactly one thing: hard negatives for contrastive training.

A negative is an ordinary caption of a material changed in one factor, which it names for sure. What could be
true by accident (a neighbouring colour, a noun that covers both families, dirt beside dust) is never drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from engine.starter.captions.colour_words import are_neighbours, body_colour
from engine.starter.captions.grammar import Wish, compose
from engine.starter.captions.lexicon import OPPOSITES
from engine.starter.materials import COLOURS, REGISTRY, Family, Mixture, Params
from engine.starter.materials.colour import centroid, from_hex, nearest_term, to_hex, to_lab
from engine.starter.materials.mixtures import overlays

CENTROIDS = to_lab(np.stack([centroid(term) for term in COLOURS]))  # (16, 3)
CLOSE = 25  # ΔE76 within which another colour word might be true
WEIGHTS = {  # how often a factor is drawn where it applies
    "colour": 3.0, "material": 2.0, "condition": 2.0, "mixture": 2.0, "joint": 1.0, "roles": 0.5,
    "layout": 1.0, "finish": 1.0, "scale": 0.6,
}  # fmt: skip
KIN = {  # groups of few families, with the group that they are most like
    "roof": "masonry", "sky": "fluid", "paper": "fabric", "leather": "fabric", "foam": "fabric",
    "composite": "metal", "plastic": "metal", "mineral": "stone", "organic": "plant", "paint": "masonry",
}  # fmt: skip
ALIKE = (  # families that share looks or words
    ("brick_wall", "basket_weave_pavers"), ("brushed_metal", "scratched_metal"), ("water", "caustics"),
    ("hammered_copper", "hammered_metal"), ("hammered_copper", "verdigris_copper"),
    ("gold_leaf", "brushed_metal"), ("slate", "sandstone_strata"), ("wood_planks", "herringbone_parquet"),
    ("wood_planks", "wood_grain"), ("herringbone_parquet", "wood_grain"), ("plain_weave", "burlap"),
    ("plain_weave", "denim_twill"), ("corduroy", "velvet"), ("bamboo", "wicker"), ("velvet", "carpet"),
    ("zebra", "animal_fur"), ("leopard", "animal_fur"), ("giraffe", "animal_fur"), ("leopard", "giraffe"),
    ("brushed_metal", "galvanized"), ("cobblestone", "ashlar_wall"), ("rusted_metal", "verdigris_copper"),
    ("osb_board", "wood_grain"), ("moss", "grass"), ("cobblestone", "pebbles"), ("concrete", "stucco"),
    ("stucco", "painted_peeling"), ("square_tiles", "mosaic"), ("knit_wool", "plain_weave"),
)  # fmt: skip
LOOKALIKES = frozenset(frozenset(pair) for pair in ALIKE)
PATTERN_COLOURS: dict[str, tuple[str, ...]] = {  # seen beside the colour that names the material
    "zebra": ("black", "white"),
    "leopard": ("black", "brown"),
    "giraffe": ("white", "cream", "beige", "brown"),
    "polka_dots": ("white", "cream", "black", "yellow"),
    "tartan": ("white", "black", "red", "green", "blue", "yellow"),
    "camouflage": ("black", "brown", "green", "tan"),
    "terrazzo": ("black", "white", "grey", "brown", "red"),
    "agate": ("white", "brown"),
    "mosaic": ("white", "blue"),
    "painted_peeling": ("brown", "grey"),
    "carbon_fiber": ("black",),
}
SOILING = frozenset({"dirty", "dusty", "stained", "worn", "faded", "mossy", "burnt", "rusty"})
LIKE_OVERLAY = {  # a mixture and the condition that reads like it
    "snow": "snowy", "grass": "mossy", "sand_ripples": "dusty", "forest_leaves": "dirty",
    "pebbles": "dirty", "lava": "cracked", "gold_leaf": "cracked",
}  # fmt: skip


def factors(params: Params) -> tuple[str, ...]:
    """What can be changed about a material so that its captions become wrong."""
    return tuple(name for name, options in OPTIONS.items() if options(params))


def one_factor(params: Params, rng: np.random.Generator, what: str) -> Params:
    """The parameters with one factor changed so that what names it is wrong of the material.

    They are for captions; not all of them can be rendered.

    Raises:
        ValueError: that factor of this material cannot be changed; see `factors`.
    """
    options = OPTIONS[what](params) if what in OPTIONS else []
    if not options:
        raise ValueError(f"{params['family']} has no other {what}.")
    return options[int(rng.integers(len(options)))]


def negative(params: Params, rng: np.random.Generator, *, withheld: bool = False) -> str:
    """A caption like the others that is wrong in exactly one thing.

    Args:
        params: of the material that it must not fit.
        rng: where the draws come from; the same state gives the same caption.
        withheld: as for `caption`.
    """
    names = factors(params)
    weights = np.array([WEIGHTS[name] for name in names])
    what = str(rng.choice(names, p=weights / weights.sum()))
    other = one_factor(params, rng, what)
    opposite = ""
    dropped = sorted(params["modifiers"].keys() - other["modifiers"].keys())
    # Half of the time the word is merely missing: what is not named is not there, as users mean it.
    if what == "condition" and dropped and not other["modifiers"] and rng.random() < 0.5:
        words = OPPOSITES[dropped[0]]
        opposite = words[int(rng.integers(len(words)))]
    name = "joint" if what == "roles" else what
    return compose(other, rng, Wish(name, opposite, withheld))


def _coloured(params: Params, colour: str) -> Params:
    """In another colour: a natural one of the family where it has it."""
    for name, palette in REGISTRY[params["family"]].palettes.items():
        if palette.colour == colour:
            return {**params, "palette": name, "target": None, "colour": colour}
    return {**params, "palette": "any", "target": _centroid_code(colour), "colour": colour}


@cache
def _centroid_code(colour: str) -> str:
    return to_hex(centroid(colour))


def _wrong_colours(params: Params) -> list[str]:
    """The terms that nothing on the material could be called by, its second colours included."""
    seen = [params["colour"], *PATTERN_COLOURS.get(params["family"], ())]
    if params["target"] is None:
        seen += _stop_terms(params["family"], params["palette"])
    distance = np.linalg.norm(CENTROIDS - to_lab(body_colour(params)), axis=-1)
    far = (term for term, away in zip(COLOURS, distance, strict=True) if away > CLOSE)
    return [term for term in far if not any(are_neighbours(term, other) for other in seen)]


@cache
def _stop_terms(family: str, palette: str) -> tuple[str, ...]:
    stops = REGISTRY[family].palettes[palette].stops.split()
    return tuple(nearest_term(from_hex(stop)) for stop in stops)


@cache
def _natural(family: str) -> frozenset[str]:
    return frozenset(palette.colour for palette in REGISTRY[family].palettes.values())


def _colours(params: Params) -> list[Params]:
    entry = REGISTRY[params["family"]]
    wrong = _wrong_colours(params)
    return [_coloured(params, term) for term in wrong if entry.colourable or term in _natural(entry.name)]


@cache
def _relatives(family: str) -> tuple[str, ...]:
    """The families of its group, or of the group most like it, that nobody would take for this one."""
    mine = REGISTRY[family]
    groups = {mine.group, KIN.get(mine.group, mine.group)}
    return tuple(
        entry.name for entry in REGISTRY.values() if entry.group in groups and not _are_alike(entry, mine)
    )


def _are_alike(a: Family, b: Family) -> bool:
    return a is b or frozenset({a.name, b.name}) in LOOKALIKES or bool(set(a.nouns) & set(b.nouns))


def _materials(params: Params) -> list[Params]:
    """Related families that could be in the same state and of the same colour; if there is none, any such."""
    names = _possible(params, _relatives(params["family"]))
    if not names:
        mine = REGISTRY[params["family"]]
        names = _possible(params, tuple(e.name for e in REGISTRY.values() if not _are_alike(e, mine)))
    target = to_hex(body_colour(params)) if names else ""
    return [_of_family(params, name, target) for name in names]


def _possible(params: Params, names: tuple[str, ...]) -> list[str]:
    overlay = params["mixture"]["overlay"]["family"] if params["mixture"] else None
    found = []
    for name in names:
        entry = REGISTRY[name]
        if not params["modifiers"].keys() <= set(entry.modifiers):
            continue
        if overlay and overlay not in dict(overlays(name)):
            continue
        if entry.colourable or params["colour"] in _natural(name):
            found.append(name)
    return found


def _of_family(params: Params, family: str, target: str) -> Params:
    """What was said of one family said of another; what this one has no word for is left out."""
    entry = REGISTRY[family]
    other: Params = {**params, "family": family}
    other["layout"] = params["layout"] if params["layout"] in entry.layouts else None
    other["joint"] = params["joint"] if entry.joint else None
    other["finish"] = params["finish"] if params["finish"] in entry.finishes else None
    other["target"] = target
    other["palette"] = "any"
    if params["mixture"]:
        place = dict(overlays(family))[params["mixture"]["overlay"]["family"]].place
        other["mixture"] = Mixture({**params["mixture"], "place": place})
    return other


def _clash(a: str, b: str) -> bool:
    return (
        a == b or {a, b} <= SOILING or {a, b} == {"scratched", "worn"} or {a, b} == {"scratched", "cracked"}
    )


def _conditions(params: Params) -> list[Params]:
    """One dropped, one put in its place, or one added."""
    have, known = params["modifiers"], REGISTRY[params["family"]].modifiers
    mixture = params["mixture"]
    barred = {LIKE_OVERLAY[mixture["overlay"]["family"]]} if mixture else set()
    new = [name for name in known if name not in barred and not any(_clash(name, old) for old in have)]
    changed: list[dict[str, str]] = [{k: v for k, v in have.items() if k != name} for name in have]
    changed += [{**dropped, name: "plain"} for dropped in changed for name in new]
    changed += [{name: "plain"} for name in new if not have]
    return [{**params, "modifiers": modifiers} for modifiers in changed]


def _scales(params: Params) -> list[Params]:
    known = REGISTRY[params["family"]].scales
    opposite = {"large": ("fine",), "small": ("large",), "fine": ("large",)}.get(params["scale"], ())
    return [{**params, "scale": scale} for scale in opposite if scale in known]


def _finishes(params: Params) -> list[Params]:
    other = {"glossy": "matte", "matte": "glossy"}
    return [{**params, "finish": other[params["finish"]]}] if params["finish"] else []


def _layouts(params: Params) -> list[Params]:
    known = dict.fromkeys(REGISTRY[params["family"]].layouts)
    return [
        {**params, "layout": layout} for layout in known if params["layout"] and layout != params["layout"]
    ]


def _joint(params: Params) -> str | None:
    """Its colour, where it can be seen."""
    mixture = params["mixture"]
    return None if mixture and mixture["place"] == "between" else params["joint"]


def _joints(params: Params) -> list[Params]:
    joint = _joint(params)
    return [{**params, "joint": term} for term in COLOURS if joint and not are_neighbours(joint, term)]


def _roles(params: Params) -> list[Params]:
    """White tiles with red grout for red tiles with white grout."""
    joint = _joint(params)
    if not joint or are_neighbours(joint, params["colour"]):
        return []
    return [{**_coloured(params, joint), "joint": params["colour"]}]


def _mixtures(params: Params) -> list[Params]:
    """Without it, with another one, or with one where there is none."""
    mixture, family = params["mixture"], params["family"]
    found: list[Params] = [{**params, "mixture": None}] if mixture else []
    have = mixture["overlay"]["family"] if mixture else ""
    for name, rule in overlays(family):
        if name == have or LIKE_OVERLAY[name] in params["modifiers"]:
            continue
        palette, natural = next(iter(REGISTRY[name].palettes.items()))
        overlay: Params = {
            **params, "family": name, "palette": palette, "target": None, "colour": natural.colour,
            "finish": None, "modifiers": {}, "layout": None, "joint": None, "mixture": None,
        }  # fmt: skip
        found.append({**params, "mixture": Mixture(overlay=overlay, place=rule.place, share=rule.share[1])})
    return found


OPTIONS: dict[str, Callable[[Params], list[Params]]] = {
    "colour": _colours,
    "material": _materials,
    "condition": _conditions,
    "scale": _scales,
    "finish": _finishes,
    "layout": _layouts,
    "joint": _joints,
    "roles": _roles,
    "mixture": _mixtures,
}
