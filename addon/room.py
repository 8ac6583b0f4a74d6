"""How much of the disk the engine will take, and how much is free there. No bpy."""

from __future__ import annotations

import json
import shutil
import zipfile
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from . import paths
from .link.installer import machine, record, source
from .link.installer.failure import Failure
from .link.installer.main import RESERVE, gigabytes
from .words import tr

LIKELY = ("cuda", "cuda12", "mps", "cpu")  # what "auto" comes to, but for AMD's cards, which few have
SIZES: dict[str, int] = json.loads(paths.sizes().read_text("utf-8"))
"""Backend → bytes, about, of the engine that was published with this add-on: another one has its own."""


@dataclass(frozen=True)
class Room:
    """What installing needs, and has.

    Attributes:
        least, most: bytes of the installed engine, about.
        free: bytes on the disk of the folder.
    """

    least: int
    most: int
    free: int

    @property
    def short(self) -> bool:
        """Whether it may well not fit."""
        return self.most + RESERVE > self.free

    def sentence(self) -> str:
        """For the artist, before the button is pressed."""
        facts = {"size": self._size(), "free": gigabytes(self.free)}
        if self.short:
            return tr("It takes {size}, and only {free} are free there. Choose a folder elsewhere.", **facts)
        return tr("It takes {size} of the {free} that are free there.", **facts)

    def _size(self) -> str:
        if self.least == self.most:
            return gigabytes(self.most)
        return tr("{least} to {most}", least=gigabytes(self.least), most=gigabytes(self.most))


def look(folder: Path, program: Path | None, backend: str) -> Room | None:
    """The room that an engine in a folder would have; None where the disk does not tell.

    Args:
        folder: need not exist.
        program: the engine's file or folder, which says how large it becomes.
        backend: as the installer has it, or "auto".
    """
    try:
        free = shutil.disk_usage(record.existing_parent(folder)).free
    except OSError:
        return None
    sizes = _sizes(program, backend)
    return Room(min(sizes), max(sizes), free)


def _sizes(program: Path | None, backend: str) -> list[int]:
    """Of the builds that a backend may come to."""
    known = SIZES | _said_by(program)
    if backend != "auto":
        return [known[backend]]
    return [known[name] for name in LIKELY if machine.torch_build(name) is not None] or [*known.values()]


def _said_by(program: Path | None) -> dict[str, int]:
    """What the engine's file says of its sizes; nothing where there is none, or it cannot be read."""
    if program is None:
        return {}
    try:
        written = [path.stat().st_mtime_ns for path in (program, program / source.SIZES) if path.exists()]
    except OSError:
        return {}
    return _read(program, tuple(written))


@lru_cache(maxsize=1)
def _read(program: Path, _written: tuple[int, ...]) -> dict[str, int]:
    """Once for a file as it is: every button that concerns the engine has the room looked at again."""
    try:
        with source.opened(program) as opened:
            return source.sizes(opened)
    except (Failure, OSError, ValueError, KeyError, AttributeError, zipfile.BadZipFile, zlib.error):
        # Pressed, the button says what is wrong.
        return {}
