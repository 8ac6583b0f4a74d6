"""The engine's own code and models: from the file published beside the add-on, or from a folder."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Protocol

from .failure import Failure
from .work import Work, delete

TAKEN = ("engine", "presets", "requirements")
SIZES = "requirements/sizes.json"
NEEDED = (
    "engine/__init__.py",
    "requirements/engine.txt",
    "requirements/tools.txt",
    SIZES,
)
HASHES = "program.json"
CHUNK = 1 << 20


class Source(Protocol):
    """Where the program comes from."""

    def names(self) -> list[str]:
        """Paths of all its files, with slashes, from the folder that holds engine/."""

    def open(self, name: str) -> IO[bytes]:
        """One of them."""

    def version(self) -> str:
        """Changes when anything in it does."""


class Folder:
    """A checkout, or a folder that somebody unpacked."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> list[str]:
        paths = (path for part in TAKEN for path in sorted((self._path / part).rglob("*")))
        return [path.relative_to(self._path).as_posix() for path in paths if path.is_file() and _wanted(path)]

    def open(self, name: str) -> IO[bytes]:
        return (self._path / name).open("rb")

    def version(self) -> str:
        digest = hashlib.sha256()
        for name in self.names():
            with self.open(name) as file:
                digest.update(f"{name}\0{_sha256(file)}\n".encode())
        return digest.hexdigest()


class Archive:
    """patina-engine-VERSION.zip, with one folder at its top.

    Args:
        sha256: what the add-on was told about the file; "" where it was told nothing.
    """

    def __init__(self, path: Path, file: zipfile.ZipFile, sha256: str) -> None:
        self._path, self._file, self._expected = path, file, sha256
        tops = {name.partition("/")[0] for name in file.namelist()}
        self._top = f"{tops.pop()}/" if len(tops) == 1 else ""

    def names(self) -> list[str]:
        names = [i.filename[len(self._top) :] for i in self._file.infolist() if not i.is_dir()]
        for name in names:
            inside = PurePosixPath(name)
            if inside.is_absolute() or ".." in inside.parts or "\\" in name or PureWindowsPath(name).drive:
                raise Failure(
                    "{file} is not Patina's engine.", kind="source", details=name, file=self._path.name
                )
        return [name for name in names if name.partition("/")[0] in TAKEN]

    def open(self, name: str) -> IO[bytes]:
        return self._file.open(self._top + name)

    def version(self) -> str:
        with self._path.open("rb") as file:
            found = _sha256(file)
        if self._expected and found != self._expected:
            raise Failure(
                "{file} is not the file that belongs to this add-on, or it is damaged. "
                "Get both from the same place again.",
                kind="hash",
                file=self._path.name,
                details=f"sha256 {found}, expected {self._expected}",
            )
        return found


@contextmanager
def opened(path: Path, sha256: str = "") -> Iterator[Source]:
    """The source behind a path: a zip, or a folder that holds engine/.

    Raises:
        Failure: it is neither, or lacks what an engine needs.
    """
    if path.is_dir():
        yield _complete(Folder(path), path)
        return
    try:
        file = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise Failure(
            "{path} cannot be read. Choose the file patina-engine-….zip that was published with the add-on.",
            kind="source",
            path=str(path),
            details=str(error),
        ) from error
    with file:
        yield _complete(Archive(path, file, sha256), path)


def sizes(source: Source) -> dict[str, int]:
    """Backend → bytes that the installed engine takes, about, as the program itself says."""
    with source.open(SIZES) as file:
        return {str(name): int(size) for name, size in json.load(file).items()}


def put(source: Source, version: str, program: Path, work: Work) -> None:
    """Write the program anew, beside a list of its hashes: `damaged` holds it against that later.

    Raises:
        Stopped: see `Work.check`.
    """
    unfinished = program.with_name("program.part")
    delete(unfinished)
    hashes = {}
    for name in source.names():
        work.check()
        path = unfinished / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with source.open(name) as read, path.open("wb") as write:
            shutil.copyfileobj(read, write, CHUNK)
        with path.open("rb") as file:
            hashes[name] = _sha256(file)
    (unfinished / HASHES).write_text(json.dumps({"version": version, "files": hashes}), "utf-8")
    delete(program)
    unfinished.rename(program)


def damaged(program: Path) -> list[str]:
    """Files of the program that are gone or not as they came."""
    try:
        hashes = json.loads((program / HASHES).read_text("utf-8"))["files"]
    except (OSError, ValueError, KeyError):
        return [HASHES]
    wrong = []
    for name, expected in hashes.items():
        try:
            with (program / name).open("rb") as file:
                if _sha256(file) != expected:
                    wrong.append(name)
        except OSError:
            wrong.append(name)
    return wrong


def _complete(source: Source, path: Path) -> Source:
    lacking = set(NEEDED) - set(source.names())
    if lacking:
        raise Failure(
            "{path} is not Patina's engine. Choose the file patina-engine-….zip that was published with the "
            "add-on.",
            kind="source",
            path=str(path),
            details=f"It lacks {', '.join(sorted(lacking))}.",
        )
    return source


def _wanted(path: Path) -> bool:
    return "__pycache__" not in path.parts and not path.name.startswith(".")


def _sha256(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()
