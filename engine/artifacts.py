"""`artifact/read`: a result's files in pieces, for clients that share no disk with the engine."""

from __future__ import annotations

import base64
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.errors import InvalidRequest

CHUNK_BYTES = 1 << 20
"""At most, and unless a request says less. A message of it stays well below what a client takes for noise."""


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
            with path.open("rb") as stream:
                stream.seek(offset)
                data = stream.read(count)
            size = path.stat().st_size
        except OSError as error:
            raise InvalidRequest(f"{file!r} cannot be read.", field="file", details=str(error)) from error
        return {
            "data": base64.b64encode(data).decode("ascii"),
            "offset": offset,
            "size": size,
            "end": offset + len(data) >= size,
        }

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
