"""Results of an engine that shares no disk with Blender: paths told its way, files brought here.

The engine writes below a folder of its machine, as Blender would below the folder for results. A job's end is
handed on when all its files are here; previews come as they can, and those that are overtaken are left out.
"""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from __future__ import annotations

import base64
import contextlib
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

from ..words import mark, tr
from .errors import EngineError
from .events import Cancelled, Event, Failed, Finished, Preview, Progress

OUTSIDE = mark("The engine named a file outside the folder for results.")
SUMMARY = "summary.json"
CHECKPOINT = "checkpoint.safetensors"  # in the folder of a run that can be gone on with


@dataclass(frozen=True)
class Places:
    """The same results on two machines.

    Attributes:
        here: Blender's folder for results.
        there: the engine's, as the engine's machine writes paths.
    """

    here: Path
    there: str

    def told(self, value: Any) -> Any:
        """What a request holds, with paths below `here` as the engine knows them."""
        if isinstance(value, dict):
            return {name: self.told(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.told(item) for item in value]
        if isinstance(value, str):
            with contextlib.suppress(ValueError):
                below = PurePath(value).relative_to(self.here)
                return f"{self.there.rstrip('/')}/{below.as_posix()}"
        return value

    def local(self, path: str) -> Path:
        """Where a path of the engine's is here.

        Raises:
            EngineError: it leads out of the folder.
        """
        root, tidy = self.there.rstrip("/") + "/", path.replace("\\", "/")
        parts = tidy[len(root) :].split("/")
        # A colon would begin another drive on Windows, or a file behind a file.
        if not tidy.startswith(root) or ".." in parts or any(":" in part for part in parts):
            raise EngineError(OUTSIDE, kind="protocol", details=path)
        return self.here.joinpath(*parts)


@dataclass
class _Fetch:
    """One file on its way: this number, of so many that have to be here before the event is handed on.

    Attributes:
        lists: whether it is a summary that names further files, which have to be here, too.
        optional: whether the event is handed on without it, if it cannot be had.
    """

    remote: str
    local: Path
    event: Finished | Preview | Cancelled
    number: int = 1
    of: int = 1
    offset: int = 0
    lists: bool = False
    optional: bool = False


class Fetcher:
    """Stands between the engine's events and whoever takes them.

    Args:
        submit: sends a request, as `Engine.submit` does.
        places: gives the two folders; None where one disk serves both.
    """

    def __init__(
        self, submit: Callable[[str, dict[str, Any]], int], places: Callable[[], Places | None]
    ) -> None:
        self._submit, self._places = submit, places
        self._waiting: deque[_Fetch] = deque()
        self._fetching: tuple[int, _Fetch] | None = None

    def through(self, events: Iterable[Event]) -> Iterator[Event]:
        """The events as whoever asked may have them: with files that are here."""
        for event in events:
            if event.job is None:
                self._waiting.clear()  # the process is gone, and took what was asked of it along
                self._fetching = None
                yield event
            elif self._fetching is not None and event.job == self._fetching[0]:
                yield from self._arrived(event, self._fetching[1])
            elif (found := _with_files(event)) is not None and (places := self._places()) is not None:
                yield from self._begin(found, places)
            else:
                yield event

    def _begin(self, event: Finished | Preview | Cancelled, places: Places) -> Iterator[Event]:
        try:
            if isinstance(event, Preview):
                if any(isinstance(fetch.event, Preview) for fetch in self._waiting):
                    return  # the line is slower than the engine
                local = places.local(event.file)
                self._waiting.append(_Fetch(event.file, local, replace(event, file=str(local))))
            elif isinstance(event, Cancelled):
                folder = str(event.folder)
                summary = f"{folder.rstrip('/')}/{SUMMARY}"
                kept = replace(event, folder=str(places.local(folder)))
                self._waiting.append(_Fetch(summary, places.local(summary), kept, lists=True))
            elif not (files := _files(event.result)):
                yield event
                return
            else:
                folder = str(event.result["folder"])
                here = Finished(event.job, {**event.result, "folder": str(places.local(folder))})
                with contextlib.suppress(OSError):  # of an earlier stop: there is nothing to go on with now
                    (places.local(folder) / CHECKPOINT).unlink()
                for number, name in enumerate(files, 1):
                    remote = f"{folder.rstrip('/')}/{name}"
                    self._waiting.append(_Fetch(remote, places.local(remote), here, number, len(files)))
        except EngineError as error:
            yield Failed(event.job, error)
            return
        if self._fetching is None:
            yield from self._next()

    def _next(self) -> Iterator[Event]:
        """Ask for the next piece of the next file."""
        self._fetching = None
        if self._waiting:
            fetch = self._waiting[0]
            try:
                job = self._submit("artifact/read", {"file": fetch.remote, "offset": fetch.offset})
            except EngineError as error:
                yield from self._give_up(fetch, error)
            else:
                self._fetching = job, fetch

    def _arrived(self, event: Event, fetch: _Fetch) -> Iterator[Event]:
        if not isinstance(event, Finished):
            error = event.error if isinstance(event, Failed) else EngineError("It was cancelled.")
            yield from self._give_up(fetch, error)
            return
        try:
            data, end = base64.b64decode(event.result["data"]), bool(event.result["end"])
            _store(fetch, data, end=end)
            more = _listed(fetch) if end and fetch.lists else []
        except EngineError as error:
            yield from self._give_up(fetch, error)
            return
        except (KeyError, TypeError, ValueError, OSError) as error:
            yield from self._give_up(fetch, EngineError("A result cannot be stored.", details=repr(error)))
            return
        fetch.offset += len(data)
        if end:
            self._waiting.popleft()
            if more:
                self._waiting.extendleft(reversed(more))
            elif fetch.number == fetch.of:
                yield fetch.event
            else:
                yield Progress(fetch.event.job, "fetch", fetch.number, fetch.of, None, None)
        elif not data:
            yield from self._give_up(fetch, EngineError("A result ended early."))
            return
        yield from self._next()

    def _give_up(self, fetch: _Fetch, error: EngineError) -> Iterator[Event]:
        """Over one file a whole job is given up: half a material is none. A preview is not missed."""
        self._waiting = deque(other for other in self._waiting if other.event is not fetch.event)
        if fetch.optional:
            yield fetch.event
        elif isinstance(fetch.event, Finished | Cancelled):
            where = fetch.remote.rpartition("/")[0]
            yield Failed(
                fetch.event.job,
                EngineError(
                    tr(
                        "The results are finished but could not be fetched. They are in {folder} there.",
                        folder=where,
                    ),
                    kind="fetch",
                    details=f"{fetch.remote}: {error.message} {error.details}",
                ),
            )
        yield from self._next()


def _with_files(event: Event) -> Finished | Preview | Cancelled | None:
    """The event, if it comes with files."""
    if isinstance(event, Cancelled):
        return event if event.folder is not None else None
    return event if isinstance(event, Finished | Preview) else None


def _listed(fetch: _Fetch) -> list[_Fetch]:
    """What else a cancelled run kept, by its summary; last, what it can be gone on with from.

    Raises:
        EngineError: the summary names a file elsewhere.
        OSError, ValueError: it cannot be read.
    """
    folder, event = fetch.remote.rpartition("/")[0], fetch.event
    summary = json.loads(fetch.local.read_text("utf-8"))
    names = [name for name in _files({**summary, "folder": folder}) if name != SUMMARY]
    if wrong := [name for name in names if name != PurePath(name).name or ":" in name or "\\" in name]:
        raise EngineError(OUTSIDE, kind="protocol", details=wrong[0])
    names += [CHECKPOINT] if isinstance(event, Cancelled) and event.stopped_at is not None else []
    return [
        _Fetch(
            f"{folder}/{name}",
            fetch.local.parent / name,
            event,
            number,
            len(names),
            optional=name == CHECKPOINT,
        )
        for number, name in enumerate(names, 1)
    ]


def _files(result: dict[str, Any]) -> list[str]:
    """The files that a summary names, below its folder; none where it is no summary."""
    variations = result.get("variations")
    if not isinstance(result.get("folder"), str) or not isinstance(variations, list):
        return []
    found: list[str] = []
    for variation in variations:
        if isinstance(variation, dict):
            files = variation.get("files")
            found += [str(name) for name in files.values()] if isinstance(files, dict) else []
            found += [str(variation["sidecar"])] if variation.get("sidecar") else []
    return [*found, SUMMARY] if found else []


def _store(fetch: _Fetch, data: bytes, *, end: bool) -> None:
    """Whole or not at all: nobody sees half a picture."""
    unfinished = fetch.local.with_name(f"{fetch.local.name}.part")
    if fetch.offset == 0:
        fetch.local.parent.mkdir(parents=True, exist_ok=True)
    with unfinished.open("wb" if fetch.offset == 0 else "ab") as file:
        file.write(data)
    if end:
        unfinished.replace(fetch.local)
