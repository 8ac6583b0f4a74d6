"""The record in the engine's folder: whose folder it is, how far it is, and who works on it."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .failure import Failure

NAME = "patina-engine.json"
FORMAT = 1
PARTS = ("program", "tools", "python", "cache", "env", "patina", "patina.cmd")  # all that Remove may delete
LOG, LOCK = "install.log", "install.lock"

INCOMPLETE, READY = "incomplete", "ready"


@dataclass
class Record:
    """How far the engine in a folder is.

    Attributes:
        state: INCOMPLETE until everything was verified.
        backend: what its PyTorch computes with, as in `machine.BACKENDS`.
        version: of the engine.
        device: what it found when it was verified.
        done: part → what it was made from; a part made from something else is made again.
    """

    state: str = INCOMPLETE
    backend: str = ""
    version: str = ""
    device: str = ""
    done: dict[str, str] = field(default_factory=dict)
    format: int = FORMAT


def read(folder: Path) -> Record | None:
    """The record of a folder; None where there is none, or none that this version understands."""
    try:
        content = json.loads((folder / NAME).read_text("utf-8"))
        if content.get("format") != FORMAT or not isinstance(content.get("done"), dict):
            return None
        state, backend, version, device = (
            str(content.get(name, "")) for name in ("state", "backend", "version", "device")
        )
        done = {str(part): str(made) for part, made in content["done"].items()}
        return Record(state, backend, version, device, done)
    except (OSError, ValueError, AttributeError):
        return None


def write(folder: Path, record: Record) -> None:
    """Whole or not at all: a record cut short would be none."""
    unfinished = folder / f"{NAME}.part"
    unfinished.write_text(json.dumps(asdict(record), indent=1), "utf-8")
    unfinished.replace(folder / NAME)


def python_of(folder: Path, part: str = "env") -> Path:
    """Where an environment's interpreter is, whether made or not."""
    return folder / part / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def is_ready(folder: Path) -> bool:
    """Whether the engine in there was verified and its interpreter is still there."""
    found = read(folder)
    return found is not None and found.state == READY and python_of(folder).is_file()


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One installer at a time in a folder. The system drops the lock when its holder dies.

    Raises:
        Failure: another one is at work.
    """
    with (folder / LOCK).open("a+b") as file:
        if not lock(file.fileno()):
            raise Failure("Another Blender is working on the engine in this folder.", kind="busy")
        yield


def lock(descriptor: int) -> bool:
    """Take an open file for this process alone, as long as it is open. False where another one has it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def existing_parent(folder: Path) -> Path:
    """The nearest folder that is there: a disk's free space can be asked of that only."""
    folder = Path(os.path.abspath(folder))  # noqa: PTH100  # not resolved: a mount point stays itself
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder
