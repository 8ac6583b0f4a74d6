"""Where things are. No bpy."""

from __future__ import annotations

import os
import re
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
    return [path for path in others if path.is_dir()]
