"""Ctrl-C in a shell: the first lets a run keep what it has, the second ends it at once."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from engine.errors import Cancelled
from engine.hints import command


@contextlib.contextmanager
def on_interrupt() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets. From then on Ctrl-C does what it did before."""
    stop = threading.Event()
    before = signal.getsignal(signal.SIGINT)

    def first(_number: int, _frame: FrameType | None) -> None:
        stop.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, first)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def sentence(error: Cancelled) -> str:
    """What became of a run that was stopped, and how it goes on."""
    if error.kept is None:
        return "stopped; nothing was finished."
    if error.kept.step is None:
        return f"stopped; what was finished is in {error.kept.folder}"
    return (
        f"stopped after step {error.kept.step}; what there was is in {error.kept.folder}\n"
        f"To go on from there: {command('resume', Path(error.kept.folder))}"
    )
