"""The library's jobs in a server: which library, seen by which model, and the news of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.errors import Cancelled
from engine.library import place, requests
from engine.library.index import Step
from engine.library.service import Library
from engine.models.packs import Pack
from engine.progress import Progress


class Libraries:
    """The library that was asked last, kept with its vectors in memory."""

    def __init__(self) -> None:
        self._library: Library | None = None

    def answer(
        self,
        asked: requests.Tag | requests.Index | requests.Search,
        load: Callable[[str, str], Pack],
        on_progress: Callable[[Progress], None],
        should_stop: Callable[[], bool],
    ) -> dict[str, Any]:
        """The answer to a request.

        Args:
            asked: what.
            load: pack id and device → networks.
            on_progress: hears of every texture.
            should_stop: asked after every texture.

        Raises:
            Cancelled: `should_stop` said so; what was indexed so far is kept.
            PatinaError: what `Library` and `load` raise.
        """
        library = self._open(asked, load)
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
        return library.search(asked)

    def _open(self, asked: Any, load: Callable[[str, str], Pack]) -> Library:
        clip = load(asked.pack, asked.device).guide
        folder = place.default_folder() if asked.folder is None else Path(asked.folder)
        if self._library is None or (self._library.clip, self._library.folder) != (clip, folder):
            self._library = Library(clip, folder)
        return self._library
