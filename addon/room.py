"""How much of the disk the engine will take, and how much is free there. No bpy."""

from __future__ import annotations

import shutil
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from .link.installer import machine, record, source
from .link.installer.failure import Failure
from .link.installer.main import RESERVE, gigabytes
from .words import tr

LIKELY = ("cuda", "cuda12", "mps", "cpu")  # what "auto" comes to, but for AMD's cards, which few have
UNKNOWN = (2_000_000_000, 6_000_000_000)  # bytes, about, while the engine's file, which knows, is not here


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
    sizes = _sizes(program, backend) or UNKNOWN
    return Room(min(sizes), max(sizes), free)


def _sizes(program: Path | None, backend: str) -> list[int]:
    wanted = [name for name in LIKELY if machine.torch_build(name) is not None] if backend == "auto" else []
    if program is None:
        return []
    try:
        with source.opened(program) as opened:
            known = source.sizes(opened)
    except (Failure, OSError, ValueError, KeyError, AttributeError, zipfile.BadZipFile, zlib.error):
        # Pressed, the button says what is wrong.
        return []
    return [known[name] for name in wanted or [backend] if name in known]
