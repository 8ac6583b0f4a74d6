"""Artist presets, one JSON file each: ours in `presets/` beside `engine/`, the user's in their own folder.

The stem of one of ours is its id; the id of a user's is `my_` and the stem. None of ours begins so: an update
neither overwrites a user's preset nor takes its name.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from engine import home
from engine.errors import InvalidRequest, Remedy, UnknownPreset

FOLDER = Path(__file__).parents[1] / "presets"
OWN = "my_"
FORMAT = 1
STEM = re.compile("[a-z0-9_]+")
OWN_PLACE = ("prompt", "negative", "preset", "templates", "seed")  # not to be hidden in "settings"


@dataclass(frozen=True)
class Preset:
    """What a preset file says.

    Attributes:
        settings: fields of RunSettings; what a request names itself wins.
        material: fields of MapSettings.
        example: a prompt that shows what the preset is for.
    """

    id: str
    label: str
    templates: list[str]
    description: str = ""
    group: str = "general"
    negative: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    material: dict[str, Any] = field(default_factory=dict)
    example: str = ""


def own_folder() -> Path:
    """Where the user's presets are; it need not exist."""
    return home.folder() / "presets"


def ids(folder: Path = FOLDER) -> list[str]:
    """The ids of all presets: those in `folder`, sorted, and then the user's.

    Looks at names only, so it is cheap and never fails.
    """
    ours = sorted(path.stem for path in folder.glob("*.json"))
    return [*ours, *sorted(OWN + path.stem for path in own_folder().glob("*.json"))]


def file_of(preset_id: str, folder: Path = FOLDER) -> Path:
    """Where the preset of an id is, or would be."""
    if preset_id.startswith(OWN):
        return own_folder() / f"{preset_id.removeprefix(OWN)}.json"
    return folder / f"{preset_id}.json"


def load(preset_id: str, folder: Path = FOLDER) -> Preset:
    """Read and check one preset, of those in `folder` or of the user's.

    Raises:
        UnknownPreset: there is none of this id, or its file is wrong; the message names file and fault.
    """
    known = ids(folder)
    if preset_id not in known:  # also keeps a path such as "../secret" out
        near = get_close_matches(preset_id, known, 1)
        raise UnknownPreset(
            f"There is no preset {preset_id!r}. There are: {', '.join(known) or 'none'}.",
            field="preset",
            remedy=Remedy("preset", near[0]) if near else None,
        )
    path = file_of(preset_id, folder)
    if not STEM.fullmatch(path.stem):
        raise _bad(path, "has a name with more than small letters, digits and _. Rename it")
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _bad(path, "cannot be read as JSON", str(error)) from error
    return _check(path, preset_id, content)


def _check(path: Path, preset_id: str, content: object) -> Preset:
    """The preset in a file's decoded content."""
    if not isinstance(content, dict):
        raise _bad(path, "is not a JSON object")
    content = dict(content)
    if content.pop("format", None) != FORMAT:
        raise _bad(path, f'has no "format": {FORMAT}, the only one that this engine reads')
    kinds: dict[str, type] = dict.fromkeys(("label", "description", "group", "negative", "example"), str)
    kinds |= {"templates": list, "settings": dict, "material": dict}
    for name, value in content.items():
        if name not in kinds:
            raise _bad(path, f"has an unknown entry {name!r}")
        if not isinstance(value, kinds[name]):
            raise _bad(path, f"has a wrong kind of value for {name!r}")
    for name in ("label", "templates"):
        if not content.get(name):
            raise _bad(path, f"lacks {name!r}")
    preset = Preset(id=preset_id, **content)
    _check_settings(path, preset)
    return preset


def _check_settings(path: Path, preset: Preset) -> None:
    # Here, because the handshake lists presets and should not wait for pydantic.
    from pydantic import ValidationError

    from engine.map_settings import MapSettings
    from engine.settings import RunSettings
    from engine.synthesis.prompts import wanted

    for template in preset.templates:
        if not isinstance(template, str) or "{}" not in template:
            raise _bad(path, f"has a template without a {{}} for the prompt: {template!r}")
    misplaced = [name for name in OWN_PLACE if name in preset.settings]
    if misplaced:
        raise _bad(path, f"may not set {misplaced[0]!r} among its settings")
    try:
        RunSettings.model_validate(
            {
                **preset.settings,
                "prompt": "x",
                "seed": 0,
                "preset": preset.id,
                "templates": preset.templates,
                "negative": preset.negative,
            }
        )
        MapSettings.model_validate(preset.material)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise _bad(path, f"has a bad value for {where!r} ({first['msg'].lower()})", str(error)) from error
    try:
        wanted("x", preset.negative)
    except InvalidRequest as error:
        raise _bad(path, f"has a bad negative prompt ({error.message.rstrip('.')})") from error


def _bad(path: Path, fault: str, details: str = "") -> UnknownPreset:
    return UnknownPreset(f"The preset file {path.name} {fault}.", field="preset", details=details)
