"""Blender's file of asset catalogues, blender_assets.cats.txt. No bpy.

Its format: lines "UUID:path/of/the/catalogue:simple name" below a line "VERSION 1"; comments begin with #.
"""

from __future__ import annotations

import uuid
from pathlib import Path

from .words import tr

FILE = "blender_assets.cats.txt"
VERSION = "VERSION 1"
HEADER = """\
# This is an Asset Catalog Definition file for Blender.
#
# Empty lines and lines starting with `#` will be ignored.
# The first non-ignored line should be the version indicator.
# Other lines are of the format "UUID:catalog/path/for/assets:simple catalog name"

VERSION 1

"""
ROOT = "Patina"
OTHER = "Other"


class UnknownVersionError(Exception):
    """The file is of a format that Blender will have some day."""


def path_of(group: str) -> str:
    """The catalogue for a group of materials. Colons would end the path, slashes begin another level."""
    name = " ".join(group.replace(":", " ").replace("/", " ").replace("\\", " ").split())
    return f"{ROOT}/{name or OTHER}"


def ensure(folder: Path, path: str) -> str:
    """See to it that a library has a catalogue, and return its UUID. All other lines stay as they are.

    A catalogue of ours that the artist has renamed is found by its UUID, and one of theirs by its path.

    Args:
        folder: of the library; made if it is missing.
        path: as `path_of` gives it.

    Raises:
        OSError: the file cannot be read or written.
        UnknownVersionError: see there.
    """
    file = folder / FILE
    try:
        text = file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        text = HEADER
    except UnicodeDecodeError as error:
        raise _unknown(file) from error
    lines = [line.strip() for line in text.splitlines()]
    telling = [line for line in lines if line and not line.startswith("#")]
    if telling and telling[0] != VERSION:
        raise _unknown(file)
    ours = str(uuid.uuid5(uuid.NAMESPACE_URL, f"patina:{path}"))
    entries = [line.split(":") for line in telling[1:] if line.count(":") >= 1]
    for known, where, *_ in entries:
        if known.lower() == ours or where == path:
            return known
    if not telling:
        text = HEADER
    newline = "\r\n" if "\r\n" in text else "\n"
    text += "" if text.endswith("\n") else newline
    _write(file, f"{text}{ours}:{path}:{path.replace('/', '-')}{newline}")
    return ours


def _unknown(file: Path) -> UnknownVersionError:
    return UnknownVersionError(
        tr("{file} is not of a version that Patina knows, and is left as it is", file=file)
    )


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.part")
    unfinished.write_bytes(text.encode("utf-8"))
    unfinished.replace(file)
