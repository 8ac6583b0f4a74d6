"""A progress bar of the standard library: Blender's Python has no other."""

from __future__ import annotations

import shutil
import time
from typing import TextIO

WIDTH = 30
QUIET_S = 5.0  # between two lines where there is no terminal to draw in


class Bar:
    """One bar for the whole way. A phase owns a stretch of it, from one share to another."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal
        self._name, self._first, self._last = "", 0.0, 1.0
        self._spoken, self._spoken_at = "", 0.0
        self._begun = 0.0

    def phase(self, name: str, first: float, last: float) -> None:
        """A new phase begins, which goes from the share `first` to the share `last`."""
        self._name, self._first, self._last, self._begun = name, first, last, time.monotonic()
        self.show(0.0, "")

    def show(self, share: float, detail: str) -> None:
        """Draw it: `share` of the phase is done. Time left is worked out where `detail` says nothing."""
        share = min(max(share, 0.0), 1.0)
        done = self._first + share * (self._last - self._first)
        filled = round(done * WIDTH)
        words = detail or self._time_left(share)
        name = self._name if not detail else ""
        text = "  ".join(filter(None, (f"[{'#' * filled}{'.' * (WIDTH - filled)}] {done:4.0%}", name, words)))
        if self._terminal.isatty():
            self._terminal.write(f"\r\033[K{text[: shutil.get_terminal_size().columns - 1]}")
        elif self._name != self._spoken or time.monotonic() - self._spoken_at > QUIET_S:
            self._spoken, self._spoken_at = self._name, time.monotonic()
            self._terminal.write(f"{text}\n")
        self._terminal.flush()

    def _time_left(self, share: float) -> str:
        took = time.monotonic() - self._begun
        return f"{took * (1 - share) / share:.0f} s left" if share > 0.05 and took > 1 else ""

    def end(self) -> None:
        """Make room for what follows."""
        self._terminal.write("\r\033[K" if self._terminal.isatty() else "")
