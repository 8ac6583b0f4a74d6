"""What a preset file may hold, so that a broken one is told before it is chosen. No bpy.

The engine checks the same files by its own schema, which a test holds against the tables here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from .words import tr

FORMAT = 1
STEM = re.compile("[a-z0-9_]+")
TEXTS = ("label", "description", "group", "negative", "example")
OBJECTS = ("settings", "material")


class Limits(NamedTuple):
    """The numbers that a setting takes; `above` and `below` mean that the end itself is none of them."""

    low: float
    high: float
    whole: bool = False
    above: bool = False
    below: bool = False

    def fault(self, value: object) -> str:
        """Empty for a number that fits."""
        kinds = (int,) if self.whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds) or not math.isfinite(value):
            return tr("must be a whole number" if self.whole else "must be a number")
        low = value > self.low if self.above else value >= self.low
        high = value < self.high if self.below else value <= self.high
        return (
            "" if low and high else tr("must be between {low:g} and {high:g}", low=self.low, high=self.high)
        )


NUMBERS = {
    "variations": Limits(1, 16, whole=True),
    "width": Limits(128, 2048, whole=True),
    "height": Limits(128, 2048, whole=True),
    "steps": Limits(0, 5000, whole=True),
    "lr": Limits(0, 1, above=True),
    "ema": Limits(0, 1, below=True),
    "cutouts": Limits(1, 128, whole=True),
    "proposals": Limits(1, 16, whole=True),
    "redraw": Limits(0, 1),
    "temperature": Limits(0, 4),
    "negative_weight": Limits(0, 4),
    "coherence": Limits(0, 1000),
    "keep": Limits(0, 100),
    "relief": Limits(0, 0.5, above=True),
    "judge_views": Limits(1, 128, whole=True),
    "candidates": Limits(1, 16, whole=True),
    "lit_cuts": Limits(0, 1),
    "palette_weight": Limits(0, 100),
    "anti_lettering": Limits(0, 10),
    "strength": Limits(0, 1),
    "overlay_every": Limits(1, 5000, whole=True),
    "decal": Limits(0, 1),
    "symmetry_x": Limits(0, 1000),
    "symmetry_y": Limits(0, 1000),
    "saturation": Limits(-1000, 1000),
    "smoothness": Limits(0, 1000),
    "flat_lighting": Limits(0, 1000),
    "edges": Limits(0, 1000),
    "margin": Limits(0, 1000),
}
CHOICES = {
    "tile": ("xy", "x", "y", "none"),
    "start": ("auto", "exemplar", "prior", "codes", "noise", "gradient"),
    "quality": ("draft", "normal", "best"),
}
OTHERS = {  # the engine looks at what is in them
    **dict.fromkeys(("pack", "image", "mask", "overlay", "alpha", "towards"), str),
    **dict.fromkeys(("pictures", "palette", "noise_prompts", "spots", "shares", "guides"), list),
    **dict.fromkeys(("vary", "coarse"), bool),
    "difference": dict,
}
MAP_NUMBERS = {"tile_size": Limits(0.001, 1000), "normal_strength": Limits(0, 4)}
MAP_CHOICES = {"displacement": ("OFF", "BUMP", "REAL"), "mapping": ("AUTO", "UV", "BOX")}


def fault(content: Any) -> str:
    """What is wrong with a preset file's decoded content, as a sentence's end; empty if nothing is."""
    if not isinstance(content, dict):
        return tr("is not a JSON object")
    if content.get("format") != FORMAT:
        return tr('has no "format": {number}, the only one that this version reads', number=FORMAT)
    kinds = {**dict.fromkeys(TEXTS, str), **dict.fromkeys(OBJECTS, dict), "format": int, "templates": list}
    for name, value in content.items():
        if name not in kinds:
            return tr("has an unknown entry {name!r}", name=name)
        if not isinstance(value, kinds[name]):
            return tr("has a wrong kind of value for {name!r}", name=name)
    for name in ("label", "templates"):
        if not content.get(name):
            return tr("lacks {name!r}", name=name)
    for template in content["templates"]:
        if not isinstance(template, str) or "{}" not in template:
            return tr("has a template without a {{}} for the prompt: {template!r}", template=template)
    return _fault_in(content.get("settings", {}), NUMBERS, CHOICES, OTHERS) or _fault_in(
        content.get("material", {}), MAP_NUMBERS, MAP_CHOICES, {}
    )


def _fault_in(
    values: Mapping[str, Any],
    numbers: Mapping[str, Limits],
    choices: Mapping[str, tuple[str, ...]],
    others: Mapping[str, type],
) -> str:
    for name, value in values.items():
        wrong = ""
        if name in numbers:
            wrong = "" if name == "relief" and value is None else numbers[name].fault(value)
        elif name in choices:
            wrong = (
                "" if value in choices[name] else tr("must be one of {names}", names=", ".join(choices[name]))
            )
        elif name not in others:
            return tr("has an unknown setting {name!r}", name=name)
        elif not isinstance(value, others[name]):
            wrong = tr("has the wrong type")
        if wrong:
            return tr("has a bad value: {name!r} {reason}", name=name, reason=wrong)
    return ""
