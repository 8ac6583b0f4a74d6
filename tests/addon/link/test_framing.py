"""Lines from pieces."""

from __future__ import annotations

import json
import random
from itertools import pairwise

import pytest

from addon.link import framing

MESSAGES = [{"a": 1}, {"text": "grün ☂", "deep": [1, [2, {"x": None}]]}, {}, {"long": "x" * 5000}]


def feed_in_pieces(stream: bytes, cuts: list[int]) -> list:
    framer = framing.Framer()
    edges = [0, *sorted(cuts), len(stream)]
    return [message for a, b in pairwise(edges) for message in framer.feed(stream[a:b])]


@pytest.mark.parametrize("seed", range(20))
def test_messages_survive_any_cut(seed):
    stream = b"".join(framing.encode(message) for message in MESSAGES)
    draw = random.Random(seed)
    cuts = [draw.randrange(len(stream) + 1) for _ in range(draw.randrange(30))]
    assert feed_in_pieces(stream, cuts) == MESSAGES


def test_raw_utf8_is_read_even_when_a_letter_is_cut_in_two():
    line = json.dumps({"t": "ü"}, ensure_ascii=False).encode() + b"\n"
    for cut in range(len(line)):
        assert feed_in_pieces(line, [cut]) == [{"t": "ü"}]


@pytest.mark.parametrize("line", [b"hello", b"[1]", b"\xff\xfe", b"3", b"{", b"[" * 100_000])
def test_a_line_that_is_no_message_is_garbage_and_the_next_one_is_read(line):
    garbage, message = framing.Framer().feed(line + b"\n" + framing.encode({"a": 1}))
    assert isinstance(garbage, framing.Garbage)
    assert len(garbage) <= 200
    assert message == {"a": 1}


def test_blank_lines_and_carriage_returns_do_not_matter():
    assert list(framing.Framer().feed(b'\n\r\n{"a": 1}\r\n')) == [{"a": 1}]


def test_a_stream_without_line_ends_is_given_up(monkeypatch):
    monkeypatch.setattr(framing, "MAX_LINE_BYTES", 100)
    framer = framing.Framer()
    assert list(framer.feed(b"x" * 90)) == []
    with pytest.raises(framing.LineTooLongError):
        list(framer.feed(b"x" * 20))
