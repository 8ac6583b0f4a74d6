"""What `Engine.poll` says has happened. Each names the job that it is about, by the id that `submit` gave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .errors import EngineError


@dataclass(frozen=True)
class Progress:
    """How far a job is. `step` of `total` within `phase`; None where the engine does not know."""

    job: int
    phase: str
    step: int
    total: int
    steps_per_second: float | None
    seconds_left: float | None


@dataclass(frozen=True)
class Preview:
    """A file of raw RGBA8 rows, the lowest first, that shows a variation as it is now."""

    job: int
    variation: int
    file: str
    width: int
    height: int


@dataclass(frozen=True)
class Finished:
    """A job's result, as the engine sent it."""

    job: int
    result: dict[str, Any]


@dataclass(frozen=True)
class Failed:
    """A job has failed or, where `job` is None, the process, and every job that it had with it."""

    job: int | None
    error: EngineError


@dataclass(frozen=True)
class Cancelled:
    """A job was cancelled. Where it made results of what it had, `folder` is where they are.

    `stopped_at` is the guided step after which it stopped; None where it had done them all.
    """

    job: int
    folder: str | None = None
    stopped_at: int | None = None


Event = Progress | Preview | Finished | Failed | Cancelled
