"""The engine as a child process: requests on stdin, answers and news on stdout, the log on stderr.

Three layers: `stdio` owns descriptors, `protocol` knows messages, and the table in `Server` names the
methods. The main thread reads; one worker thread computes.
"""

from __future__ import annotations

import faulthandler
import importlib
import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from engine import __version__, presets, protocol, stdio
from engine.artifacts import Artifacts
from engine.desk import SEEN, Desk, heavy
from engine.errors import InvalidRequest, ParseError, PatinaError, UnknownMethod
from engine.host import Host
from engine.jobs import Job, Jobs, Reply
from engine.models import packs
from engine.models_server import ModelsServer
from engine.progress import Progress
from engine.protocol import Params, Request

log = logging.getLogger(__name__)

GRACE_S = 1.2
"""What a running job may take to stop before the process ends without it."""

SIDE_GRACE_S = 0.1
DEFAULT_PACK = "starter"
GENERATE = ("engine.generation", "run_generate")
RUNS: Mapping[str, tuple[str, tuple[str, str]]] = {
    "generate": ("engine.params", GENERATE),
    "refine": ("engine.refine", GENERATE),
    "vary": ("engine.vary", GENERATE),
    "resume": ("engine.resume", GENERATE),
    "interpolate": ("engine.interpolate", GENERATE),
    "story": ("engine.story", ("engine.story", "run_story")),
}
"""Of what makes something: whose `resolve` understands it, and the module and function that run it."""


class Server:
    """Hands requests on and sends the answers. Whatever a line holds, the process lives on.

    Args:
        send: writes one message; safe to call from any thread.
        end: called after the answer to `shutdown`.
    """

    def __init__(self, send: Callable[[Params], None], end: Callable[[], object]) -> None:
        self._send, self._end = send, end
        self._jobs = Jobs(self._notify, self._prepare, self._prepared)
        self._downloads = Jobs(
            self._notify, dict, lambda _: None
        )  # of their own: a slow line stops no picture
        self._imported = threading.Event()
        self._models: Any = None  # a generation.Models, from the worker's first import on
        self._artifacts = Artifacts()
        self._desk = Desk(
            self._jobs, self._notify, partial(News, self._notify), self._models_in_memory, self._imported
        )
        self._packs = ModelsServer(
            self._jobs, self._downloads, self._notify, lambda: self._models, self._desk.forget, self._imported
        )
        self._methods: dict[str, Callable[[Request, Reply], None]] = {
            "initialize": self._initialize,
            **dict.fromkeys(RUNS, self._run),
            **self._packs.methods,
            **self._desk.methods,
            "artifact/read": self._read_artifact,
            "artifact/write": self._write_artifact,
            "cancel": self._cancel,
            "shutdown": self._shutdown,
        }

    def handle(self, line: bytes | ParseError) -> None:
        """Answer one line, now or when its job ends."""
        answer = self._reply_to(None)
        if isinstance(line, ParseError):
            answer(line)
            return
        try:
            message = protocol.decode(line)
            answer = self._reply_to(protocol.id_of(message))
            request = protocol.request_of(message)
            if request.id is None:
                answer = partial(log.info, "not answered, as %s came without an id: %s", request.method)
            self._dispatch(request, answer)
        except PatinaError as error:
            answer(error)
        except Exception as error:  # the outermost frame of a request: a bug ends this one, not the process
            log.exception("cannot handle %.200r", line)
            answer(PatinaError("The engine hit a bug. The log has the details.", details=repr(error)))

    def close(self) -> None:
        """Stop all jobs and answer them; waits a moment for those that run."""
        self._downloads.close(SIDE_GRACE_S)
        self._desk.close(SIDE_GRACE_S)
        self._jobs.close(GRACE_S)

    def _dispatch(self, request: Request, answer: Reply) -> None:
        if request.method not in self._methods:
            raise UnknownMethod(f"This engine does not know {request.method!r}. Update it.")
        self._methods[request.method](request, answer)

    def _initialize(self, request: Request, answer: Reply) -> None:
        protocol.only(request, {"client": str})
        answer(
            {
                "name": "patina-engine",
                "version": __version__,
                "protocol": protocol.PROTOCOL,
                "methods": list(self._methods),
                "packs": packs.catalogue(),
                "presets": presets.ids(),
            }
        )
        self._jobs.start()

    def _run(self, request: Request, answer: Reply) -> None:
        """Queue what makes something."""
        if request.id is None:
            raise InvalidRequest("A job needs an id, to be answered and cancelled by.", field="id")
        understands, (module, run) = RUNS[request.method]
        # Its imports, pydantic first, can wait until there is something to check.
        settings, delivery = importlib.import_module(understands).resolve(request.params)
        folder = Path(delivery.folder)
        self._artifacts.allow(folder)

        def work(job: Job) -> Params:
            news, seen = News(self._notify, job, folder), SEEN()
            host = Host(
                self._loader(_generation()),
                news.progress,
                news.preview if delivery.preview else None,
                job.stop.is_set,
                seen.__setitem__,
            )
            summary = getattr(heavy(module), run)(settings, delivery, host)
            self._desk.remember(settings.pack, delivery, seen)
            return {**summary, "folder": str(folder)}

        size = f"{settings.width}x{settings.height}x{settings.variations}"
        facts = {"pack": settings.pack, "size": size, "steps": settings.steps, "seed": settings.seed}
        self._jobs.submit(Job(request.id, work, answer, facts))

    def _read_artifact(self, request: Request, answer: Reply) -> None:
        protocol.only(request, {"file": str, "offset": int, "bytes": int})
        answer(self._artifacts.read(request.params))

    def _write_artifact(self, request: Request, answer: Reply) -> None:
        protocol.only(request, {"file": str, "offset": int, "data": str, "sha256": str, "end": bool})
        answer(self._artifacts.write(request.params))

    def _cancel(self, request: Request, answer: Reply) -> None:
        protocol.only(request, {"job": int | str})
        if not protocol.is_id(request.params.get("job")):
            raise InvalidRequest("'job' must be the id of a job.", field="job")
        job = request.params["job"]
        answer({"cancelled": any(m.cancel(job) for m in (self._jobs, self._downloads, self._desk))})

    def _shutdown(self, request: Request, answer: Reply) -> None:
        protocol.only(request, {})
        self.close()
        answer({})
        self._end()

    def _prepare(self) -> Params:
        """The worker's first act, after the handshake: heavy imports and the default pack."""
        generation = _generation()
        machine = generation.describe_machine()
        try:
            self._loader(generation)(DEFAULT_PACK, "auto")
        except PatinaError as error:  # the next job will say it, too; until then the engine lives
            self._complain(error)
            return {**machine, "pack": None}
        return {**machine, "pack": DEFAULT_PACK}

    def _prepared(self, outcome: Params | PatinaError) -> None:
        self._imported.set()
        if isinstance(outcome, PatinaError):
            self._complain(outcome)
            outcome = {"devices": [], "device": None, "torch": None, "pack": None}
        self._notify("ready", outcome)

    def _complain(self, error: PatinaError) -> None:
        log.error("%s %s", error.message, error.details)
        self._notify("job/log", {"job": None, "level": "error", "message": error.message})

    def _loader(self, generation: ModuleType) -> Callable[..., Any]:
        if self._models is None:
            self._models = generation.Models()
        return self._models.load

    def _models_in_memory(self) -> Any:
        self._loader(_generation())
        return self._models

    def _notify(self, method: str, params: Params) -> None:
        self._send(protocol.notification(method, params))

    def _reply_to(self, request_id: protocol.RequestId | None) -> Reply:
        return lambda outcome: self._send(protocol.reply(request_id, outcome))


class News:
    """What a running job tells its client."""

    def __init__(self, notify: Callable[[str, Params], None], job: Job, folder: Path) -> None:
        self._notify, self._job, self._folder = notify, job.id, folder

    def progress(self, progress: Progress) -> None:
        self._notify("job/progress", {"job": self._job, **asdict(progress)})

    def preview(self, variation: int, file: str, width: int, height: int) -> None:
        shown = {"variation": variation, "file": str(self._folder / file), "width": width, "height": height}
        self._notify("job/preview", {"job": self._job, **shown})


def serve() -> int:
    """Serve stdin until it ends, the client says shutdown, or the parent process dies.

    Returns:
        The exit code. Leave by `os._exit`: an orderly exit would wait for a worker that may be stuck.
    """
    requests, answers = stdio.own_stdin(), stdio.own_stdout()
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    faulthandler.enable()
    stdio.watch_parent(partial(os._exit, 0))
    writer = stdio.Writer(answers, gone=partial(os._exit, 0))
    server = Server(lambda message: writer.write(protocol.encode(message)), end=partial(os._exit, 0))
    framer = protocol.Framer()
    try:
        for chunk in stdio.chunks(requests):
            for line in framer.feed(chunk):
                server.handle(line)
        for line in framer.close():
            server.handle(line)
        server.close()
    except KeyboardInterrupt:
        return 130
    return 0


def _generation() -> ModuleType:
    return heavy("engine.generation")
