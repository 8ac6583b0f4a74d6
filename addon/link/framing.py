"""One JSON value a line, UTF-8, however the reads happen to cut the stream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

MAX_LINE_BYTES = 8 << 20  # a summary has some ten kilobytes; what is a thousand times longer is no message


class Garbage(str):
    """A line that is no message: the start of it, for the log."""

    __slots__ = ()


class LineTooLongError(ValueError):
    """A line without an end: what is at the other side does not speak this protocol."""


def encode(message: dict[str, Any]) -> bytes:
    """A message as one line. ASCII: odd file names pass as escapes."""
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"


class Framer:
    """Puts lines together from whatever pieces arrive."""

    def __init__(self) -> None:
        self._pieces = bytearray()

    def feed(self, chunk: bytes) -> Iterator[dict[str, Any] | Garbage]:
        """Take what was read; give each message, or Garbage, that it completes.

        Raises:
            LineTooLongError: more than MAX_LINE_BYTES came without a line end.
        """
        self._pieces += chunk
        *lines, rest = self._pieces.split(b"\n")
        self._pieces = rest
        for line in lines:
            if line.strip():
                yield _decode(bytes(line))
        if len(rest) > MAX_LINE_BYTES:
            raise LineTooLongError(f"{len(rest)} bytes without a line end")


def _decode(line: bytes) -> dict[str, Any] | Garbage:
    try:
        message = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        message = None
    return message if isinstance(message, dict) else Garbage(line[:200].decode("utf-8", "replace"))
