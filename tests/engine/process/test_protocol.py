"""Framing and envelopes: bytes in, requests out, and nothing that breaks them."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis.strategies import binary, dictionaries, floats, integers, lists, none, recursive, text

from engine.errors import InvalidRequest, ParseError, PatinaError
from engine.protocol import Framer, decode, encode, id_of, reply, request_of

VALUES = recursive(
    none() | integers() | floats() | text(), lambda inner: lists(inner) | dictionaries(text(), inner)
)


def framed(chunks, limit):
    framer = Framer(limit)
    found = [line for chunk in chunks for line in framer.feed(chunk)]
    return [line if isinstance(line, bytes) else "too long" for line in [*found, *framer.close()]]


@given(stream=lists(binary(max_size=12)).map(b"\n".join), cuts=lists(integers(0, 200)))
def test_lines_are_the_same_wherever_the_stream_is_split(stream, cuts):
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    pieces = [stream[a:b] for a, b in pairwise(edges)]
    *lines, rest = stream.split(b"\n")
    expected = [line if len(line) <= 8 else "too long" for line in [*lines, *([rest] if rest else [])]]
    assert framed(pieces, limit=8) == framed([stream], limit=8) == expected


@given(value=VALUES)
def test_a_message_is_one_ascii_line_that_any_json_reader_takes(value):
    line = encode({"value": value})
    assert line.count(b"\n") == 1
    assert line.isascii()
    json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


def test_a_text_that_is_no_unicode_gets_through():
    assert json.loads(encode({"path": "/tmp/\udcff"})) == {"path": "/tmp/\udcff"}


@given(value=VALUES)
def test_any_value_is_a_request_or_an_invalid_request(value):
    with suppress(InvalidRequest):
        request_of(value)


@pytest.mark.parametrize("line", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"id":NaN}', b"9" * 5000])
def test_what_is_no_json_is_a_parse_error(line):
    with pytest.raises(ParseError):
        decode(line)


@pytest.mark.parametrize(
    ("message", "field", "request_id"),
    [
        ({"id": 1, "method": "m"}, "jsonrpc", 1),
        ({"jsonrpc": "2.0", "id": 1}, "method", 1),
        ({"jsonrpc": "2.0", "id": "a", "method": 7}, "method", "a"),
        ({"jsonrpc": "2.0", "id": 1, "method": "m", "params": [1]}, "params", 1),
        ({"jsonrpc": "2.0", "id": None, "method": "m"}, "id", None),
        ({"jsonrpc": "2.0", "id": True, "method": "m"}, "id", None),
        ({"jsonrpc": "2.0", "id": 1.5, "method": "m"}, "id", None),
        ([{"jsonrpc": "2.0", "id": 1, "method": "m"}], None, None),
        (7, None, None),
    ],
)
def test_an_envelope_says_what_is_wrong_and_keeps_the_id(message, field, request_id):
    assert id_of(message) == request_id
    with pytest.raises(InvalidRequest) as caught:
        request_of(message)
    assert caught.value.field == field


def test_every_kind_of_error_has_its_own_code():
    """Two classes sharing a code would be one to the client."""
    kinds = [PatinaError, *PatinaError.__subclasses__()]
    assert len({kind.code for kind in kinds}) == len({kind.kind for kind in kinds}) == len(kinds)
    assert all(reply(1, kind("x"))["error"]["code"] == kind.code for kind in kinds)
