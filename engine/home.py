"""The one folder of the user's own: packs that were downloaded or added. Never inside the program."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def folder(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    r"""Where Patina keeps what the user fetched: PATINA_HOME, else where this system keeps such data.

    Windows: `%LOCALAPPDATA%\Patina`; macOS: `~/Library/Application Support/Patina`; elsewhere
    `$XDG_DATA_HOME/patina`, which is `~/.local/share/patina` unless set. It need not exist yet.
    """
    if chosen := environ.get("PATINA_HOME"):
        return Path(chosen).expanduser().absolute()
    if platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "Patina"
    if platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "Patina"
    return Path(environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "patina"
