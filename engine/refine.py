"""The parameters of `refine`: go on from a stored result, with its settings, as large or twice as large."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine import presets, sources
from engine.errors import InvalidRequest
from engine.models import packs
from engine.params import Delivery, resolve as resolve_generate
from engine.settings import RunSettings

SCALES = (1, 2)
OF_A_PRESET = ("templates", "negative")


def resolve(params: Mapping[str, Any], folder: Path = presets.FOLDER) -> tuple[RunSettings, Delivery]:
    """The complete settings of a `refine` request: those of the result < what the request names.

    One variation comes of it, with the result's seed. A new prompt, a mask, a start for what the mask
    frees, or anything else in RunSettings may be asked for as well. With a mask and other words, what it
    frees begins as those words would, where the pack has exemplars: guidance hardly makes moss of bricks.

    Args:
        params: `sidecar`, the absolute path of a result's JSON file; `scale`, 1 or 2; fields of RunSettings
            and of Delivery.
        folder: where the preset files are.

    Raises:
        InvalidRequest: the result cannot be read, or see `params.resolve`.
        UnknownPreset: see `presets.load`.
    """
    path, scale = params.get("sidecar"), params.get("scale", 1)
    if not isinstance(path, str) or not Path(path).is_absolute():
        raise InvalidRequest("'sidecar' must be the absolute path of a result's JSON file.", field="sidecar")
    if isinstance(scale, bool) or scale not in SCALES:
        raise InvalidRequest(f"'scale' must be 1 or 2; {scale!r} was given.", field="scale")
    content = sources.sidecar(Path(path), "sidecar")
    asked = {name: value for name, value in params.items() if name not in {"sidecar", "scale"}}
    settings = {"coarse": False, **content["settings"]}  # older results do not say
    if "preset" in asked:
        settings = {name: value for name, value in settings.items() if name not in OF_A_PRESET}
    for side in ("width", "height"):
        if isinstance(settings.get(side), int):
            settings[side] *= scale
    start = "exemplar" if _paints_another(settings, asked) else "auto"
    settings |= {"image": path, "start": start, "variations": 1, "seed": content["seed"]}
    return resolve_generate({**settings, **asked}, folder)


def _paints_another(settings: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    """Whether a request wants another material in a part of the result."""
    pack = packs.entries().get(str(asked.get("pack", settings.get("pack"))))
    has_exemplars = pack is not None and pack.exemplars is not None
    other = asked.get("prompt", settings.get("prompt")) != settings.get("prompt")
    return bool(asked.get("mask")) and other and has_exemplars
