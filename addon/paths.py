"""Where things are. No bpy."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .link import disk
from .link.installer import record

HERE = Path(__file__).resolve().parent  # of the real file: a checkout is often linked into Blender's folder


def presets() -> Path:
    """The preset files: inside an installed add-on, beside it in a checkout."""
    inside = HERE / "presets"
    return inside if inside.is_dir() else HERE.parent / "presets"


def sizes() -> Path:
    """What the engine takes on the disk, by backend: inside an installed add-on, beside it in a checkout."""
    inside = HERE / "sizes.json"
    return inside if inside.is_file() else HERE.parent / "requirements" / "sizes.json"


def guide() -> Path | None:
    """The guide to read; None where nobody has packed it."""
    return next((path for path in (HERE / "guide.md", HERE / "docs" / "guide.md") if path.is_file()), None)


def engine_root(chosen: str, environ: Mapping[str, str] = os.environ) -> Path | None:
    """The folder that holds engine/: the chosen one, the environment's, or this file's own checkout."""
    named = chosen or environ.get("PATINA_ENGINE_ROOT", "")
    if named:
        return of_text(named)
    return HERE.parent if disk.has_file(HERE.parent / "engine" / "__init__.py") else None


def engine_python(chosen: str, root: Path | None, environ: Mapping[str, str] = os.environ) -> Path:
    """The engine's interpreter: the chosen one, the environment's, or that of the engine's own folder."""
    named = chosen or environ.get("PATINA_ENGINE_PYTHON", "")
    if named:
        return of_text(named)
    inside = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
    return (root or HERE.parent) / ".env" / "engine" / inside


def of_text(text: str) -> Path:
    """A path as somebody has typed it, absolute. A ~ is their own folder, where there is one."""
    path = Path(text)
    with contextlib.suppress(RuntimeError):
        path = path.expanduser()
    return path.absolute()


def home(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """The folder of the user's own things: the same as the engine's (engine/home.py), so both find it."""
    if chosen := environ.get("PATINA_HOME"):
        return of_text(chosen)
    if platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "Patina"
    if platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "Patina"
    return Path(environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "patina"


def own_presets() -> Path:
    """The user's preset files, which no update touches; the folder need not exist."""
    return home() / "presets"


def results() -> Path:
    """Where results go that no other folder was chosen for: no version of Blender takes them with it."""
    return home() / "results"


def install_folder(chosen: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Where the engine is installed: a folder of its own in the chosen one, so that nothing else is in it."""
    parent = of_text(chosen) if chosen else home(environ)
    return parent / "patina-engine"


def engine(
    root: str, python: str, installed: Path, environ: Mapping[str, str] = os.environ
) -> tuple[Path | None, Path]:
    """The engine's folder and interpreter.

    Args:
        root, python: as the artist chose them; "" where not.
        installed: the folder that the installer uses.
    """
    place = engine_root(root, environ)
    named = root or environ.get("PATINA_ENGINE_ROOT", "")
    interpreter = engine_python(python, place, environ)
    if not named and not disk.has_file(interpreter) and record.is_ready(installed):
        # A checkout with an environment of its own comes first: whoever has one works on the engine.
        return installed / "program", record.python_of(installed)
    return place, interpreter


@dataclass(frozen=True)
class Published:
    """The engine's file that was published with this add-on."""

    file: str
    sha256: str
    version: str


def published(folder: Path | None = None) -> Published | None:
    """What the add-on's zip says about the engine's; None in a checkout."""
    try:
        content = json.loads(((folder or HERE) / "engine.json").read_text("utf-8"))
        return Published(str(content["file"]), str(content["sha256"]), str(content["version"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def engine_source(chosen: str, folder: Path | None = None) -> tuple[Path | None, str]:
    """Where the installer takes the engine from, and the hash that a file must have ("": none is known).

    The chosen file or folder; a checkout's own; else the published file, beside the add-on or where browsers
    put it: its hash is known, so that no other file of that name is taken.
    """
    folder = folder or HERE
    known = published(folder)
    if chosen:
        path = of_text(chosen)
        return path, known.sha256 if known and path.name == known.file else ""
    if disk.has_file(folder.parent / "engine" / "__init__.py"):
        return folder.parent, ""
    if known is not None:
        for place in (folder, folder.parent, Path.home() / "Downloads"):
            if disk.has_file(place / known.file):
                return place / known.file, known.sha256
    return None, ""


def in_other_versions(folder: Path) -> list[Path]:
    """The same folder as other versions of Blender have it, newest first; none for a folder of no version."""
    parts = folder.parts
    places = [at for at, part in enumerate(parts) if re.fullmatch(r"\d+\.\d+", part)]
    if not places:
        return []
    above, below = Path(*parts[: places[-1]]), parts[places[-1] + 1 :]
    try:
        versions = [path for path in above.iterdir() if re.fullmatch(r"\d+\.\d+", path.name)]
    except OSError:
        return []
    versions.sort(key=lambda path: [int(part) for part in path.name.split(".")], reverse=True)
    others = (path.joinpath(*below) for path in versions if path.name != parts[places[-1]])
    return [path for path in others if disk.has_folder(path)]
