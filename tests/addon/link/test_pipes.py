"""Pipes that must not make anyone wait."""

from __future__ import annotations

import contextlib
import os
import time

import pytest

from addon.link.pipes import BUDGET_BYTES, Inlet, Outlet


@pytest.fixture
def pipe():
    ends = list(os.pipe())
    yield ends
    for end in ends:
        with contextlib.suppress(OSError):  # a test may have closed it
            os.close(end)


def test_reading_an_empty_pipe_returns_at_once(pipe):
    inlet = Inlet(pipe[0])
    start = time.monotonic()
    assert inlet.read() == b""
    assert not inlet.ended
    assert time.monotonic() - start < 0.5


def test_reading_gives_all_that_is_there_and_then_the_end(pipe):
    inlet = Inlet(pipe[0])
    os.write(pipe[1], b"x" * 50_000)
    os.close(pipe[1])
    assert len(inlet.read()) == 50_000
    assert inlet.ended
    assert inlet.read() == b""


def test_writing_more_than_the_pipe_holds_returns_at_once_and_arrives_in_order(pipe):
    data = bytes(range(256)) * 4096  # 1 MiB; a pipe holds 64 KiB
    inlet, outlet = Inlet(pipe[0]), Outlet(pipe[1])
    start = time.monotonic()
    outlet.write(data)
    assert time.monotonic() - start < 1
    received = bytearray()
    while len(received) < len(data):
        received += inlet.read()
        outlet.flush()
        assert time.monotonic() - start < 20
    assert received == data
    assert not outlet.broken


def test_writing_to_nobody_is_noticed_and_raises_nothing(pipe):
    outlet = Outlet(pipe[1])
    os.close(pipe[0])
    outlet.write(b"hello\n")
    assert outlet.broken
    outlet.write(b"again\n")


def test_a_flood_does_not_hold_the_reader_for_ever(pipe, monkeypatch):
    """Blender's frame must end although the other side writes faster than we read."""
    inlet = Inlet(pipe[0])
    monkeypatch.setattr("addon.link.pipes._read", lambda _: b"x" * 65536)
    assert BUDGET_BYTES <= len(inlet.read()) < BUDGET_BYTES + 65536 + 1
