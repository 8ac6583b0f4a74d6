"""Comparisons as a table in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from engine.bench.compare import Comparison

NOTHING = "-"
QUIET = 0.9
"""Share of a core that a loop on the CPU has at least where nothing else wants it."""


def table(comparisons: Sequence[Comparison]) -> RenderableType:
    """Textbook, ours and their ratio, a task a row, and below it what each ran with."""
    rows = Table(title="The published loop and ours; every ratio above 1 is in favour of ours")
    rows.add_column("task")
    for heading in ("steps/s", "peak MiB", "seconds to judge score"):
        rows.add_column(f"{heading}\ntextbook", justify="right")
        rows.add_column("\nours", justify="right")
        rows.add_column("\nratio", justify="right", style="bold")
    for c in comparisons:
        rows.add_row(c.task, *_speed(c), *_memory(c), *_judged(c))
    return Group(rows, *(Text(line) for line in notes(comparisons)))


def notes(comparisons: Sequence[Comparison]) -> list[str]:
    """What both were given, and what each ran with beside."""
    first = comparisons[0]
    case = first.ours.case
    given = f'pack {case.pack}, "{case.prompt}", random codes of seed {case.seed}, {case.cutouts} cutouts'
    lines = [
        f"Both: {given}, the same number of steps.",
        f"textbook: {first.textbook.uses}.",
        f"ours: {first.ours.uses}.",
        "Steps are of one picture: 8 guided at once count 8. Memory is what guiding adds at its peak.",
        "In brackets the best judge score of the textbook; seconds are when each loop is first seen there.",
    ]
    on = dict.fromkeys(f"{f.case.loop} on {f.device}" for c in comparisons for f in (c.textbook, c.ours))
    return [*lines, f"{'; '.join(on)}.", *_disturbances(comparisons)]


def _disturbances(comparisons: Sequence[Comparison]) -> list[str]:
    """Where something else had the processor, so that the clock tells of that, too."""
    return [
        f"Not to be trusted: {c.task}. {f.case.loop} had only {f.core_share:.0%} of a core. "
        "Measure again on an idle machine."
        for c in comparisons
        for f in (c.textbook, c.ours)
        if f.case.device == "cpu" and f.core_share < QUIET
    ]


def _speed(c: Comparison) -> tuple[str, str, str]:
    return f"{c.textbook.steps_per_s:.2f}", f"{c.ours.steps_per_s:.2f}", times(c.speed)


def _memory(c: Comparison) -> tuple[str, str, str]:
    theirs, ours = (
        NOTHING if f.memory_bytes is None else f"{f.memory_bytes / 2**20:.0f}" for f in (c.textbook, c.ours)
    )
    return theirs, ours, times(c.memory)


def _judged(c: Comparison) -> tuple[str, str, str]:
    if c.goal is None:
        return NOTHING, NOTHING, NOTHING
    theirs, ours = c.seconds
    reached = "not reached" if ours is None else f"{ours:.1f}"
    return f"{theirs:.1f} ({c.goal:.3f})", reached, times(c.sooner)


def times(ratio: float | None) -> str:
    """1.5 → "1.50x"."""
    return NOTHING if ratio is None else f"{ratio:.2f}x"
