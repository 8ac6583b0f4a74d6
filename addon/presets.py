"""The artist presets, read from the same files as the engine reads. No bpy."""

from __future__ import annotations

import json
import logging
import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from . import paths

log = logging.getLogger(__name__)

FORMAT = 1
DEFAULT = "plain"


@dataclass(frozen=True)
class Preset:
    """What the add-on needs of a preset: the engine applies the rest."""

    id: str
    label: str
    description: str
    settings: dict[str, Any] = field(default_factory=dict)
    group: str = ""


@lru_cache(maxsize=1)
def load_all() -> dict[str, Preset]:
    """All presets by id: the plain one first, then by label. What cannot be read is left out and logged."""
    found = [preset for path in sorted(paths.presets().glob("*.json")) if (preset := _read(path)) is not None]
    found.sort(key=lambda preset: (preset.id != DEFAULT, preset.label))
    return {preset.id: preset for preset in found}


@lru_cache(maxsize=1)
def enum_items() -> list[tuple[str, str, str, int]]:
    """Blender's items. Kept, as Blender does not own the strings."""
    items = [
        (preset.id, preset.label, preset.description, number(preset.id)) for preset in load_all().values()
    ]
    return items or [(DEFAULT, "Plain", "The prompt as it stands", number(DEFAULT))]


def number(preset_id: str) -> int:
    """What Blender stores for a preset: the same however many others come and go."""
    return zlib.crc32(preset_id.encode()) & 0x7FFFFFFF


def _read(path: Path) -> Preset | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            log.warning("the preset %s has a format that this version does not know", path)
            return None
        return Preset(
            path.stem,
            str(content["label"]),
            str(content["description"]),
            dict(content["settings"]),
            str(content.get("group", "")),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("cannot read the preset %s: %r", path, error)
        return None
