"""The library's jobs in a server: which library, seen by which model, and the news of it.

Every worker has Libraries of its own: what two of them share is the network, which nothing here changes,
and the index, which SQLite keeps whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.errors import Cancelled
from engine.library import place, requests, results
from engine.library.index import Step
from engine.library.results import Seen
from engine.library.service import Library
from engine.library.store import Store
from engine.models.guide import Clip
from engine.progress import Progress

Guide = Callable[[str, str], Clip]
"""Pack id and device → the pack's guide."""


class Libraries:
    """The library that was asked last, kept with its vectors in memory."""

    def __init__(self) -> None:
        self._library: Library | None = None

    def answer(
        self,
        asked: requests.Tag | requests.Index | requests.Search | requests.Contents,
        guide: Guide,
        on_progress: Callable[[Progress], None],
        should_stop: Callable[[], bool],
    ) -> dict[str, Any]:
        """The answer to a request.

        Args:
            asked: what.
            guide: pack id and device → network.
            on_progress: hears of every texture.
            should_stop: asked after every texture.

        Raises:
            Cancelled: `should_stop` said so; what was indexed so far is kept.
            PatinaError: what `Library` and `guide` raise.
        """
        library = self._open(guide(asked.pack, asked.device), asked.folder)
        start = time.monotonic()

        def tell(step: Step) -> None:
            speed = step.done / max(time.monotonic() - start, 1e-9)
            on_progress(
                Progress("look", step.done, step.total, None, speed, (step.total - step.done) / speed)
            )
            if should_stop():
                raise Cancelled("Cancelled.")

        if isinstance(asked, requests.Tag):
            return library.tag(asked, tell)
        if isinstance(asked, requests.Index):
            return library.index(asked, tell)
        if isinstance(asked, requests.Contents):
            return library.contents(asked)
        return library.search(asked)

    def enter(self, clip: Clip, root: Path, seen: dict[Path, Seen]) -> int:
        """Adds results to the user's own library: see `results.enter`.

        Args:
            clip: what they were seen by.
            root: the folder of all results.
            seen: base colour file → material.

        Raises:
            BadIndex: the index cannot be written.
        """
        library = self._open(clip, None)
        with Store(library.index_file) as store:
            return results.enter(store, library.eye, root, seen)

    def _open(self, clip: Clip, path: str | None) -> Library:
        folder = place.default_folder() if path is None else Path(path)
        if self._library is None or (self._library.clip, self._library.folder) != (clip, folder):
            self._library = Library(clip, folder)
        return self._library
