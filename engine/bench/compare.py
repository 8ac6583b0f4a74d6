"""Two loops on one task: figures become ratios."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from engine.bench.measure import Figures


@dataclass(frozen=True)
class Comparison:
    """The textbook and ours on the same task. Every ratio is above 1 where ours is better."""

    textbook: Figures
    ours: Figures

    @property
    def task(self) -> str:
        """What both were asked for, for people."""
        return self.ours.case.task

    @property
    def speed(self) -> float:
        """Steps of a picture in the same time."""
        return self.ours.steps_per_s / self.textbook.steps_per_s

    @property
    def memory(self) -> float | None:
        """Memory at the peak, the textbook's by ours."""
        theirs, ours = self.textbook.memory_bytes, self.ours.memory_bytes
        return theirs / ours if theirs and ours else None

    @property
    def goal(self) -> float | None:
        """The best judge score that the textbook reached; None where the judge did not watch."""
        return max((score for _, score in self.textbook.curve), default=None)

    @property
    def seconds(self) -> tuple[float | None, float | None]:
        """When textbook and ours were first seen at the goal; None: never."""
        return tuple(self._first(figures) for figures in (self.textbook, self.ours))  # type: ignore[return-value]

    @property
    def sooner(self) -> float | None:
        """How many times sooner ours is seen at the goal. None where it never is, or nobody watched."""
        theirs, ours = self.seconds
        return theirs / ours if theirs and ours else None

    def _first(self, figures: Figures) -> float | None:
        goal = self.goal
        return None if goal is None else next((t for t, score in figures.curve if score >= goal), None)

    def as_dict(self) -> dict[str, object]:
        """For the JSON file: ratios, then the figures that they come from."""
        theirs, ours = self.seconds
        return {
            "task": self.task,
            "speed": self.speed,
            "memory": self.memory,
            "sooner": self.sooner,
            "goal": self.goal,
            "seconds": {"textbook": theirs, "ours": ours},
            "textbook": self.textbook.model_dump(mode="json"),
            "ours": self.ours.model_dump(mode="json"),
        }


def compare(measured: Sequence[Figures]) -> list[Comparison]:
    """Figures in the order of the plan, the loops of a task beside each other."""
    tasks = [list(figures) for _, figures in groupby(measured, key=lambda f: f.case.task)]
    return [Comparison(**{f.case.loop: f for f in figures}) for figures in tasks]
