"""Which pictures lie in folders, at any depth, whatever else lies there: loops, pipes, locked folders."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from engine.library.pictures import is_picture
from engine.library.store import Stamp


@dataclass
class Scan:
    """What was found.

    Attributes:
        files: pictures, with their stamps.
        unseen: folders that could not be looked into, and why; what is in them is not gone.
    """

    files: dict[Path, Stamp] = field(default_factory=dict)
    unseen: dict[Path, str] = field(default_factory=dict)

    def hidden(self, path: Path) -> bool:
        """Whether a file may be there all the same: below a folder that could not be looked into."""
        return any(folder in path.parents for folder in self.unseen)


def scan(folders: Iterable[Path]) -> Scan:
    """Every picture in these folders and those below. Links to folders are followed, each folder once.

    What is no regular file, or is called ".something", is passed over.

    Args:
        folders: absolute.
    """
    found = Scan()
    visited: set[tuple[int, int]] = set()
    waiting = list(folders)
    while waiting:
        folder = waiting.pop()
        try:
            status = folder.stat()
            if (status.st_dev, status.st_ino) in visited:
                continue
            visited.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as entries:
                for entry in entries:
                    _take(entry, found, waiting)
        except OSError as error:
            found.unseen[folder] = f"{folder} cannot be looked into: {error.strerror or error}."
    return found


def _take(entry: os.DirEntry[str], found: Scan, waiting: list[Path]) -> None:
    if entry.name.startswith("."):
        return
    path = Path(entry.path)
    try:
        status = entry.stat()
    except OSError:  # a link to nothing or to itself, or gone since: no picture in any case
        return
    if stat.S_ISDIR(status.st_mode):
        waiting.append(path)
    elif stat.S_ISREG(status.st_mode) and is_picture(path):
        found.files[path] = Stamp(status.st_size, status.st_mtime_ns)
