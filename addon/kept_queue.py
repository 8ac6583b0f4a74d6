"""The queue on disk, so that a Blender that crashes does not take the prompts along that waited. No bpy.

Every Blender has a file of its own beside one that it holds locked while it lives: the system drops the lock
when the process dies, in whatever way. What lies there unlocked is nobody's any more, and can be taken over.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
from dataclasses import dataclass, fields
from pathlib import Path
from typing import IO, Any

from .link.installer import record
from .queue import Queue, Run

log = logging.getLogger(__name__)

FORMAT = 1
PATHS = ("results", "folder")  # of a run
KEPT = tuple(field.name for field in fields(Run) if field.name != "number")  # that names it in one Blender


@dataclass(frozen=True)
class Left:
    """What a Blender that is gone had still to do."""

    file: Path
    runs: tuple[Run, ...]


class Keeper:
    """Writes this Blender's queue, and finds those of others that are gone.

    Args:
        folder: of the queues of all Blenders of this user; need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self._file = _new_file(folder)
        self._lock: IO[bytes] | None = None
        self._claimed: tuple[Path, ...] = ()
        self._written: tuple[list[int], tuple[Path, ...]] = ([], ())  # runs, and files to remove with that

    def keep(self, queue: Queue) -> None:
        """Bring the file up to date, if anything has changed: the run under way, then those that wait."""
        runs = [*([queue.running] if queue.running else []), *queue.waiting]
        numbers = [run.number for run in runs]
        if (numbers, self._claimed) == self._written:
            return
        self._written = numbers, self._claimed  # also where the disk refuses: it would again, at every turn
        try:
            self._write(runs)
            for file in self._claimed:
                file.unlink(missing_ok=True)
            self._claimed, self._written = (), (numbers, ())
        except OSError:
            log.warning("the queue cannot be kept in %s", self._file, exc_info=True)

    def close(self) -> None:
        """Let go of the file: what is in it can be taken over."""
        lock, self._lock, self._written = self._lock, None, ([], ())
        if lock is not None:
            lock.close()
            _drop_lock(self._file)

    def left(self) -> list[Left]:
        """The queues of Blenders that are gone, the oldest first. Files that say nothing are left alone."""
        files = sorted(self._file.parent.glob("*_*.json"), key=_written_at)
        found = (Left(file, _read(file)) for file in files if file != self._file and not _is_held(file))
        return [left for left in found if left.runs]

    def claim(self, left: Left) -> bool:
        """Take a queue over. False where another Blender, or an earlier press, has done so.

        Its file goes when `keep` has written ours: a crash between the two loses no prompt.
        """
        ours = _new_file(self._file.parent)
        try:
            left.file.rename(ours)
        except OSError:
            return False
        self._claimed += (ours,)
        _drop_lock(left.file)
        return True

    def _write(self, runs: list[Run]) -> None:
        if not runs:
            self._file.unlink(missing_ok=True)
            self.close()
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        if self._lock is None:
            self._lock = _lock_of(self._file).open("a+b")
            if not record.lock(self._lock.fileno()):
                log.warning("%s cannot be locked: another Blender may take the queue over", self._file)
        content = {"format": FORMAT, "runs": [_told(run) for run in runs]}
        unfinished = self._file.with_suffix(".part")
        unfinished.write_text(json.dumps(content), encoding="utf-8")
        unfinished.replace(self._file)


def _told(run: Run) -> dict[str, Any]:
    content = {name: getattr(run, name) for name in KEPT}
    return content | {name: str(content[name]) for name in PATHS if content[name] is not None}


def _read(file: Path) -> tuple[Run, ...]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            return ()
        return tuple(_run(entry) for entry in content["runs"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        log.warning("%s is no queue", file, exc_info=True)
        return ()


def _run(entry: dict[str, Any]) -> Run:
    known = {name: entry[name] for name in KEPT}
    if not isinstance(known["params"], dict):
        raise TypeError("params is not an object")
    return Run(**{**known, **{name: Path(known[name]) for name in PATHS if known[name] is not None}})


def _is_held(file: Path) -> bool:
    try:
        with _lock_of(file).open("r+b") as descriptor:  # which makes none: asking leaves nothing behind
            return not record.lock(descriptor.fileno())
    except FileNotFoundError:  # the lock is made before the queue, and goes when its Blender lets go of both
        return False
    except OSError:
        return True


def _new_file(folder: Path) -> Path:
    # Not the process id alone: the system gives it to another process some day.
    return folder / f"{os.getpid()}_{secrets.token_hex(4)}.json"


def _lock_of(file: Path) -> Path:
    return file.with_suffix(".lock")


def _drop_lock(file: Path) -> None:
    with contextlib.suppress(OSError):  # on Windows, while another Blender looks whether it is held
        _lock_of(file).unlink(missing_ok=True)


def _written_at(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:  # taken over at this moment
        return 0.0
