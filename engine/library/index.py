"""Bringing an index up to date with folders: only what is new or changed is looked at."""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.errors import UnreadablePicture
from engine.library import loading, thumbnails
from engine.library.eye import Eye, with_measured
from engine.library.loading import Contents, Loaded
from engine.library.names import Texture, group
from engine.library.scan import Scan, scan
from engine.library.store import Entry, Store

log = logging.getLogger(__name__)

BATCH = 8
"""Textures that are looked at, and then kept, together."""

RETAG = 256


@dataclass(frozen=True)
class Step:
    """How far an update is, in textures."""

    done: int
    total: int


@dataclass
class Report:
    """What an update did, in textures.

    Attributes:
        added: looked at by the network.
        moved: found again elsewhere, or touched, with the same content.
        copied: as another one that is still there.
        unchanged: not even opened.
        removed: no longer on the disk.
        vanished: while they were being indexed.
        broken: files that cannot be read, and why.
        homeless: maps without a base colour.
        unseen: folders that could not be looked into, and why; what was known of them is kept.
    """

    added: int = 0
    moved: int = 0
    copied: int = 0
    unchanged: int = 0
    removed: int = 0
    vanished: int = 0
    broken: dict[Path, str] = field(default_factory=dict)
    homeless: list[Path] = field(default_factory=list)
    unseen: dict[Path, str] = field(default_factory=dict)
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """For JSON: paths as text, and textures looked at per second."""
        numbers = {k: v for k, v in vars(self).items() if isinstance(v, int)}
        return {
            **numbers,
            "broken": [{"file": str(p), "reason": reason} for p, reason in self.broken.items()],
            "maps_without_base_colour": [str(p) for p in self.homeless],
            "unseen": [{"folder": str(p), "reason": reason} for p, reason in self.unseen.items()],
            "seconds": round(self.seconds, 2),
            "per_second": round(self.added / self.seconds, 2) if self.seconds else 0.0,
        }


def update(store: Store, folders: Sequence[Path], eye: Eye) -> Generator[Step, None, Report]:
    """Brings the index up to date. Stop between any two steps: what was done is kept.

    Args:
        store: the index.
        folders: that are to be in it, besides those that are; none for those alone.
        eye: the model whose index it is.

    Yields:
        After every texture.

    Raises:
        BadIndex: it cannot be written.
    """
    start = time.monotonic()
    roots = sorted({*store.folders(), *(Path(os.path.abspath(f)) for f in folders)})  # noqa: PTH100  # links stay
    with store.writing():
        store.set_folders(roots)
    _retag(store, eye)
    found = scan(roots)
    run = _Run(store, eye, found)
    yield from run.work()
    run.report.seconds = time.monotonic() - start
    return run.report


def forget(store: Store, folders: Iterable[Path]) -> int:
    """Takes folders, and all textures in them, out of the index; returns how many textures that were."""
    gone = {Path(os.path.abspath(f)) for f in folders}  # noqa: PTH100
    rest = [f for f in store.folders() if f not in gone]

    def is_out(path: Path) -> bool:
        inside = {path, *path.parents}
        return bool(inside & gone) and not inside & set(rest)

    dropped = [i for i, main in store.mains().items() if is_out(main)]
    before = set(store.contents())
    with store.writing():
        store.drop(dropped)
        store.mend([path for path in store.broken() if is_out(path)])
        store.set_folders(rest)
        store.touch()
    _forget_pictures(store, before)
    return len(dropped)


def _forget_pictures(store: Store, before: set[str]) -> None:
    thumbnails.forget(store.path.parent, before - set(store.contents()))


class _Run:
    """One update."""

    def __init__(self, store: Store, eye: Eye, found: Scan) -> None:
        self._store, self._eye, self._found = store, eye, found
        self.report = Report(unseen=dict(found.unseen))
        self._textures, self.report.homeless = group(found.files)
        self._stamps, self._broken = store.stamps(), store.broken()
        self._mains, self._contents = store.mains(), store.contents()
        self._before = set(self._mains)  # what a run enters meanwhile is not ours to drop
        self._counts = Counter(owner for owner, _, _ in self._stamps.values())
        self._kept: set[int] = set()  # ids whose files are all where the index says
        self._waiting: list[tuple[Contents, Loaded]] = []

    def work(self) -> Generator[Step, None, None]:
        pending = [t for t in self._textures if not self._is_known(t)]
        for done, texture in enumerate(pending, 1):
            self._take(texture)
            if len(self._waiting) == BATCH:
                self._keep()
            yield Step(done, len(pending))
        self._keep()
        self._clean()

    def _is_known(self, texture: Texture) -> bool:
        """Whether nothing about a texture changed since it was indexed, or since it could not be."""
        stamp = self._found.files[texture.main]
        broken = self._broken.get(texture.main)
        if broken is not None and broken[0] == stamp:
            self.report.broken[texture.main] = broken[1]
            return True
        before = {self._stamps.get(path) for path in texture.files.values()}
        now = {(role, self._found.files[path]) for role, path in texture.files.items()}
        ids = {b[0] for b in before if b is not None}
        if None in before or len(ids) != 1 or {(b[1], b[2]) for b in before if b is not None} != now:
            return False
        (texture_id,) = ids
        if self._counts[texture_id] != len(texture.files):
            return False
        self._kept.add(texture_id)
        self.report.unchanged += 1
        return True

    def _take(self, texture: Texture) -> None:
        try:
            contents = loading.read(texture)
            if self._recognise(contents):
                return
            self._waiting.append((contents, loading.decode(contents, self._eye.side_px)))
        except FileNotFoundError:
            self.report.vanished += 1
        except UnreadablePicture as error:
            self._give_up(texture.main, error.message)

    def _give_up(self, path: Path, reason: str) -> None:
        """List a file that cannot be read; it is opened again when it changes."""
        log.info("not indexed: %r: %s", str(path), reason)
        self.report.broken[path] = reason
        with self._store.writing():
            self._store.set_broken(path, self._found.files[path], reason)

    def _recognise(self, contents: Contents) -> bool:
        """Whether the index knows these contents: then only where they lie has to be noted."""
        same = self._store.existing(self._contents.get(contents.digest, []))
        if not same:
            return False
        texture, stamps = contents.texture, contents.stamps
        files = {role: path for role, path in texture.files.items() if role in stamps}
        moved = [i for i in same if i not in self._kept and self._is_free(i, texture)]
        with self._store.writing():
            if moved:
                self._store.relocate(moved[0], texture.name, files, stamps)
                self._note(moved[0], contents)
                self.report.moved += 1
            else:
                self._note(self._store.add(self._store.entry(same[0], texture.name, files, stamps)), contents)
                self.report.copied += 1
            self._store.touch()
        return True

    def _note(self, texture_id: int, contents: Contents) -> None:
        self._kept.add(texture_id)
        self._mains[texture_id] = contents.texture.main
        known = self._contents.setdefault(contents.digest, [])
        known += [texture_id] * (texture_id not in known)

    def _is_free(self, texture_id: int, texture: Texture) -> bool:
        """Whether an indexed texture is no longer where it was, or is this very one."""
        main = self._mains[texture_id]
        if main == texture.main:
            return True
        return main not in self._found.files and not self._found.hidden(main)

    def _keep(self) -> None:
        """Look at what is waiting and enter it, all in one transaction."""
        if not self._waiting:
            return
        looks = self._eye.look([loaded for _, loaded in self._waiting])
        with self._store.writing():
            for (contents, loaded), look in zip(self._waiting, looks, strict=True):
                texture = contents.texture
                files = {r: p for r, p in texture.files.items() if r in contents.stamps}
                entry = Entry(
                    texture.name, files, contents.stamps, contents.digest, loaded.width, loaded.height_px,
                    texture.directx, look.badges, loaded.thumbnail, look.vectors, look.tags,
                )  # fmt: skip
                self._note(self._store.add(entry), contents)
            self._store.touch()
        for contents, loaded in self._waiting:
            thumbnails.keep(self._store.path.parent, contents.digest, loaded.jpeg)
        self.report.added += len(self._waiting)
        self._waiting.clear()

    def _clean(self) -> None:
        """Drop what is no longer there."""
        mains = self._store.mains()
        gone = [
            i
            for i, main in mains.items()
            if i in self._before and i not in self._kept and not self._found.hidden(main)
        ]
        mended = [
            path
            for path in self._store.broken()
            if path not in self.report.broken and not self._found.hidden(path)
        ]
        if gone or mended:
            before = set(self._store.contents())
            with self._store.writing():
                self._store.drop(gone)
                self._store.mend(mended)
                self._store.touch()
            _forget_pictures(self._store, before)
        self.report.removed = sum(self._mains.get(i) not in self._found.files for i in gone)


def _retag(store: Store, eye: Eye) -> None:
    """Tags anew, from vectors alone, what was tagged with other words or another calibration."""
    signature = eye.signature()
    if store.meta("tags", signature) != signature:
        ids, x = store.vectors()
        for part in np.array_split(np.arange(len(ids)), max(1, -(-len(ids) // RETAG))):
            tags = eye.tagger(torch.from_numpy(x[part])) if len(part) else []
            with store.writing():
                for known, found in zip(store.known(ids[part].tolist()), tags, strict=True):
                    store.set_tags(known.id, with_measured(found, known.badges))
    with store.writing():
        store.set_meta("tags", signature)
