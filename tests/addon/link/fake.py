"""Engines of a few lines each: they behave, die, babble or hang. The link meets them as real processes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from addon.link import Cancelled, Failed, Finished
from tests.addon.link.talk import BEHAVES, TALK

__all__ = ["BEHAVES", "TALK"]  # beside what is defined here

PARAMS = {"prompt": "moss", "folder": "/tmp/somewhere"}


class Clock:
    """Real time, and what a test adds to it."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


def run_until(engine, done: Callable[[list], bool], timeout_s: float = 20.0) -> list:
    """Poll as the pump does, until `done` says so of all events."""
    events: list = []
    end = time.monotonic() + timeout_s
    while not done(events):
        assert time.monotonic() < end, (
            f"nothing in {timeout_s} s: {engine.state}, {events}, {engine.log_lines}"
        )
        events += engine.poll()
        time.sleep(0.005)
    return events


def gone(pid: int) -> bool:
    """Whether there is no such process, not even a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def ended(events):
    """Whether a run has."""
    return any(isinstance(event, Finished | Failed | Cancelled) for event in events)


def started(engine, word):
    """Wait for the engine to have said a word on stderr."""
    end = time.monotonic() + 10
    while word not in Path(engine.log).read_text():
        assert time.monotonic() < end
        time.sleep(0.01)
