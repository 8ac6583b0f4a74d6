"""The user's own preset files: saving, renaming, deleting, taking in, giving away. No bpy."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import paths, preset_check, presets
from .presets import Preset, UnusableError
from .words import tr

STEM_LENGTH = 40
BESIDE = ("jpg", "png")  # pictures of a preset, in thumbnails/


def save(content: Mapping[str, Any]) -> Path:
    """Write a new preset under a name of its own, taken from its label. Returns the file.

    Raises:
        UnusableError: it would be a broken one.
        OSError: the folder cannot be written to.
    """
    return _store(dict(content), stem_of(str(content.get("label", ""))))


def take_in(file: Path) -> Path:
    """Copy a preset file from elsewhere to the user's. Returns the copy.

    Raises:
        UnusableError: it is none, or a broken one.
        OSError: the folder cannot be written to.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UnusableError(
            tr("{file} cannot be read as JSON: {reason}", file=file.name, reason=error)
        ) from error
    return _store(content, stem_of(file.stem.removeprefix(presets.OWN)))


def give_away(preset: Preset, file: Path) -> None:
    """Copy a preset's file to somewhere else.

    Raises:
        OSError: it cannot be written there, or the preset's file is gone.
    """
    shutil.copyfile(preset.file, file)


def rename(preset: Preset, label: str) -> None:
    """Give a preset of the user's another label. Its file and id stay, and so do scenes that use it.

    Raises:
        UnusableError: there is no such file any more, or the label is empty.
        OSError: it cannot be written.
    """
    _write(preset.file, {**presets.read(preset.file), "label": label.strip()})


def delete(preset: Preset) -> None:
    """Take away a preset of the user's, and its picture.

    Raises:
        OSError: the file cannot be removed.
    """
    preset.file.unlink(missing_ok=True)
    for kind in BESIDE:
        with contextlib.suppress(OSError):
            picture_file(preset.file, kind).unlink(missing_ok=True)


def folder() -> Path:
    """The folder of the user's presets, made if it is missing.

    Raises:
        OSError: it cannot be made.
    """
    found = paths.own_presets()
    found.mkdir(parents=True, exist_ok=True)
    return found


def picture_file(file: Path, kind: str = "png") -> Path:
    """Where the picture of a preset file belongs."""
    return file.parent / "thumbnails" / f"{file.stem}.{kind}"


def stem_of(label: str) -> str:
    """A file name from a label: small ASCII letters, digits and _."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode()
    return "_".join(re.findall(r"[a-z0-9]+", plain.lower()))[:STEM_LENGTH].strip("_") or "preset"


def _store(content: Any, stem: str) -> Path:
    number = 1
    file = folder() / f"{stem}.json"
    while file.exists():
        number += 1
        file = folder() / f"{stem}_{number}.json"
    _write(file, content)
    return file


def _write(file: Path, content: Any) -> None:
    """Write the whole file or leave things as they are."""
    if fault := preset_check.fault(content):
        raise UnusableError(f"{file.name} {fault}.")
    unfinished = file.with_name(f".{file.name}.part")
    unfinished.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    unfinished.replace(file)
