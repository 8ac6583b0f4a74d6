"""All results under the results folders, found, grouped, starred and deleted in small steps. No bpy.

What is on disk is the truth. The index beside it only saves reading sidecars that have not changed: without
it, or with half of one, everything is found all the same.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from . import results
from .link import disk
from .results import DamagedError
from .session import Result
from .words import tr

log = logging.getLogger(__name__)

INDEX = ".patina_history.jsonl"
LINES_A_STEP = 20

Step = Iterator[None]


@dataclass(frozen=True)
class Entry:
    """One result of any session.

    Attributes:
        made: when its sidecar was written, ns since 1970.
        size: of the sidecar, bytes.
        facts: see `results.about`.
        words: what a search looks at, lower case.
        run: names of its session's and its run's folder, which begin with the time and with a number.
    """

    result: Result
    sidecar: Path
    made: int
    size: int
    facts: dict[str, Any]
    words: str
    run: tuple[str, ...]

    @property
    def key(self) -> str:
        """Names it."""
        return str(self.sidecar)


@dataclass(frozen=True)
class Group:
    """Results of one prompt, the newest run first and each run in the order of its ranks."""

    prompt: str
    entries: list[Entry]


class History:
    """What is known of the results on disk. `advance` finds out more, or does what was asked for.

    Args:
        folders: gives the results folders; the first gets the index.

    Attributes:
        begun: whether anybody has asked for a scan.
        undeleted: results that the last deletion had to leave on the disk.
        revision: grows with every change.
    """

    def __init__(self, folders: Callable[[], list[Path]]) -> None:
        self._folders = folders
        self._entries: dict[str, Entry] = {}
        self._starred: set[str] = set()
        self._damaged: set[str] = set()
        self._deleted: set[str] = set()
        self._work: deque[tuple[str, Callable[[], Step]]] = deque()
        self._step: Step | None = None
        self._doing = ""
        self.begun = False
        self.undeleted = 0
        self.revision = 0

    @property
    def busy(self) -> bool:
        """Whether `advance` has something to do."""
        return self._step is not None or bool(self._work)

    @property
    def scanning(self) -> bool:
        """Whether there may be more than is known."""
        return self._doing == "scan" or any(name == "scan" for name, _ in self._work)

    @property
    def damaged(self) -> int:
        """Sidecars that were skipped."""
        return len(self._damaged)

    def __len__(self) -> int:
        return len(self._entries)

    def scan(self) -> None:
        """Look through all folders, from now on."""
        self.begun = True
        if not any(name == "scan" for name, _ in self._work):
            self._work.append(("scan", self._scan))

    def note(self, folder: Path) -> None:
        """A run has written into a folder: look there."""
        if self.begun:
            self._work.append(("note", partial(self._scan_folder, folder, {}, set())))

    def advance(self, seconds: float) -> bool:
        """Work for about so long. False when there is nothing to do."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._step is None:
                if not self._work:
                    return False
                self._doing, make = self._work.popleft()
                self._step = make()
            try:
                next(self._step)
            except StopIteration:
                self._step, self._doing = None, ""
                self.revision += 1
        return self.busy

    def starred(self, sidecar: Path | None) -> bool:
        """Whether a result is."""
        return str(sidecar) in self._starred

    def star(self, sidecar: Path, on: bool) -> None:
        """Star a result, or take its star away.

        Raises:
            OSError: the folder does not take files.
        """
        results.set_star(sidecar, on)
        (self._starred.add if on else self._starred.discard)(str(sidecar))
        self.revision += 1

    def look_for_stars(self, sidecars: Iterable[Path]) -> None:
        """Learn which of a few results are starred, without a scan."""
        for sidecar in sidecars:
            there = disk.has_file(results.star_of(sidecar))
            (self._starred.add if there else self._starred.discard)(str(sidecar))

    def delete(self, entries: Iterable[Entry], *, spare_starred: bool = False) -> None:
        """Forget results now, and delete their files as `advance` gets to it.

        Args:
            spare_starred: leave what has a star on disk, be it another Blender's.
        """
        self.undeleted = 0
        for entry in entries:
            self._entries.pop(entry.key, None)
            self._deleted.add(entry.key)
            self._work.append(("delete", partial(self._delete, entry, spare_starred)))
        self.revision += 1

    def entry(self, key: str) -> Entry | None:
        """A result by its sidecar's path."""
        return self._entries.get(key)

    def run_of(self, key: str) -> list[Entry]:
        """The results of the same run, in the order of their ranks."""
        folder = str(Path(key).parent)
        siblings = (entry for path, entry in self._entries.items() if os.path.dirname(path) == folder)  # noqa: PTH120
        return sorted(siblings, key=lambda entry: entry.result.rank)

    def unstarred(self) -> list[Entry]:
        """All that have no star."""
        return [entry for key, entry in self._entries.items() if key not in self._starred]

    def groups(self, search: str = "", *, starred_only: bool = False) -> list[Group]:
        """Results by prompt, the newest prompt first.

        Args:
            search: words that must all be in prompt, avoided words, preset or tags.
            starred_only: leave out the others.
        """
        wanted = search.lower().split()
        found = [
            entry
            for key, entry in self._entries.items()
            if (not starred_only or key in self._starred) and all(word in entry.words for word in wanted)
        ]
        found.sort(key=lambda entry: entry.result.rank)
        found.sort(key=lambda entry: entry.run, reverse=True)
        by_prompt: dict[str, list[Entry]] = {}
        for prompt, entries in groupby(found, lambda entry: entry.result.prompt):
            by_prompt.setdefault(prompt, []).extend(entries)
        return [Group(prompt, entries) for prompt, entries in by_prompt.items()]

    def _delete(self, entry: Entry, spare_starred: bool) -> Step:
        if spare_starred and disk.has_file(results.star_of(entry.sidecar)):
            self._deleted.discard(entry.key)
            self._entries[entry.key] = entry
            self._starred.add(entry.key)
            return
        self._starred.discard(entry.key)
        yield from results.delete(entry.sidecar, entry.facts)
        if disk.has_file(entry.sidecar):
            self._deleted.discard(entry.key)
            self._entries[entry.key] = entry
            self.undeleted += 1

    def _scan(self) -> Step:
        """Everything anew; what is gone from the disk goes from here."""
        known: dict[str, Entry] = {}
        yield from self._read_index(known)
        seen: set[str] = set()
        for root in self._folders():
            pending = [root]
            while pending:
                folder = pending.pop()
                yield from self._scan_folder(folder, known, seen, pending)
        for key in [key for key in self._entries if key not in seen]:
            del self._entries[key]
        self._starred &= seen
        self._damaged &= seen
        self.revision += 1
        yield
        if any(known.get(key) is not entry for key, entry in self._entries.items()):
            yield from self._write_index()

    def _scan_folder(
        self, folder: Path, known: dict[str, Entry], seen: set[str], below: list[Path] | None = None
    ) -> Step:
        """One folder's sidecars; `below` gets the folders in it."""
        names: dict[str, os.DirEntry[str]] = {}
        try:
            with os.scandir(folder) as listing:
                for item in listing:
                    names[item.name] = item
                    if len(names) % LINES_A_STEP == 0:
                        yield
            if below is not None:
                below.extend(Path(item.path) for item in names.values() if item.is_dir(follow_symlinks=False))
        except OSError:
            return  # not there, or gone meanwhile
        for name, item in names.items():
            if not name.endswith(".json") or name == results.SUMMARY:
                continue
            seen.add(item.path)
            self._take(Path(item.path), item, names, known)
            yield
        self.revision += 1

    def _take(
        self,
        sidecar: Path,
        item: os.DirEntry[str],
        names: dict[str, os.DirEntry[str]],
        known: dict[str, Entry],
    ) -> None:
        key = str(sidecar)
        if key in self._deleted:
            return
        try:
            status = item.stat()
            stamp = status.st_mtime_ns, status.st_size
            entry = self._entries.get(key) or known.get(key)
            if entry is None or (entry.made, entry.size) != stamp:
                entry = entry_of(sidecar, results.about(results.content_of(sidecar)), *stamp)
            _check(entry, names)
        except (DamagedError, OSError) as error:
            log.info("skipped %s: %s", sidecar, error)
            self._damaged.add(key)
            self._entries.pop(key, None)
            return
        self._damaged.discard(key)
        self._entries[key] = entry
        starred = results.star_of(sidecar).name in names
        (self._starred.add if starred else self._starred.discard)(key)

    def _read_index(self, known: dict[str, Entry]) -> Step:
        """Fill `known` with what an earlier scan has written, as far as it can be read."""
        try:
            with (self._folders()[0] / INDEX).open(encoding="utf-8") as file:
                for number, line in enumerate(file):
                    path, made, size, facts = json.loads(line)
                    known[path] = entry_of(Path(path), facts, made, size)
                    if number % LINES_A_STEP == 0:
                        yield
        except (OSError, ValueError, TypeError, KeyError, DamagedError) as error:
            log.info("the index of results ends early: %r", error)

    def _write_index(self) -> Step:
        path = self._folders()[0] / INDEX
        unfinished = path.with_name(f"{INDEX}.{os.getpid()}.part")
        try:
            with unfinished.open("w", encoding="utf-8") as file:
                for number, (key, entry) in enumerate(tuple(self._entries.items())):
                    file.write(json.dumps([key, entry.made, entry.size, entry.facts]) + "\n")
                    if number % LINES_A_STEP == 0:
                        yield
            unfinished.replace(path)
        except OSError as error:
            log.info("the index of results cannot be written: %r", error)


def _check(entry: Entry, names: Container[str]) -> None:
    if entry.result.files["basecolor"].name not in names:
        raise DamagedError(tr("The pictures of {file} are gone.", file=entry.sidecar.name))


def entry_of(sidecar: Path, facts: dict[str, Any], made: int, size: int) -> Entry:
    """An entry from what a sidecar or the index says.

    Raises:
        DamagedError: see `results.result_at`.
    """
    result = results.result_at(sidecar, facts)
    words = " ".join([result.prompt, facts["negative"], facts["preset"], *(tag.label for tag in result.tags)])
    return Entry(result, sidecar, made, size, facts, words.lower(), sidecar.parts[-3:-1])
