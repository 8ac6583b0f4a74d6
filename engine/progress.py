"""How far a job is: seconds per phase, steps per second, seconds left. Arithmetic on a clock, no more."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

PHASES = ("load", "propose", "guide", "rank", "maps", "write")
MEMORY = 0.8  # share of the old average that a step keeps in the speed


@dataclass(frozen=True)
class Progress:
    """One piece of news about a job, as `job/progress` carries it."""

    phase: str
    step: int
    total: int
    loss: float | None = None
    steps_per_second: float | None = None
    seconds_left: float | None = None


class Stopwatch:
    """Measures a job as it goes through its phases.

    Guided steps take most of the time, so what is left is the share of them that is missing at the speed
    that was measured, plus an allowance for all that follows. Before the first step nothing is known: None.

    Args:
        after_guide: what ranking costs, as a share of all guidance.
        after_guide_s: what maps and files cost, in seconds.
        clock: seconds, growing.
    """

    def __init__(
        self,
        after_guide: float = 0.0,
        after_guide_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._after, self._after_s, self._clock = after_guide, after_guide_s, clock
        self._begin = self._last = clock()
        self._step_s: float | None = None
        self._whole_s: float | None = None  # what all guidance takes
        self._done = 0.0  # share of it
        self._end: float | None = None  # when the job will be over, by the clock
        self._guided = 0
        self._spent = dict.fromkeys(PHASES, 0.0)

    def tick(
        self, phase: str, step: int, total: int, loss: float | None = None, work: float | None = None
    ) -> Progress:
        """A unit of work of this phase is done: the time since the last tick was its.

        Args:
            phase: one of `PHASES`.
            step, total: how many units are done, of how many.
            loss: for the news.
            work: share of all guidance that is done by now, where steps are not alike.
        """
        now = self._clock()
        took, self._last = now - self._last, now
        self._spent[phase] += took
        if phase == "guide":
            self._guided += 1
            self._step_s = _averaged(self._step_s, took)
            done = step / total if work is None else work
            # A run that goes on begins with much done: its first step says nothing of the speed.
            if self._guided > 1 or done <= 1 / total:
                self._whole_s = _averaged(self._whole_s, took / max(done - self._done, 1e-9))
            self._done = done
            if self._whole_s is not None:
                self._end = now + self._whole_s * (1 - done + self._after) + self._after_s
        if phase == PHASES[-1] and step == total:
            self._end = now
        left = None if self._end is None else max(0.0, self._end - now)
        speed = 1 / self._step_s if phase == "guide" and self._step_s else None
        return Progress(phase, step, total, loss, speed, left)

    def seconds(self) -> dict[str, float]:
        """Seconds of each phase so far, and `total`."""
        spent = {phase: round(seconds, 3) for phase, seconds in self._spent.items()}
        return {**spent, "total": round(self._last - self._begin, 3)}

    def steps_per_second(self) -> float:
        """Guided steps (of all variations at once) per second, over the whole job; 0 without any."""
        spent = self._spent["guide"]
        return round(self._guided / spent, 3) if spent else 0.0


def _averaged(before: float | None, now: float) -> float:
    return now if before is None else MEMORY * before + (1 - MEMORY) * now
