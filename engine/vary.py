"""The parameters of `vary`: variations of a result or a picture, and what they turn towards."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine import places, presets, sources
from engine.errors import InvalidRequest
from engine.params import Delivery, resolve as resolve_generate
from engine.settings import RunSettings

STRENGTH = 0.4
OWN = (
    *("image", "strength", "start", "vary", "difference", "towards", "shares"),
    *("mask", "spots", "overlay", "variations", "seed"),
)
"""Of a result's settings: how it came about, not what it is."""

WORDS = {"from": "before", "to": "after", "weight": "weight"}
"""A request's names of the parts of a difference, and those of the settings."""


def resolve(params: Mapping[str, Any], folder: Path = presets.FOLDER) -> tuple[RunSettings, Delivery]:
    """The complete settings of a `vary` request: those of the result < what the request names.

    A picture comes without settings, and its name is taken for the prompt, which is a name alone here.

    Args:
        params: `result`, the absolute path of a result's JSON file, or `image`, that of a picture;
            `strength` (0.4 unless given); `difference`, {"from": text, "to": text, "weight": 1.0}; fields
            of RunSettings and of Delivery.
        folder: where the preset files are.

    Raises:
        InvalidRequest: neither or both are given, the result cannot be read, or see `params.resolve`.
        UnknownPreset: see `presets.load`.
    """
    asked = dict(params)
    given = [name for name in ("result", "image") if name in asked]
    if len(given) != 1:
        raise InvalidRequest("Give either 'result' or 'image': what to make variations of.", field="result")
    path = absolute(asked.pop(given[0]), given[0])
    asked = {"strength": STRENGTH, **asked, "image": str(path), "vary": True}
    if "difference" in asked:
        asked["difference"] = difference(asked["difference"])
    if given == ["result"] or sources.is_result(str(path)):
        asked = {**inherited(sources.sidecar(path, given[0]), asked), **asked}
    elif "prompt" not in asked:
        asked["prompt"] = named(path)
    return resolve_generate(asked, folder)


def absolute(given: object, field: str) -> Path:
    """A path from a request.

    Raises:
        InvalidRequest: it is none, or not absolute.
    """
    if not isinstance(given, str) or not places.is_absolute(given):
        raise InvalidRequest(
            f"{field!r} must be the absolute path of a picture or a result's JSON file.", field=field
        )
    return Path(given)


def inherited(content: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """What a result's sidecar says of the material, less what another preset brings."""
    dropped = {*OWN, *(("templates", "negative") if "preset" in asked else ())}
    return {name: value for name, value in content["settings"].items() if name not in dropped}


def named(path: Path) -> str:
    """A prompt from a picture's file name: words, in quotes where they could be read as more."""
    words = " ".join(path.stem.replace("_", " ").replace("-", " ").split())[:100]
    return '"' + words.replace('"', '""') + '"' if words else "picture"


def difference(given: object) -> object:
    """A request's difference with the settings' names; what is none comes back, for the schema to refuse.

    Raises:
        InvalidRequest: a part has a name that there is not.
    """
    if not isinstance(given, Mapping):
        return given
    if strange := [name for name in given if name not in WORDS]:
        raise InvalidRequest(
            f"'difference' has 'from', 'to' and 'weight', and no {strange[0]!r}.", field="difference"
        )
    if lacking := [name for name in ("from", "to") if name not in given]:
        raise InvalidRequest(f"'difference' lacks {lacking[0]!r}.", field="difference")
    return {WORDS[name]: value for name, value in given.items()}
