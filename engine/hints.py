"""Commands that messages tell people to type: such as work where they are, with the Python that runs now."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path


def command(*words: str | Path) -> str:
    """The line that runs this engine in this shell, and with words one of its commands.

    Args:
        words: a subcommand and what follows it; a Path is written as it looks from the current folder.
    """
    start = (Path(sys.executable), Path(__file__).parent)
    line = [_from_here(word) if isinstance(word, Path) else word for word in (*start, *words)]
    return subprocess.list2cmdline(line) if sys.platform == "win32" else shlex.join(line)


def _from_here(path: Path) -> str:
    """As it can be written in the current folder, shorter if it lies inside. No link is followed: a virtual
    environment is known by the link that its Python is.
    """
    try:
        here, there = Path.cwd(), path.absolute()
    except OSError:  # the current folder is gone
        return str(path)
    inside = there.is_relative_to(here)
    return f"{os.curdir}{os.sep}{there.relative_to(here)}" if inside else str(there)
