"""Files in pieces, for clients that share no disk with the engine.

`artifact/read` hands a result's files out; `artifact/write` takes in the pictures that a run begins from.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
import threading
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

from engine.errors import CannotWrite, InvalidRequest

CHUNK_BYTES = 1 << 20
"""At most, and unless a request says less. A message of it stays well below what a client takes for noise."""

INPUTS = "inputs"
"""The name of a folder that pictures may be sent to, and of no other: nothing else can be overwritten."""

PICTURE = re.compile(r"[0-9A-Za-z_-]{1,80}\.(png|jpe?g|webp|tiff?|exr)")
MAX_BYTES = 64 << 20
"""Of a picture that is sent, which fills memory and a line: the add-on sends no more. One that lies here may
have more, see `engine.pictures.MAX_BYTES`.
"""


class Artifacts:
    """Reads below the folders that this engine has written results to, and nowhere else."""

    def __init__(self) -> None:
        self._folders: set[Path] = set()
        self._lock = threading.Lock()

    def allow(self, folder: Path) -> None:
        """Results go to this folder, so that its files may be read."""
        with self._lock:
            self._folders.add(folder.resolve())

    def read(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """One piece of a file.

        Args:
            params: `file`, an absolute path; `offset` (0) and `bytes` (CHUNK_BYTES), integers.

        Returns:
            `data` (base64), `offset`, the `size` of the whole file, and whether this was its `end`.

        Raises:
            InvalidRequest: an ill-typed parameter, or a file that is not a result, by its own path or by
                where its links lead.
        """
        file = _text(params, "file")
        offset = _integer(params, "offset", 0, least=0)
        count = min(_integer(params, "bytes", CHUNK_BYTES, least=1), CHUNK_BYTES)
        path = self._confined(file)
        try:
            size = path.stat().st_size
            with path.open("rb") as stream:
                stream.seek(min(offset, size))
                data = stream.read(count)
        except OSError as error:
            raise InvalidRequest(f"{file!r} cannot be read.", field="file", details=str(error)) from error
        return {
            "data": base64.b64encode(data).decode("ascii"),
            "offset": offset,
            "size": size,
            "end": offset + len(data) >= size,
        }

    def write(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Take one piece of a picture. It is there, under its name, once its last piece has come.

        Args:
            params: `file`, an absolute path in a folder called "inputs"; `offset` (0), how much of it has
                come before; `data` (base64); `sha256`, of the whole file; `end`, whether this is its last
                piece.

        Returns:
            `offset`, how much has come, and `end`.

        Raises:
            InvalidRequest: an ill-typed parameter, a name that is refused, a piece out of turn, a picture
                that is too large, or another one than was promised.
            CannotWrite: the disk refuses. Then, as with the last two, nothing of the picture stays.
        """
        path, offset = _picture(_text(params, "file")), _integer(params, "offset", 0, least=0)
        end, expected = params.get("end") is True, _text(params, "sha256")
        try:
            data = base64.b64decode(_text(params, "data"), validate=True)
        except ValueError as error:
            raise InvalidRequest("'data' must be base64.", field="data") from error
        unfinished = path.with_name(f"{path.name}.part")
        if offset + len(data) > MAX_BYTES:
            _discard(unfinished)
            raise InvalidRequest(f"{path.name} is larger than {MAX_BYTES >> 20} MiB.", field="file")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if offset != (unfinished.stat().st_size if offset and unfinished.is_file() else 0):
                raise InvalidRequest(f"A piece of {path.name} is missing. Send it again.", field="offset")
            with unfinished.open("ab" if offset else "wb") as stream:
                stream.write(data)
            if end:
                found = hashlib.sha256(unfinished.read_bytes()).hexdigest()
                if found != expected:
                    unfinished.unlink()
                    raise InvalidRequest(f"{path.name} came damaged. Send it again.", field="sha256")
                unfinished.replace(path)
        except OSError as error:
            _discard(unfinished)
            raise CannotWrite(
                f"{path.name} cannot be stored in {path.parent}. Free some space, or choose another folder.",
                field="file",
                details=str(error),
            ) from error
        return {"offset": offset + len(data), "end": end}

    def _confined(self, file: str) -> Path:
        try:
            path = Path(file).resolve(strict=True)
        except (OSError, ValueError, RuntimeError) as error:
            raise InvalidRequest(f"There is no file {file!r}.", field="file") from error
        with self._lock:
            inside = any(path.is_relative_to(folder) for folder in self._folders)
        if not Path(file).is_absolute() or not inside or not path.is_file():
            raise InvalidRequest(
                f"{file!r} is no result of this engine: only files of its own runs are handed over.",
                field="file",
            )
        return path


def _picture(file: str) -> Path:
    """Where a picture that is sent may go.

    Raises:
        InvalidRequest: elsewhere than into a folder for pictures, or under another name than a picture's.
    """
    named = PurePath(file)
    if "\0" in file or not named.is_absolute() or ".." in named.parts or named.parent.name != INPUTS:
        raise InvalidRequest(f"{file!r} is not in a folder {INPUTS!r}, where pictures go.", field="file")
    if PICTURE.fullmatch(named.name) is None:
        raise InvalidRequest(f"{named.name!r} is no name for a picture.", field="file")
    path = Path(named)
    if any(place.is_symlink() for place in (path.parent, path, path.with_name(f"{path.name}.part"))):
        raise InvalidRequest(f"{file!r} is a link: it could lead anywhere.", field="file")
    return path


def _discard(unfinished: Path) -> None:
    """What came of a picture of which no more will be taken."""
    with contextlib.suppress(OSError):  # the disk that refused to write may refuse this, too
        unfinished.unlink(missing_ok=True)


def _text(params: Mapping[str, Any], name: str) -> str:
    value = params.get(name)
    if not isinstance(value, str):
        raise InvalidRequest(f"{name!r} must be a text.", field=name)
    return value


def _integer(params: Mapping[str, Any], name: str, default: int, least: int) -> int:
    value = params.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InvalidRequest(f"{name!r} must be a whole number of {least} or more.", field=name)
    return value
