"""The runs that wait for the engine, and those that it lost. No bpy.

The engine gets one run at a time: whatever becomes of it, those that wait are still here.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OVERHEAD_STEPS = 8.0  # proposing, ranking and writing take about as long as so many guided steps

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Run:
    """A run as it was asked for: sent again, it gives the same.

    Attributes:
        method, params: of the engine's request, less folder and device.
        device: what computes.
        results: where its folder will be.
        title: the prompt, for people and for the folder's name.
        preset: as people read it.
        work: see `work_of`; what `Queue` tells times by.
        number: names it within this Blender.
        folder: of the run that it goes on with; None for one of its own.
    """

    method: str
    params: Mapping[str, Any]
    device: str
    results: Path
    title: str
    preset: str = ""
    work: float = 1.0
    number: int = field(default_factory=_numbers.__next__)
    folder: Path | None = None


@dataclass(frozen=True)
class Lost:
    """A run that failed, and the sentence that says why."""

    run: Run
    message: str


class Queue:
    """Which run is next, which is under way, which can be tried again.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.waiting: list[Run] = []
        self.lost: list[Lost] = []
        self.running: Run | None = None
        self.held = False
        self._begun_at: float | None = None
        self._seconds_per_work: float | None = None

    def next(self) -> Run | None:
        """The run to send now; None while one is under way, and while the queue is held."""
        return None if self.running or self.held or not self.waiting else self.waiting[0]

    def begin(self, run: Run) -> None:
        """A run was sent."""
        self.waiting = [other for other in self.waiting if other.number != run.number]
        self.running, self._begun_at = run, None

    def has(self, folder: Path | None) -> bool:
        """Whether a run that goes on in a folder is under way or waits."""
        runs = [*self.waiting, *([self.running] if self.running else [])]
        return folder is not None and any(run.folder == folder for run in runs)

    def moved(self) -> None:
        """The run shows progress: from now on its time counts, and not what the engine took to start."""
        if self._begun_at is None:
            self._begun_at = self._clock()

    def finish(self) -> None:
        """The run is done."""
        if self.running is not None and self._begun_at is not None:
            self._seconds_per_work = (self._clock() - self._begun_at) / self.running.work
        self.running = None

    def drop(self) -> None:
        """The run was cancelled: nobody wants it again."""
        self.running = None

    def fail(self, message: str, *, hold: bool) -> None:
        """The run failed: keep it, to be tried again.

        Args:
            message: why.
            hold: whether those that wait would only fail as well.
        """
        if self.running is not None:
            self.lost.append(Lost(self.running, message))
        self.running, self.held = None, hold

    def retry(self, number: int) -> None:
        """Put a lost run first, and go on."""
        again = [lost.run for lost in self.lost if lost.run.number == number]
        self.forget(number)
        self.waiting[:0] = again
        self.held = False

    def forget(self, number: int) -> None:
        """Let go of a run, be it waiting or lost."""
        self.waiting = [run for run in self.waiting if run.number != number]
        self.lost = [lost for lost in self.lost if lost.run.number != number]

    def clear(self) -> None:
        """Let go of all runs but the one under way."""
        self.waiting, self.lost, self.held = [], [], False

    def seconds_left(self, of_running: float | None) -> float | None:
        """Until the last of them is done; None while nothing is known of how fast the engine is.

        Args:
            of_running: what the engine says of the run under way.
        """
        pace = self._seconds_per_work
        if self.running is not None and of_running is not None and self._begun_at is not None:
            pace = (self._clock() - self._begun_at + of_running) / self.running.work
        if pace is None:
            return None
        first = 0.0 if self.running is None else self.running.work * pace
        waiting = sum(run.work for run in self.waiting) * pace
        return waiting + (first if of_running is None else of_running)


def work_of(settings: Mapping[str, Any], scale: int = 1) -> float:
    """How much a run has to do, in megapixels seen; settings that are missing count as their defaults.

    Half of the candidates are guided, and over the first third of the steps they become one.
    """
    pixels = int(settings.get("width", 256)) * int(settings.get("height", 256)) * scale * scale
    steps = float(settings.get("steps", 12)) + OVERHEAD_STEPS
    guided = (int(settings.get("candidates", 1)) + 1) // 2
    return pixels / 1e6 * int(settings.get("variations", 4)) * steps * (2 + guided) / 3
