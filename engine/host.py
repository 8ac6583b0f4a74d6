"""Whom a job runs for: who brings its networks, hears of it, and may end it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.progress import Progress

if TYPE_CHECKING:  # torch takes seconds
    from engine.library.results import Seen
    from engine.models.packs import Pack

Load = Callable[[str, str], "Pack"]
ShowPreview = Callable[[int, str, int, int], None]
OnSeen = Callable[[Path, "Seen"], None]


def _nothing(*_: object) -> None:
    """For news that nobody waits for."""


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Host:
    """What a job asks of whoever started it.

    Attributes:
        load: pack id and device → networks.
        on_progress: hears of every unit of work.
        on_preview: variation, file name in the job's folder, width and height of a new preview; None: none
            are wanted.
        should_stop: asked after every unit of work.
        on_seen: hears of every material, by its base colour file, what was seen on it.
    """

    load: Load
    on_progress: Callable[[Progress], None] = _nothing
    on_preview: ShowPreview | None = None
    should_stop: Callable[[], bool] = _never
    on_seen: OnSeen = _nothing
