"""Where the user's library is kept: the index, the words that they added, calibrations of their models."""

from __future__ import annotations

from pathlib import Path

from engine import home


def default_folder() -> Path:
    """The library's folder below the user's own. It need not exist yet."""
    return home.folder() / "library"
