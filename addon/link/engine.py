"""The engine as a state machine: one process, its jobs, nothing that waits.

`poll()` moves it on and says what happened; whoever polls stores that. Requests of an earlier process or an
earlier job have other ids, so whatever still arrives for them is dropped.
"""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from __future__ import annotations

import enum
import itertools
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..words import mark, tr
from . import framing
from .errors import EngineError
from .events import Cancelled, Event, Failed, Finished, Preview, Progress
from .process import Launch, Process

log = logging.getLogger(__name__)

PROTOCOL = 1
HANDSHAKE_S = 30.0  # the engine promises half a second; a cold disk under load has been seen to need ten
CANCEL_ACK_S = 5.0  # a thread of the engine's own answers, so only a hung process needs longer
CANCEL_END_S = 20.0  # one step of a large picture on a slow processor
STDOUT_END_S = 1.0  # the pipe of a dying process closes a little before its exit code is there
TERMINATE_S = 2.0  # between asking a process to end and ending it
KEEPING = ("rank", "maps", "write")  # what a cancelled job may still do, each unit in CANCEL_END_S
MAX_FAILED_STARTS = 3  # in a row; then only Restart, which a person presses, tries again
TAIL_LINES = 8
KILLED = {
    -9: mark("The engine was killed, perhaps for lack of memory."),
    -11: mark("The engine crashed."),
}


class State(enum.Enum):
    """What the engine is doing."""

    MISSING = "missing"
    STOPPED = "stopped"
    STARTING = "starting"
    READY = "ready"
    BUSY = "busy"
    FAILED = "failed"


@dataclass
class _Job:
    cancelled_at: float | None = None
    asked: int | None = None  # id of the request to cancel it
    acknowledged: bool = False


@dataclass
class Facts:
    """What the running engine said about itself."""

    version: str = ""
    device: str = ""
    devices: list[dict[str, Any]] = field(default_factory=list)
    packs: list[dict[str, Any]] = field(default_factory=list)
    methods: tuple[str, ...] = ()


class Engine:
    """The engine of one Blender.

    Args:
        launch: gives what to start; asked anew for every start, as preferences change.
        clock: seconds, monotonic.
    """

    def __init__(self, launch: Callable[[], Launch], clock: Callable[[], float] = time.monotonic) -> None:
        self._launch, self._clock = launch, clock
        self._ids = itertools.count(1)
        self._process: Process | None = None
        self._framer = framing.Framer()
        self._pending: dict[int, str] = {}
        self._jobs: dict[int, _Job] = {}
        self._retired: list[tuple[Process, float]] = []
        self._started_at = 0.0
        self._ended_at: float | None = None
        self._failed_starts = 0
        self._ready = False
        self.facts = Facts()
        self.failure: EngineError | None = None
        self.log_lines: list[str] = []
        self.log: str | None = None

    @property
    def state(self) -> State:
        """What it is doing now."""
        if self._process is not None:
            if not self._ready:
                return State.STARTING
            return State.BUSY if self._jobs else State.READY
        if self.failure is None:
            return State.STOPPED
        return State.MISSING if self.failure.kind == "missing" else State.FAILED

    @property
    def jobs(self) -> tuple[int, ...]:
        """The ids of the jobs that have no answer yet, in the order in which they were sent."""
        return tuple(self._jobs)

    def cancelling(self, job: int | None) -> bool:
        """Whether this job was told to stop and has not yet."""
        return job in self._jobs and self._jobs[job].cancelled_at is not None

    @property
    def alive(self) -> bool:
        """Whether there is a process to poll, be it only one that is ending."""
        return self._process is not None or bool(self._retired)

    @property
    def pid(self) -> int | None:
        """The number of the process, if one runs."""
        return None if self._process is None else self._process.pid

    def submit(self, method: str, params: dict[str, Any]) -> int:
        """Send a request that takes a while, starting the engine if need be. Returns the job's id.

        The engine does one job after another, in the order in which they come.

        Raises:
            EngineError: the engine cannot be started.
        """
        if self._process is None:
            if self._failed_starts >= MAX_FAILED_STARTS:
                raise EngineError(
                    "The engine keeps ending before it is ready. Look at its log, then restart it.",
                    kind="failing",
                )
            self.start()
        job = self._send(method, params)
        self._jobs[job] = _Job()
        return job

    def cancel(self, job: int) -> None:
        """Ask for a job to be stopped. What does not obey in time is ended by `poll`."""
        if job in self._jobs and self._jobs[job].cancelled_at is None:
            self._jobs[job].cancelled_at = self._clock()
            self._jobs[job].asked = self._send("cancel", {"job": job})

    def start(self) -> None:
        """Start the process; it is ready when `state` says so.

        Raises:
            EngineError: there is nothing to start, or the system refuses; `state` keeps it.
        """
        if self._process is not None:
            return
        launch = self._launch()
        problem = launch.problem()
        if problem is not None:
            self.failure = EngineError(problem, kind="missing")
            raise self.failure
        try:
            self._process = Process(launch)
        except OSError as error:
            self.failure = EngineError("The engine could not be started.", kind="start", details=str(error))
            raise self.failure from error
        self.failure, self.log_lines, self.log = None, [], str(self._process.log)
        self.facts, self._ready = Facts(), False
        self._framer, self._pending = framing.Framer(), {}
        self._started_at, self._ended_at = self._clock(), None
        self._send("initialize", {"client": "blender"})

    def restart(self) -> None:
        """End the process, whatever it does, and start another; forgets earlier failures.

        Raises:
            EngineError: as `start`.
        """
        self.stop()
        self._failed_starts = 0
        self.start()

    def stop(self) -> None:
        """Let the process go; `poll` sees to it that it ends. Jobs in it are gone."""
        self._retire()
        self._jobs.clear()
        self.failure = None

    def close(self) -> None:
        """End everything. Unlike the rest, this waits: a second at most, commonly not at all."""
        self.stop()
        for process, _ in self._retired:
            process.end()
        self._retired.clear()

    def poll(self) -> list[Event]:
        """Move on by whatever has happened since the last call."""
        self._reap()
        process = self._process
        if process is None:
            return []
        code = process.exit_code()  # before reading: what it wrote before it ended is all there
        process.outlet.flush()
        try:
            events = [event for message in self._messages(process) for event in self._receive(message)]
        except framing.LineTooLongError as error:
            return [self._fail("The engine sent what is no message.", "protocol", str(error))]
        except EngineError as error:
            return [self._fail(error.message, error.kind, error.details)]
        if code is not None:
            return [*events, self._fail(_epitaph(code), "died", f"exit code {code}")]
        if process.inlet.ended and self._ended_for(STDOUT_END_S):
            return [*events, self._fail("The engine closed its connection.", "died", "end of its stdout")]
        return [*events, *self._check_time()]

    def _messages(self, process: Process) -> Iterator[dict[str, Any]]:
        for message in self._framer.feed(process.inlet.read()):
            if isinstance(message, framing.Garbage):
                log.warning("the engine wrote a line that is no message: %s", message)
            else:
                yield message

    def _receive(self, message: dict[str, Any]) -> Iterator[Event]:
        params = message.get("params")
        if isinstance(message.get("method"), str):
            yield from self._notified(message["method"], params if isinstance(params, dict) else {})
        elif isinstance(message.get("id"), int) and message["id"] in self._pending:
            method = self._pending.pop(message["id"])
            yield from self._answered(method, message["id"], message)

    def _answered(self, method: str, request: int, message: dict[str, Any]) -> Iterator[Event]:
        error = EngineError.from_reply(message["error"]) if "error" in message else None
        result = message.get("result")
        if method == "initialize":
            self._shake_hands(error, result if isinstance(result, dict) else {})
        elif method == "cancel":
            self._cancel_answered(request, error, result)
        elif self._jobs.pop(request, None) is not None:
            if error is not None:
                cancelled = error.kind == "cancelled"
                yield _cancelled(request, message["error"]) if cancelled else Failed(request, error)
            elif isinstance(result, dict):
                yield Finished(request, result)
            else:
                yield Failed(request, EngineError("The engine answered without a result.", kind="protocol"))

    def _shake_hands(self, error: EngineError | None, hello: dict[str, Any]) -> None:
        if error is not None:
            raise error
        protocol = hello.get("protocol")
        if protocol != PROTOCOL:
            raise EngineError(
                tr(
                    "This engine speaks protocol {theirs!r}, the add-on {ours}. Update the older of them.",
                    theirs=protocol,
                    ours=PROTOCOL,
                ),
                kind="protocol",
            )
        self.facts.version = str(hello.get("version", ""))
        self.facts.packs = _dicts(hello.get("packs"))
        methods = hello.get("methods")
        self.facts.methods = tuple(map(str, methods)) if isinstance(methods, list) else ()

    def _cancel_answered(self, request: int, error: EngineError | None, result: object) -> None:
        """`false`: the job was over already; its answer came before this one or, if it was lost, never."""
        for job in self._jobs.values():
            if job.asked == request:
                job.acknowledged = error is None and isinstance(result, dict)

    def _notified(self, method: str, params: dict[str, Any]) -> Iterator[Event]:
        if method == "ready":
            self._ready, self._failed_starts = True, 0
            self.facts.device = str(params.get("device") or "")
            self.facts.devices = _dicts(params.get("devices"))
        elif (job := params.get("job")) not in self._jobs:
            return
        elif method == "job/progress":
            if params.get("phase") in KEEPING and self._jobs[job].cancelled_at is not None:
                self._jobs[job].cancelled_at = self._clock()  # it obeys: what there is becomes results
            yield Progress(
                job,
                str(params.get("phase", "")),
                int(_number(params.get("step")) or 0),
                int(_number(params.get("total")) or 0),
                _number(params.get("steps_per_second")),
                _number(params.get("seconds_left")),
            )
        elif method == "job/preview":
            width, height = _number(params.get("width")), _number(params.get("height"))
            variation = int(_number(params.get("variation")) or 0)
            yield Preview(job, variation, str(params.get("file", "")), int(width or 0), int(height or 0))
        elif method == "job/log":
            log.info("engine: %s", params.get("message"))

    def _ended_for(self, seconds: float) -> bool:
        if self._ended_at is None:
            self._ended_at = self._clock()
        return self._clock() - self._ended_at >= seconds

    def _check_time(self) -> Iterator[Event]:
        now = self._clock()
        if "initialize" in self._pending.values() and now - self._started_at > HANDSHAKE_S:
            yield self._fail("The engine started but does not answer.", "silent", f"{HANDSHAKE_S:g} s")
            return
        for number, job in tuple(self._jobs.items()):
            patience_s = CANCEL_END_S if job.acknowledged else CANCEL_ACK_S
            if job.cancelled_at is not None and now - job.cancelled_at > patience_s:
                log.warning("the engine did not stop within %g s: ending it", patience_s)
                others = len(self._jobs) > 1
                self.stop()
                yield Cancelled(number)
                if others:
                    yield Failed(None, EngineError("The engine had to be ended.", kind="ended"))
                return

    def _fail(self, message: str, kind: str, details: str) -> Failed:
        if not self._ready:
            self._failed_starts += 1
        if self._process is not None:
            self.log_lines = self._process.log_tail(TAIL_LINES)
        self._retire()
        self._jobs.clear()
        self.failure = EngineError(message, kind=kind, details=details)
        return Failed(None, self.failure)

    def _send(self, method: str, params: dict[str, Any]) -> int:
        assert self._process is not None
        request = next(self._ids)
        self._pending[request] = method
        self._process.outlet.write(
            framing.encode({"jsonrpc": "2.0", "id": request, "method": method, "params": params})
        )
        return request

    def _retire(self) -> None:
        if self._process is not None:
            self._process.close_stdin()
            self._process.terminate()
            self._retired.append((self._process, self._clock()))
            self._process, self._ready = None, False

    def _reap(self) -> None:
        for entry in tuple(self._retired):
            process, since = entry
            if process.exit_code() is not None:
                process.release()
                self._retired.remove(entry)
            elif self._clock() - since > TERMINATE_S:
                process.kill()


def _cancelled(job: int, error: dict[str, Any]) -> Cancelled:
    """With what the job kept, if its answer says so."""
    data = error.get("data")
    data = data if isinstance(data, dict) else {}
    folder, step = data.get("folder"), data.get("stopped_at")
    return Cancelled(
        job, folder if isinstance(folder, str) else None, step if isinstance(step, int) else None
    )


def _epitaph(code: int) -> str:
    if code < 0:
        return KILLED.get(code) or tr("The engine was ended by signal {number}.", number=-code)
    if code == 0:
        return mark("The engine ended by itself.")
    return tr("The engine ended with an error (code {code}).", code=code)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _dicts(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
