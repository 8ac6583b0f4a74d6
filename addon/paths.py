"""Where things are. No bpy."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).resolve().parent  # of the real file: a checkout is often linked into Blender's folder


def presets() -> Path:
    """The preset files: inside an installed add-on, beside it in a checkout."""
    inside = HERE / "presets"
    return inside if inside.is_dir() else HERE.parent / "presets"


def engine_root(chosen: str, environ: Mapping[str, str] = os.environ) -> Path | None:
    """The folder that holds engine/: the chosen one, the environment's, or this file's own checkout."""
    named = chosen or environ.get("PATINA_ENGINE_ROOT", "")
    if named:
        return Path(named).expanduser()
    return HERE.parent if (HERE.parent / "engine" / "__init__.py").is_file() else None


def engine_python(chosen: str, root: Path | None, environ: Mapping[str, str] = os.environ) -> Path:
    """The engine's interpreter: the chosen one, the environment's, or that of the engine's own folder."""
    named = chosen or environ.get("PATINA_ENGINE_PYTHON", "")
    if named:
        return Path(named).expanduser()
    inside = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
    return (root or HERE.parent) / ".env" / "engine" / inside


def home(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """The folder of the user's own things: the same as the engine's (engine/home.py), so both find it."""
    if chosen := environ.get("PATINA_HOME"):
        return Path(chosen).expanduser().absolute()
    if platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "Patina"
    if platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "Patina"
    return Path(environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "patina"


def own_presets() -> Path:
    """The user's preset files, which no update touches; the folder need not exist."""
    return home() / "presets"
