"""Files and folders as people and requests name them: what is there, and what cannot be, such as a name of
1000 letters, at which `Path` raises.
"""

from __future__ import annotations

import os


def absolute(path: str | os.PathLike[str]) -> str:
    """The path from anywhere, links followed. One that leads round in a circle is left to be refused."""
    return os.path.realpath(path)


def is_absolute(path: str) -> bool:
    """Whether this can be the path of something, from anywhere: without NUL, and without half a character."""
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return False
    return os.path.isabs(path) and "\0" not in path  # noqa: PTH117


def is_file(path: str | os.PathLike[str]) -> bool:
    """Whether there is a file of this name."""
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Whether there is a folder of this name."""
    return os.path.isdir(path)  # noqa: PTH112


def is_there(path: str | os.PathLike[str]) -> bool:
    """Whether there is anything of this name."""
    return os.path.exists(path)  # noqa: PTH110
