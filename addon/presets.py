"""The artist presets, read from the same files as the engine reads. No bpy.

Those that ship have their file's stem for an id, the user's have `my_` before it: see engine/presets.py.
"""

from __future__ import annotations

import json
import logging
import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from . import paths, preset_check
from .link import disk
from .words import tr

log = logging.getLogger(__name__)

DEFAULT = "plain"
OWN = "my_"
OWN_GROUP = "own"
LARGEST = 0xFFFFFF  # of the numbers, see `number`
GROUPS = {  # in the order of the gallery
    OWN_GROUP: "Yours",
    "general": "General",
    "stone": "Stone",
    "wood": "Wood",
    "metal": "Metal",
    "fabric": "Fabric",
    "ground": "Ground",
    "organic": "Organic",
    "man-made": "Man-Made",
    "stylised": "Stylised",
    "fantastic": "Fantastic",
}


@dataclass(frozen=True)
class Preset:
    """What the add-on needs of a preset: the engine applies the rest."""

    id: str
    label: str
    description: str
    settings: dict[str, Any] = field(default_factory=dict)
    material: dict[str, Any] = field(default_factory=dict)
    group: str = "general"
    templates: tuple[str, ...] = ("{}",)
    negative: str = ""
    file: Path = Path()

    @property
    def is_own(self) -> bool:
        """Whether it is the user's, to rename and to delete."""
        return self.id.startswith(OWN)

    @property
    def picture(self) -> str:
        """The file of its picture, which may be missing."""
        found = (self.file.parent / "thumbnails" / f"{self.file.stem}.{kind}" for kind in ("jpg", "png"))
        return str(next((path for path in found if disk.has_file(path)), ""))


@dataclass(frozen=True)
class Broken:
    """A file that cannot be used, and why, as a sentence."""

    file: Path
    reason: str


@lru_cache(maxsize=1)
def load_all() -> dict[str, Preset]:
    """All good presets by id: the plain one first, then ours and then the user's by label."""
    found = [item for item in _everything() if isinstance(item, Preset)]
    found.sort(key=lambda preset: (preset.id != DEFAULT, preset.is_own, preset.label.lower()))
    return {preset.id: preset for preset in found}


@lru_cache(maxsize=1)
def broken() -> list[Broken]:
    """What lies among the presets and cannot be used."""
    return [item for item in _everything() if isinstance(item, Broken)]


@lru_cache(maxsize=1)
def in_groups() -> dict[str, list[Preset]]:
    """The presets by the heading that they stand under, as the gallery shows them."""
    groups: dict[str, list[Preset]] = {label: [] for label in GROUPS.values()}
    for preset in load_all().values():
        name = OWN_GROUP if preset.is_own else preset.group
        groups.setdefault(GROUPS.get(name, name.title()), []).append(preset)
    return {heading: members for heading, members in groups.items() if members}


def forget() -> None:
    """Have the files read again."""
    for function in (_everything, load_all, broken, in_groups):
        function.cache_clear()


def of(preset_id: str) -> Preset | None:
    """The preset that counts where a scene has this id: the plain one where its own is gone."""
    return load_all().get(preset_id) or load_all().get(DEFAULT)


def enum_items(icons: dict[str, int]) -> list[tuple[str, str, str, int, int]]:
    """Blender's items, with an icon each, one group after another as in the gallery."""
    everything = [preset for members in in_groups().values() for preset in members]
    items = [
        (preset.id, preset.label, preset.description, icons.get(preset.id, 0), number(preset.id))
        for preset in everything
    ]
    if DEFAULT not in load_all():
        items.insert(0, (DEFAULT, "Plain", "The prompt as it stands", 0, number(DEFAULT)))
    return items


def number(preset_id: str) -> int:
    """What Blender stores for a preset: the same however many others come and go.

    24 bits: a button of a picture hands it on as a float of 32, which rounds larger ones to another number.
    """
    return zlib.crc32(preset_id.encode()) & LARGEST


@lru_cache(maxsize=1)
def _everything() -> list[Preset | Broken]:
    ours = [_read(path, path.stem) for path in sorted(paths.presets().glob("*.json"))]
    return ours + [_read(path, OWN + path.stem) for path in sorted(paths.own_presets().glob("*.json"))]


def _read(path: Path, preset_id: str) -> Preset | Broken:
    try:
        content = read(path)
    except UnusableError as error:
        log.warning("%s", error)
        return Broken(path, str(error))
    return Preset(
        preset_id,
        content["label"],
        content.get("description", ""),
        content.get("settings", {}),
        content.get("material", {}),
        content.get("group", "general"),
        tuple(content["templates"]),
        content.get("negative", ""),
        path,
    )


class UnusableError(Exception):
    """A preset file that cannot be used; the message says which and why."""


def read(path: Path) -> dict[str, Any]:
    """A preset file's content.

    Raises:
        UnusableError: it cannot be read, or something in it is wrong.
    """
    if not preset_check.STEM.fullmatch(path.stem):
        raise UnusableError(
            tr("{file} has a name with more than small letters, digits and _. Rename it.", file=path.name)
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UnusableError(
            tr("{file} cannot be read as JSON: {reason}", file=path.name, reason=error)
        ) from error
    if fault := preset_check.fault(content):
        raise UnusableError(f"{path.name} {fault}.")
    return content
