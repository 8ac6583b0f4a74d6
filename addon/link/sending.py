"""Pictures for an engine that shares no disk with Blender, sent ahead of the request that names them.

A picture is called by its content there, so that each goes over once while an engine lives, and what is
painted later changes no run that waits. Requests are read in their order: nothing has to wait for an answer.
"""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..words import tr
from . import disk
from .errors import EngineError
from .events import Cancelled, Event, Failed, Finished
from .fetch import Places

CHUNK_BYTES = 512 << 10  # two thirds of a megabyte as base64: below what the engine takes for noise
MAX_BYTES = 64 << 20  # as the engine has it
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".exr")
NO_FILES = ("prompt", "negative", "folder", "history")  # parameters that are words, or go the other way


class Sender:
    """Stands between requests and the engine.

    Args:
        submit: sends a request, as `Engine.submit` does.
        places: gives the two folders; None where one disk serves both.
        process: names the engine's process: another one may be elsewhere, and has nothing yet.
    """

    def __init__(
        self,
        submit: Callable[[str, dict[str, Any]], int],
        places: Callable[[], Places | None],
        process: Callable[[], object],
    ) -> None:
        self._submit, self._places, self._process = submit, places, process
        self._known: object = None  # the process that has what was sent
        self._there: dict[str, str] = {}  # sha256 → path, of pictures that this engine has
        self._pieces: dict[int, str] = {}  # requests that carry a piece → sha256 of its picture
        self._needs: dict[int, set[str]] = {}  # job → pictures that it names
        self._refused: dict[str, EngineError] = {}  # sha256 → why

    def submit(self, method: str, params: dict[str, Any]) -> int:
        """Send a request, and before it the pictures that it names. Returns the id of its job.

        Raises:
            EngineError: the engine cannot be started, or a picture not be read.
        """
        places = self._places()
        if places is None:
            return self._submit(method, params)
        if self._process() != self._known:
            for gone in (self._there, self._pieces, self._needs, self._refused):
                gone.clear()
        named: set[str] = set()
        told = {
            name: value if name in NO_FILES else self._told(value, places, named)
            for name, value in params.items()
        }
        job = self._submit(method, places.told(told))
        self._known = self._process()
        if named:
            self._needs[job] = named
        return job

    def through(self, events: Iterable[Event]) -> Iterator[Event]:
        """The events, less those of pictures on their way; a run that lacks one says what became of it."""
        for event in events:
            if event.job is not None and event.job in self._pieces:
                self._take(event, event.job)
            elif isinstance(event, Finished | Failed | Cancelled) and event.job is not None:
                needed = self._needs.pop(event.job, set())
                why = next((self._refused[key] for key in sorted(needed) if key in self._refused), None)
                yield replace(event, error=why) if isinstance(event, Failed) and why else event
            else:
                yield event

    def _take(self, event: Event, job: int) -> None:
        picture = self._pieces[job]
        if isinstance(event, Finished | Failed | Cancelled):
            del self._pieces[job]
        if isinstance(event, Failed):
            self._refused.setdefault(picture, event.error)
            self._there.pop(picture, None)  # the next run that names it tries again

    def _told(self, value: Any, places: Places, named: set[str]) -> Any:
        if isinstance(value, dict):
            return {name: self._told(item, places, named) for name, item in value.items()}
        if isinstance(value, list):
            return [self._told(item, places, named) for item in value]
        if not isinstance(value, str) or not value.lower().endswith(SUFFIXES):
            return value
        path = Path(value)
        return self._send(path, places, named) if path.is_absolute() and disk.has_file(path) else value

    def _send(self, path: Path, places: Places, named: set[str]) -> str:
        try:
            size = path.stat().st_size
            content = path.read_bytes() if size <= MAX_BYTES else b""
        except OSError as error:
            raise EngineError(
                tr("The picture {file} cannot be read", file=path.name), kind="picture", details=str(error)
            ) from error
        if size > MAX_BYTES:
            raise EngineError(
                tr(
                    "The picture {file} has {size} MB, and {most} can be sent to a remote engine. "
                    "Make it smaller.",
                    file=path.name,
                    size=size >> 20,
                    most=MAX_BYTES >> 20,
                ),
                kind="picture",
            )
        key = hashlib.sha256(content).hexdigest()
        named.add(key)
        if key not in self._there:
            there = f"{places.there.rstrip('/')}/inputs/{key[:24]}{path.suffix.lower()}"
            self._refused.pop(key, None)
            for offset in range(0, max(size, 1), CHUNK_BYTES):
                piece = content[offset : offset + CHUNK_BYTES]
                request = {
                    "file": there,
                    "offset": offset,
                    "data": base64.b64encode(piece).decode("ascii"),
                    "sha256": key,
                    "end": offset + CHUNK_BYTES >= size,
                }
                self._pieces[self._submit("artifact/write", request)] = key
            self._there[key] = there
        return self._there[key]
