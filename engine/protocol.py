"""The messages: JSON-RPC 2.0, one a line, UTF-8. Bytes in, requests out; nothing here knows a method.

The standard library is enough for it: the handshake must not wait for pydantic.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from engine.errors import InvalidRequest, ParseError, PatinaError

PROTOCOL = 1
MAX_LINE_BYTES = 1 << 20

RequestId = int | str
Params = Mapping[str, Any]


@dataclass(frozen=True)
class Request:
    """One well-formed request. `id` is None for a notification, which gets no answer."""

    id: RequestId | None
    method: str
    params: Params


class Framer:
    """Cuts a stream of bytes into lines, wherever the reads happen to split it.

    A line longer than `limit` bytes comes out once, as a ParseError; what is left of it is skipped
    up to its newline, so that the line after it is read as if nothing had happened.
    """

    def __init__(self, limit: int = MAX_LINE_BYTES) -> None:
        self._limit = limit
        self._pending = bytearray()
        self._skipping = False

    def feed(self, chunk: bytes) -> Iterator[bytes | ParseError]:
        """Take what was read; yield each line that it completes, without its newline."""
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            yield from self._extend(end)
            if not self._skipping:
                yield bytes(self._pending)
            self._pending.clear()
            self._skipping = False
        yield from self._extend(rest)

    def close(self) -> Iterator[bytes]:
        """The last line, where the stream ended without a newline."""
        if self._pending:
            yield bytes(self._pending)
            self._pending.clear()

    def _extend(self, piece: bytes) -> Iterator[ParseError]:
        if self._skipping:
            return
        self._pending += piece
        if len(self._pending) > self._limit:
            self._pending.clear()
            self._skipping = True
            yield ParseError(f"A message may have {self._limit} bytes at most; this one is longer.")


def decode(line: bytes) -> object:
    """The JSON value of a line.

    Raises:
        ParseError: not UTF-8, not JSON, nested too deep, or with NaN or Infinity in it.
    """
    try:
        return json.loads(line.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError, too
        raise ParseError("This line is not a JSON message.", details=str(error)) from error


def id_of(message: object) -> RequestId | None:
    """The id to answer with, also where the rest of the message is wrong; None where none is usable."""
    candidate = message.get("id") if isinstance(message, dict) else None
    return candidate if is_id(candidate) else None


def is_id(candidate: object) -> bool:
    """Whether this may be the id of a request: a string or a whole number (true and false are neither)."""
    return isinstance(candidate, int | str) and not isinstance(candidate, bool)


def request_of(message: object) -> Request:
    """The request in a decoded message.

    Raises:
        InvalidRequest: it is none, and `field` says why.
    """
    if isinstance(message, list):
        raise InvalidRequest("Batches are not supported: send one request a line.")
    if not isinstance(message, dict):
        raise InvalidRequest("A request is a JSON object.")
    if message.get("jsonrpc") != "2.0":
        raise InvalidRequest('A request carries "jsonrpc": "2.0".', field="jsonrpc")
    if "id" in message and not is_id(message["id"]):
        raise InvalidRequest("The id of a request is a string or a whole number.", field="id")
    if not isinstance(message.get("method"), str):
        raise InvalidRequest("The method of a request is a string.", field="method")
    params = message.get("params", {})
    if not isinstance(params, dict):
        raise InvalidRequest("The params of a request are an object of names and values.", field="params")
    return Request(message.get("id"), message["method"], params)


def only(request: Request, allowed: Mapping[str, Any]) -> None:
    """Refuse what a method does not take.

    Raises:
        InvalidRequest: a parameter that is not in `allowed`, or not of its type.
    """
    for name, value in request.params.items():
        if name not in allowed:
            raise InvalidRequest(f"{request.method!r} does not take {name!r}.", field=name)
        if not isinstance(value, allowed[name]):
            raise InvalidRequest(f"{name!r} has the wrong type for {request.method!r}.", field=name)


def reply(request_id: RequestId | None, outcome: Params | PatinaError) -> dict[str, Any]:
    """The response to a request: its result or its error."""
    if isinstance(outcome, PatinaError):
        return {"jsonrpc": "2.0", "id": request_id, "error": outcome.as_dict()}
    return {"jsonrpc": "2.0", "id": request_id, "result": outcome}


def notification(method: str, params: Params) -> dict[str, Any]:
    """A message that no one answers."""
    return {"jsonrpc": "2.0", "method": method, "params": params}


def encode(message: Params) -> bytes:
    """One line. ASCII, so that even a path that is no valid Unicode gets through; NaN and ±∞ become null."""
    return json.dumps(_finite(message), separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
