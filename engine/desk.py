"""The library's side of the server: which of its requests wait for a run, and which are answered beside it.

Indexing and tagging take the queue's turn, as runs do. A search is a text through one network and a product
of a matrix and a vector: it has a worker of its own. The two share networks, which nobody changes while
they are in use, and the index, which SQLite keeps whole.
"""

from __future__ import annotations

import importlib
import itertools
import logging
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from engine.errors import InvalidRequest, PatinaError
from engine.host import Host
from engine.jobs import Job, Jobs, Notify, Reply
from engine.protocol import Params, Request, RequestId

log = logging.getLogger(__name__)

SEEN = dict[Path, Any]
"""Base colour file → `library.results.Seen`, of one run."""


class Desk:
    """Takes the library's requests, and results for it to remember.

    Args:
        jobs: the queue of runs.
        notify: sends a notification.
        news: job and folder → what tells the client of its progress.
        models: the networks in memory, a `generation.Models`. For workers alone: it imports torch.
        imported: set once torch is there.
    """

    def __init__(
        self,
        jobs: Jobs,
        notify: Notify,
        news: Callable[[Job, Path], Any],
        models: Callable[[], Any],
        imported: threading.Event,
    ) -> None:
        self._jobs, self._news, self._models, self._imported = jobs, news, models, imported
        self._lookups = Jobs(notify, dict, lambda _: None)
        self._chores = Jobs(lambda *_: None, dict, lambda _: None)  # nobody asked for these
        self._chore_ids = itertools.count()
        self._libraries: dict[Jobs, Any] = {}  # library.jobs.Libraries, one for each worker
        self.methods: dict[str, Callable[[Request, Reply], None]] = {
            "tag": partial(self._ask, "Tag", jobs),
            "index": partial(self._ask, "Index", jobs),
            "search": partial(self._ask, "Search", self._lookups),
            "library": partial(self._ask, "Contents", self._lookups),
            "maps": self._maps,
            "rank": self._rank,
        }

    def cancel(self, job: RequestId) -> bool:
        """Stop one of its own jobs; see `Jobs.cancel`."""
        return self._lookups.cancel(job)

    def forget(self) -> None:
        """Let go of the libraries in memory, and so of the guides that they hold."""
        self._libraries = {}

    def close(self, grace_s: float) -> None:
        """Stop its own jobs; see `Jobs.close`."""
        self._lookups.close(grace_s)
        self._chores.close(grace_s)

    def remember(self, pack: str, delivery: Any, seen: SEEN) -> None:
        """Enter results in the library beside whatever runs next. What fails, the next `index` finds.

        Args:
            pack: id of what they were made with.
            delivery: of the request; results are entered where it names a `history`.
            seen: on them.
        """
        if delivery.history is None or not seen:
            return

        def work(_: Job) -> Params:
            clip = self._models().guide(pack, delivery.device)
            return {"entered": self._libraries_of(self._chores).enter(clip, Path(delivery.history), seen)}

        chore = f"history {next(self._chore_ids)}"
        self._chores.submit(Job(chore, work, partial(log.info, "%s: %r", chore), {"method": "history"}))

    def _ask(self, schema: str, jobs: Jobs, request: Request, answer: Reply) -> None:
        from engine.library import requests

        job_id, asked = _validated(getattr(requests, schema), request)

        def work(job: Job) -> Params:
            if jobs is not self._jobs:
                self._imported.wait()  # two threads must not import torch at once
            guide, libraries = self._models().guide, self._libraries_of(jobs)
            news = self._news(job, Path())
            answered: Params = libraries.answer(asked, guide, news.progress, job.stop.is_set)
            return answered

        self._jobs.start()
        jobs.submit(Job(job_id, work, answer, {"method": request.method}))

    def _maps(self, request: Request, answer: Reply) -> None:
        from engine.maps import Maps

        job_id, asked = _validated(Maps, request)

        def work(job: Job) -> Params:
            seen = SEEN()
            found: Params = heavy("engine.mapping").run_maps(asked, self._host(job, seen))
            self.remember(asked.pack, asked, seen)
            return found

        self._jobs.submit(Job(job_id, work, answer, {"method": "maps"}))

    def _rank(self, request: Request, answer: Reply) -> None:
        from engine.rank import Rank

        job_id, asked = _validated(Rank, request)

        def work(job: Job) -> Params:
            found: Params = heavy("engine.judging").run_rank(asked, self._host(job, SEEN()))
            return found

        self._jobs.submit(Job(job_id, work, answer, {"method": "rank"}))

    def _host(self, job: Job, seen: SEEN) -> Host:
        """Whom a job of the queue runs for."""
        news = self._news(job, Path())
        return Host(
            self._models().load,
            news.progress,
            should_stop=job.stop.is_set,
            on_seen=seen.__setitem__,
        )

    def _libraries_of(self, jobs: Jobs) -> Any:
        """Those of a worker, called by it alone."""
        if jobs not in self._libraries:
            self._libraries[jobs] = heavy("engine.library.jobs").Libraries()
        return self._libraries[jobs]


def heavy(name: str) -> ModuleType:
    """A module that computes. Importing it imports torch: seconds, and only ever on a worker.

    Raises:
        PatinaError: it cannot be imported.
    """
    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:
        raise PatinaError(
            "The engine's packages cannot be loaded. Install the engine again.", details=repr(error)
        ) from error


def _validated(schema: Any, request: Request) -> tuple[RequestId, Any]:
    """A job's id, and its parameters as a value of a pydantic model.

    Raises:
        InvalidRequest: there is no id to answer to, or a parameter that the model refuses.
    """
    from pydantic import ValidationError  # it can wait until there is something to check

    from engine.params import invalid

    if request.id is None:
        raise InvalidRequest("A job needs an id, to be answered and cancelled by.", field="id")
    try:
        return request.id, schema.model_validate(request.params)
    except ValidationError as error:
        raise invalid(error, schema) from error
