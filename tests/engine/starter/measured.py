"""Figures and runs as if they had been measured."""

from __future__ import annotations

from engine.starter.evaluation.report import Report
from engine.starter.evaluation.runs import Run

SOME = ("brick_wall", "leather", "marble", "moss")


def figures(**parts_):
    return Report(pack="tiny", sha256={"judge": "ab" * 32}, families=SOME, machine="a desk", parts=parts_)


def run_of(settings, read, **changes):
    lists = {"guide": [0.5, 0.5], "judge": [0.4, 0.3], "seams": [0.8, 0.9]}
    return Run(**{"settings": settings, "read": read, "vendi": 1.5, "seconds": 2, **lists, **changes})
