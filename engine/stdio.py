"""Owning the process's descriptors, and ending when the parent does.

The protocol has stdout for itself: the real descriptor is duplicated at start and fd 1 pointed at
stderr, so that a stray print, from Python or from C, lands in the log and not between two messages.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator

READ_BYTES = 1 << 16
PARENT_CHECK_S = 0.5
PR_SET_PDEATHSIG = 1


def own_stdout() -> int:
    """A private descriptor of the real stdout; from here on fd 1 and `sys.stdout` are stderr."""
    private = os.dup(1)  # not inherited by child processes, as every descriptor that Python makes
    os.dup2(2, 1)
    if sys.stdout is not None:
        sys.stdout.flush()  # after dup2: what was printed so far belongs into the log, too
    sys.stdout = sys.stderr
    return private


def own_stdin() -> int:
    """A private descriptor of the real stdin; from here on fd 0 is empty: no child process eats requests."""
    private = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return private


def chunks(descriptor: int) -> Iterator[bytes]:
    """What arrives, as it arrives, until the other side closes."""
    while True:
        try:
            chunk = os.read(descriptor, READ_BYTES)
        except OSError:  # Windows reports a pipe whose other end died as an error, not as an end
            return
        if not chunk:
            return
        yield chunk


class Writer:
    """Writes whole lines from any thread.

    Args:
        descriptor: where to.
        gone: called when nobody reads any more.
    """

    def __init__(self, descriptor: int, gone: Callable[[], object]) -> None:
        self._descriptor, self._gone = descriptor, gone
        self._lock = threading.Lock()

    def write(self, line: bytes) -> None:
        """Write one line, newline included. Blocks while the reader is slow."""
        rest = memoryview(line)
        try:
            with self._lock:
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]
        except OSError:  # EPIPE; EINVAL on Windows
            self._gone()


def watch_parent(gone: Callable[[], object]) -> None:
    """Call `gone` when the parent process has died, even if another process still holds our stdin open.

    Linux tells at once, by a signal. That signal also comes when only the *thread* that started us
    ends, hence a handler that looks, and not SIGKILL. A thread looks as well, for macOS and for a main
    thread that is stuck. Windows keeps the number of a dead parent: there the client puts the engine
    into a Job Object that ends with it.
    """
    if os.name == "nt":
        return
    parent = os.getppid()

    def look(*_: object) -> None:
        if os.getppid() != parent:
            gone()

    def look_again_and_again() -> None:
        pause = threading.Event()
        while not pause.wait(PARENT_CHECK_S):
            look()

    if sys.platform == "linux":
        signal.signal(signal.SIGUSR1, look)
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGUSR1, 0, 0, 0)
    threading.Thread(target=look_again_and_again, name="parent", daemon=True).start()
