"""The records of a library in SQLite: textures, their files, vectors and tags, and what could not be read.

Written in transactions with a write-ahead log: whoever is killed while writing leaves what was committed
last. Paths are kept as the system's own bytes, as not every name on a disk is valid Unicode.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from engine.errors import BadIndex
from engine.library.tags import Tag

FORMAT = 1
BUSY_S = 30.0

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE textures (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, main BLOB NOT NULL UNIQUE, content TEXT NOT NULL,
    width INTEGER NOT NULL, height INTEGER NOT NULL, directx INTEGER NOT NULL,
    seamless INTEGER NOT NULL, badges TEXT NOT NULL, thumbnail BLOB NOT NULL
);
CREATE INDEX textures_by_content ON textures (content);
CREATE TABLE files (
    path BLOB PRIMARY KEY, texture INTEGER NOT NULL REFERENCES textures (id) ON DELETE CASCADE,
    role TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX files_by_texture ON files (texture);
CREATE TABLE vectors (
    texture INTEGER NOT NULL REFERENCES textures (id) ON DELETE CASCADE,
    view TEXT NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (texture, view)
) WITHOUT ROWID;
CREATE TABLE tags (
    texture INTEGER NOT NULL REFERENCES textures (id) ON DELETE CASCADE,
    facet TEXT NOT NULL, label TEXT NOT NULL, confidence REAL NOT NULL, PRIMARY KEY (texture, facet, label)
) WITHOUT ROWID;
CREATE INDEX tags_by_label ON tags (label);
CREATE TABLE broken (
    path BLOB PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, reason TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE folders (path BLOB PRIMARY KEY) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Stamp:
    """What tells, without reading it, that a file has not changed."""

    size: int
    mtime_ns: int


@dataclass(frozen=True)
class Entry:
    """One texture as it goes into the index.

    Attributes:
        name: of people.
        files: role → file; "basecolor" is the main one.
        stamps: of the same files.
        content: hash of all its files' contents.
        width, height: of the main file, px.
        directx: whether green points down in its normal map.
        badges: as `Badges.as_dict` says, and notes.
        thumbnail: uint8 (16, 16, 3), to tell near-duplicates by.
        vectors: view → unit embedding (D,).
        tags: of the texture.
    """

    name: str
    files: dict[str, Path]
    stamps: dict[str, Stamp]
    content: str
    width: int
    height: int
    directx: bool
    badges: dict[str, Any]
    thumbnail: NDArray[np.uint8]
    vectors: dict[str, NDArray[np.float32]]
    tags: list[Tag]


@dataclass(frozen=True)
class Known:
    """What the index knows of a texture without its vectors."""

    id: int
    name: str
    content: str
    width: int
    height: int
    directx: bool
    badges: dict[str, Any]
    files: dict[str, Path]
    tags: list[Tag] = field(default_factory=list)


class Store:
    """An open index.

    Args:
        path: of the database; it and its folder are made where they are missing.

    Raises:
        BadIndex: it cannot be opened, is no index, or is of a newer version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        except (sqlite3.Error, OSError) as error:
            raise BadIndex(
                f"The index {path} cannot be made. Choose another folder.", details=repr(error)
            ) from error
        try:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute("PRAGMA foreign_keys = ON")
            self._prepare()
        except (sqlite3.Error, BadIndex) as error:
            self._db.close()
            if isinstance(error, BadIndex):
                raise
            raise BadIndex(
                f"The index {path} cannot be opened. Delete it, and index again.", details=repr(error)
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction: everything in it is kept, or nothing.

        Raises:
            BadIndex: the disk is full, or another process has been writing for `BUSY_S`.
        """
        try:
            with self._db:  # commits, or rolls back whatever ends it
                self._db.execute("BEGIN IMMEDIATE")
                yield
        except sqlite3.Error as error:
            raise BadIndex(
                f"The index {self.path} cannot be written: {error}.", details=repr(error)
            ) from error

    # --- What is known ----------------------------------------------------------------------------

    def __len__(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM textures").fetchone()[0])

    def version(self) -> int:
        """Changes whenever the textures or their vectors do."""
        return int(self.meta("version", "0"))

    def meta(self, key: str, default: str = "") -> str:
        """A fact about the index itself."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return default if row is None else str(row[0])

    def stamps(self) -> dict[Path, tuple[int, str, Stamp]]:
        """Every indexed file: texture, role, stamp."""
        rows = self._db.execute("SELECT path, texture, role, size, mtime_ns FROM files")
        return {_path(p): (t, role, Stamp(size, mtime)) for p, t, role, size, mtime in rows}

    def mains(self) -> dict[int, Path]:
        """Id → main file of every texture."""
        return {i: _path(main) for i, main in self._db.execute("SELECT id, main FROM textures ORDER BY id")}

    def contents(self) -> dict[str, list[int]]:
        """Hash of contents → textures that have them."""
        found: dict[str, list[int]] = {}
        for texture, content in self._db.execute("SELECT id, content FROM textures ORDER BY id"):
            found.setdefault(content, []).append(texture)
        return found

    def existing(self, ids: Sequence[int]) -> list[int]:
        """Those of the ids that textures have."""
        return [k.id for k in self.known(ids)]

    def broken(self) -> dict[Path, tuple[Stamp, str]]:
        """Files that could not be read: their stamps then, and why."""
        rows = self._db.execute("SELECT path, size, mtime_ns, reason FROM broken ORDER BY path")
        return {_path(p): (Stamp(size, mtime), reason) for p, size, mtime, reason in rows}

    def folders(self) -> list[Path]:
        """Those that were indexed."""
        return [_path(row[0]) for row in self._db.execute("SELECT path FROM folders ORDER BY path")]

    def known(self, ids: Sequence[int]) -> list[Known]:
        """Textures by id, in that order; what is not there is left out."""
        return [k for k in map(self._known, ids) if k is not None]

    def vectors(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Ids (N,), ascending, and one unit vector a texture (N, D): its views, averaged.

        Raises:
            BadIndex: it cannot be read.
        """
        try:
            rows = self._db.execute("SELECT texture, vector FROM vectors ORDER BY texture").fetchall()
        except sqlite3.Error as error:
            raise BadIndex(
                f"The index {self.path} is damaged. Delete it, and index again.", details=repr(error)
            ) from error
        owners = np.array([row[0] for row in rows], np.int64)
        ids, first = np.unique(owners, return_index=True)
        if not len(ids):
            return ids, np.zeros((0, 0), np.float32)
        flat = np.frombuffer(b"".join(row[1] for row in rows), np.float16).astype(np.float32)
        x = np.add.reduceat(flat.reshape(len(rows), -1), first, 0)
        return ids, x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9)

    def thumbnails(self, ids: Sequence[int]) -> NDArray[np.uint8]:
        """Small pictures of textures that are there, (N, 16, 16, 3)."""
        found = np.zeros((len(ids), 16, 16, 3), np.uint8)
        for row, i in enumerate(ids):
            (blob,) = self._db.execute("SELECT thumbnail FROM textures WHERE id = ?", (i,)).fetchone()
            found[row] = np.frombuffer(blob, np.uint8).reshape(16, 16, 3)
        return found

    def having(self, tags: Sequence[str], least: float, *, seamless: bool) -> NDArray[np.int64]:
        """Ids, ascending, of the textures that have all of these tags, and repeat where that is wanted.

        Args:
            tags: labels of any facet.
            least: how sure each must be.
            seamless: whether only seamless ones are wanted.
        """
        query, values = ["SELECT id FROM textures WHERE (seamless OR NOT ?)"], [int(seamless)]
        terms: list[object] = list(values)
        for tag in tags:
            query.append("AND id IN (SELECT texture FROM tags WHERE label = ? AND confidence >= ?)")
            terms += [tag, least]
        rows = self._db.execute(f"{' '.join(query)} ORDER BY id", terms)
        return np.array([row[0] for row in rows], np.int64)

    def labels(self, least: float = 0.0) -> dict[str, int]:
        """Every tag in use, and of how many textures; those at least so sure."""
        query = "SELECT label, count(*) FROM tags WHERE confidence >= ? GROUP BY label ORDER BY label"
        return dict(self._db.execute(query, (least,)))

    def newest(self, limit: int) -> list[int]:
        """Ids of the textures that were added last, the last first."""
        rows = self._db.execute("SELECT id FROM textures ORDER BY id DESC LIMIT ?", (limit,))
        return [int(row[0]) for row in rows]

    # --- Changes, inside `writing` ----------------------------------------------------------------

    def set_meta(self, key: str, value: str) -> None:
        """Notes a fact about the index itself."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def touch(self) -> None:
        """Says that textures or vectors changed."""
        self.set_meta("version", str(self.version() + 1))

    def add(self, e: Entry) -> int:
        """Enters a texture; what was known of its files before is forgotten. Returns its id."""
        for path in e.files.values():
            self._release(path)
        self._db.execute("DELETE FROM textures WHERE main = ?", (os.fsencode(e.files["basecolor"]),))
        row = (
            _text(e.name), os.fsencode(e.files["basecolor"]), e.content, e.width, e.height, e.directx,
            bool(e.badges["seamless"]), json.dumps(e.badges), e.thumbnail.tobytes(),
        )  # fmt: skip
        into = "name, main, content, width, height, directx, seamless, badges, thumbnail"
        added = self._db.execute(f"INSERT INTO textures ({into}) VALUES (?,?,?,?,?,?,?,?,?)", row)  # noqa: S608
        texture = int(added.lastrowid or 0)
        self._add_files(texture, e.files, e.stamps)
        for view, vector in e.vectors.items():
            blob = vector.astype(np.float16).tobytes()
            self._db.execute("INSERT INTO vectors VALUES (?, ?, ?)", (texture, view, blob))
        self.set_tags(texture, e.tags)
        return texture

    def relocate(self, texture: int, name: str, files: dict[str, Path], stamps: dict[str, Stamp]) -> None:
        """A known texture's files are elsewhere now, or were touched; what is in them is the same."""
        main = os.fsencode(files["basecolor"])
        for path in files.values():
            self._release(path)
        self._db.execute("DELETE FROM files WHERE texture = ?", (texture,))
        self._db.execute("DELETE FROM textures WHERE main = ? AND id != ?", (main, texture))
        self._db.execute("UPDATE textures SET name = ?, main = ? WHERE id = ?", (_text(name), main, texture))
        self._add_files(texture, files, stamps)

    def entry(self, texture: int, name: str, files: dict[str, Path], stamps: dict[str, Stamp]) -> Entry:
        """What is known of a texture, for a copy of it in other files."""
        (known,) = self.known([texture])
        rows = self._db.execute("SELECT view, vector FROM vectors WHERE texture = ?", (texture,))
        vectors = {view: np.frombuffer(blob, np.float16).astype(np.float32) for view, blob in rows}
        return Entry(
            name, files, stamps, known.content, known.width, known.height, known.directx, known.badges,
            self.thumbnails([texture])[0], vectors, known.tags,
        )  # fmt: skip

    def set_tags(self, texture: int, tags: Sequence[Tag]) -> None:
        """Replaces the tags of a texture."""
        self._db.execute("DELETE FROM tags WHERE texture = ?", (texture,))
        rows = [(texture, t.facet, t.label, t.confidence) for t in tags]
        self._db.executemany("INSERT INTO tags VALUES (?, ?, ?, ?)", rows)

    def drop(self, textures: Sequence[int]) -> None:
        """Forgets textures and all that belongs to them."""
        self._db.executemany("DELETE FROM textures WHERE id = ?", [(t,) for t in textures])

    def set_broken(self, path: Path, stamp: Stamp, reason: str) -> None:
        """Lists a file that cannot be read."""
        row = (os.fsencode(path), stamp.size, stamp.mtime_ns, reason)
        self._db.execute("INSERT OR REPLACE INTO broken VALUES (?, ?, ?, ?)", row)

    def mend(self, paths: Sequence[Path]) -> None:
        """Takes files off the list of broken ones."""
        self._db.executemany("DELETE FROM broken WHERE path = ?", [(os.fsencode(p),) for p in paths])

    def set_folders(self, folders: Sequence[Path]) -> None:
        """Notes which folders are in the index."""
        self._db.execute("DELETE FROM folders")
        self._db.executemany("INSERT INTO folders VALUES (?)", [(os.fsencode(f),) for f in folders])

    def _prepare(self) -> None:
        """Makes the tables of a new file; two processes that open it at once make them once."""
        with self.writing():
            found = int(self._db.execute("PRAGMA user_version").fetchone()[0])
            if found > FORMAT:
                raise BadIndex(f"The index {self.path} is of a newer version of Patina. Update the engine.")
            if found == 0:
                for statement in filter(str.strip, SCHEMA.split(";")):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {FORMAT}")

    def _known(self, texture: int) -> Known | None:
        columns = "name, content, width, height, directx, badges"
        row = self._db.execute(f"SELECT {columns} FROM textures WHERE id = ?", (int(texture),)).fetchone()  # noqa: S608
        if row is None:
            return None
        files = self._db.execute("SELECT role, path FROM files WHERE texture = ?", (int(texture),))
        tags = self._db.execute(
            "SELECT facet, label, confidence FROM tags WHERE texture = ? ORDER BY facet, confidence DESC",
            (int(texture),),
        )
        name, content, width, height, directx, badges = row
        return Known(
            int(texture), name, content, width, height, bool(directx), json.loads(badges),
            {role: _path(p) for role, p in files}, [Tag(*t) for t in tags],
        )  # fmt: skip

    def _add_files(self, texture: int, files: dict[str, Path], stamps: dict[str, Stamp]) -> None:
        rows = [
            (os.fsencode(path), texture, role, stamps[role].size, stamps[role].mtime_ns)
            for role, path in files.items()
        ]
        self._db.executemany("INSERT INTO files VALUES (?, ?, ?, ?, ?)", rows)

    def _release(self, path: Path) -> None:
        blob = os.fsencode(path)
        self._db.execute("DELETE FROM files WHERE path = ?", (blob,))
        self._db.execute("DELETE FROM broken WHERE path = ?", (blob,))


def index_file(folder: Path, model: str) -> Path:
    """Where the index of one model lies: vectors of two models have nothing to say to each other."""
    return folder / f"index-{model}.sqlite"


def _path(blob: bytes) -> Path:
    return Path(os.fsdecode(blob))


def _text(name: str) -> str:
    """A name for people; what is no Unicode in it becomes "?"."""
    return name.encode("utf-8", "replace").decode("utf-8")
