"""Ctrl-C in a shell: the first lets a run keep what it has, the second ends it at once."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from engine.errors import Cancelled


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
        f"To go on from there: {command('resume', error.kept.folder)}"
    )


def command(name: str, *paths: str) -> str:
    """The line that runs a command of this engine in this shell, with the Python that runs it now."""
    words = [_from_here(sys.executable), _from_here(str(Path(__file__).parent)), name]
    words += [_from_here(path) for path in paths]
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)


def _from_here(path: str) -> str:
    """As it can be written in the current folder, shorter if it lies inside. No link is followed: a virtual
    environment is known by the link that its Python is.
    """
    here, there = Path.cwd(), Path(path).absolute()
    inside = there.is_relative_to(here)
    return f"{os.curdir}{os.sep}{there.relative_to(here)}" if inside else str(there)
