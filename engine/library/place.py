"""Where the user's library is kept: the index, the words that they added, calibrations of their models."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def default_folder(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    r"""The library's folder below the user's: `$PATINA_HOME/library`, or the platform's place for data.

    Windows: `%LOCALAPPDATA%\Patina`; macOS: `~/Library/Application Support/Patina`; elsewhere
    `$XDG_DATA_HOME/patina`, which is `~/.local/share/patina` unless set. It need not exist yet.
    """
    return _home(environ, platform) / "library"


def _home(environ: Mapping[str, str], platform: str) -> Path:
    if named := environ.get("PATINA_HOME"):
        return Path(named)
    if platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "Patina"
    if platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "Patina"
    return Path(environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "patina"
