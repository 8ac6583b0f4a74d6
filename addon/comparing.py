"""Two results that are compared by turns: the chosen one, and the one remembered before. No bpy."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

from .session import Result, Session


@dataclass(frozen=True)
class Marked:
    """A result among those of its run, so that all of them come back with it."""

    results: list[Result]
    selected: int
    folder: Path | None

    @property
    def result(self) -> Result:
        """The one that was chosen."""
        return self.results[self.selected]


def here(session: Session) -> Marked:
    """What is chosen now. There has to be something."""
    return Marked(list(session.results), session.selected, session.folder)


def without(marked: Marked | None, gone: Container[Path | None]) -> Marked | None:
    """What is remembered once some results are deleted, named by their sidecars."""
    if marked is None or marked.result.sidecar in gone:
        return None
    kept = [result for result in marked.results if result.sidecar not in gone]
    return Marked(kept, kept.index(marked.result), marked.folder)


def swap(session: Session) -> None:
    """Choose what is remembered, and remember what is chosen."""
    marked, session.marked = session.marked, here(session)
    if marked.results == session.results:
        session.selected = marked.selected  # of the same run: what was said of it stays
    else:
        session.show(list(marked.results), marked.selected, marked.folder)
