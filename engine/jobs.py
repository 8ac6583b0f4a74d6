"""The queue: one worker thread runs one job at a time, in the order in which they came."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from engine import allocator
from engine.errors import Cancelled, InvalidRequest, PatinaError
from engine.protocol import Params, RequestId

if sys.platform != "win32":
    import resource

log = logging.getLogger(__name__)

Notify = Callable[[str, Params], None]
Reply = Callable[[Params | PatinaError], None]


@dataclass(eq=False)
class Job:
    """One request that takes a while.

    Attributes:
        id: of the request.
        work: does it and returns the result; looks at `stop` between steps and raises Cancelled.
        reply: sends the result or the error to whoever asked.
        facts: what the log line of the job says about it.
        stop: set when the job should end.
        answered: set when the answer is on its way.
    """

    id: RequestId
    work: Callable[[Job], Params]
    reply: Reply
    facts: Mapping[str, object] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)
    answered: threading.Event = field(default_factory=threading.Event)
    position: int | None = None
    over: bool = False


class Jobs:
    """Runs jobs one after another and answers each exactly once, whatever happens to it.

    Args:
        notify: sends a notification; safe to call from any thread.
        prepare: run by the worker before the first job.
        prepared: called with what `prepare` returned or raised; jobs run in either case.
    """

    def __init__(self, notify: Notify, prepare: Callable[[], Params], prepared: Reply) -> None:
        self._notify, self._prepare, self._prepared = notify, prepare, prepared
        self._changed = threading.Condition()
        self._waiting: deque[Job] = deque()
        self._running: Job | None = None
        self._worker = threading.Thread(target=self._run, name="worker", daemon=True)

    def start(self) -> None:
        """Let the worker begin, with `prepare`. Does nothing from the second call on."""
        with self._changed:
            if self._worker.ident is None:
                self._worker.start()

    def submit(self, job: Job) -> None:
        """Queue a job and tell its position: how many are before it.

        Raises:
            InvalidRequest: a job of this id is not over yet.
        """
        with self._changed:
            if job.id in (other.id for other in self._unfinished()):
                raise InvalidRequest(f"The job {job.id!r} is not over: give each its own id.", field="id")
            self._waiting.append(job)
            self._tell_positions()
            self._changed.notify_all()
        self.start()

    def cancel(self, job_id: RequestId) -> bool:
        """Stop a job; one that still waits is answered at once. False if there is no such job any more."""
        with self._changed:
            found = next((job for job in self._unfinished() if job.id == job_id), None)
            if found is None:
                return False
            found.stop.set()
            if found is self._running:
                return True  # it answers itself, within a step
            self._waiting.remove(found)
            self._tell_positions()
        self._answer(found, Cancelled("Cancelled before it began."), 0.0)
        return True

    def close(self, grace_s: float) -> None:
        """Cancel everything; each job has its answer when this returns, though work may still be going on.

        Args:
            grace_s: how long the running job may take to stop by itself.
        """
        with self._changed:
            waiting, running = list(self._waiting), self._running
            self._waiting.clear()
        for job in waiting:
            self._answer(job, Cancelled("Cancelled: the engine is shutting down."), 0.0)
        if running is not None:
            running.stop.set()
            if not running.answered.wait(grace_s):
                self._answer(running, Cancelled("Abandoned: the engine is shutting down."), grace_s)

    def _run(self) -> None:
        self._prepared(outcome_of(self._prepare))
        while True:
            with self._changed:
                self._running = None
                while not self._waiting:
                    self._changed.wait()
                job = self._running = self._waiting.popleft()
                self._tell_positions()
            start = time.monotonic()
            outcome = outcome_of(partial(job.work, job))
            self._answer(job, outcome, time.monotonic() - start)
            del outcome
            allocator.give_back()  # until the next one other programs may use it

    def _answer(self, job: Job, outcome: Params | PatinaError, seconds: float) -> None:
        with self._changed:
            if job.over:
                return
            job.over = True  # before the answer: whoever reads it may use the id again
        facts = "".join(f" {name}={value}" for name, value in job.facts.items())
        end = outcome.kind if isinstance(outcome, PatinaError) else "done"
        log.info("job id=%r%s seconds=%.2f memory=%s outcome=%s", job.id, facts, seconds, peak_memory(), end)
        job.reply(outcome)
        job.answered.set()

    def _unfinished(self) -> list[Job]:
        return [job for job in (self._running, *self._waiting) if job is not None and not job.over]

    def _tell_positions(self) -> None:
        """Under the lock, so that no progress of a job can overtake the news that it waits."""
        for position, job in enumerate(self._unfinished()):
            if job is not self._running and position != job.position:
                job.position = position
                self._notify("job/queued", {"job": job.id, "position": position})


def outcome_of(work: Callable[[], Params]) -> Params | PatinaError:
    """What work returns, or the error to answer with."""
    try:
        return work()
    except PatinaError as error:
        return error
    except Exception as error:  # the outermost frame of a job: a bug ends this job, not the queue
        log.exception("a job failed")
        return PatinaError("The engine hit a bug. The log has the details.", details=repr(error))


def peak_memory() -> str:
    """The most memory that this process has held at once, for people; "unknown" on Windows."""
    if sys.platform == "win32":
        return "unknown"
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return f"{used >> (20 if sys.platform == 'darwin' else 10)}MiB"  # macOS counts bytes, Linux KiB
