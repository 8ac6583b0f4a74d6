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
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from engine import __version__, presets, protocol, stdio
from engine.artifacts import Artifacts
from engine.desk import SEEN, Desk, heavy
from engine.errors import Cancelled, InvalidRequest, ParseError, PatinaError, UnknownMethod
from engine.host import Host
from engine.jobs import Job, Jobs, Reply
from engine.models import packs
from engine.progress import Progress
from engine.protocol import Params, Request

log = logging.getLogger(__name__)

GRACE_S = 1.2
"""What a running job may take to stop before the process ends without it."""

SIDE_GRACE_S = 0.1
NEWS_EVERY_S = 0.1
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
        self._methods: dict[str, Callable[[Request, Reply], None]] = {
            "initialize": self._initialize,
            **dict.fromkeys(RUNS, self._run),
            "models/list": self._list_models,
            "models/download": self._download_model,
            "models/remove": self._remove_model,
            "models/unload": self._unload_models,
            **self._desk.methods,
            "artifact/read": self._read_artifact,
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
        _only(request, {"client": str})
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

    def _list_models(self, request: Request, answer: Reply) -> None:
        _only(request, {})
        packs.entries.cache_clear()  # a shell may have added one
        answer({"packs": packs.catalogue()})

    def _download_model(self, request: Request, answer: Reply) -> None:
        _only(request, {"pack": str})
        if request.id is None:
            raise InvalidRequest("A job needs an id, to be answered and cancelled by.", field="id")
        if "pack" not in request.params:
            raise InvalidRequest("'pack' is missing.", field="pack")
        pack_id = request.params["pack"]

        def work(job: Job) -> Params:
            from engine.models import install

            self._imported.wait()  # two threads must not import torch at once, and converting needs it
            info = install.download(pack_id, Transfer(self._notify, job).tell)
            return {"pack": next(p for p in packs.catalogue() if p["id"] == info.id)}

        self._jobs.start()
        self._downloads.submit(Job(request.id, work, answer, {"pack": pack_id}))

    def _remove_model(self, request: Request, answer: Reply) -> None:
        _only(request, {"pack": str})
        if request.id is None:
            raise InvalidRequest("A job needs an id, to be answered and cancelled by.", field="id")
        if "pack" not in request.params:
            raise InvalidRequest("'pack' is missing.", field="pack")
        pack_id = request.params["pack"]

        def work(_: Job) -> Params:
            from engine.models import install

            if self._models is not None:
                self._models.unload(pack_id)  # Windows deletes no file that is in use
            return {"pack": pack_id, "freed": install.remove(pack_id)}

        self._jobs.submit(Job(request.id, work, answer, {"pack": pack_id}))

    def _unload_models(self, request: Request, answer: Reply) -> None:
        """Drop the networks once the jobs before this one are done; the next job loads them again."""
        _only(request, {})
        if request.id is None:
            raise InvalidRequest("A job needs an id, to be answered and cancelled by.", field="id")

        def work(_: Job) -> Params:
            self._desk.forget()  # its libraries hold a guide
            return {"freed": 0 if self._models is None else self._models.unload()}

        self._jobs.submit(Job(request.id, work, answer, {"method": request.method}))

    def _read_artifact(self, request: Request, answer: Reply) -> None:
        _only(request, {"file": str, "offset": int, "bytes": int})
        answer(self._artifacts.read(request.params))

    def _cancel(self, request: Request, answer: Reply) -> None:
        _only(request, {"job": int | str})
        if not protocol.is_id(request.params.get("job")):
            raise InvalidRequest("'job' must be the id of a job.", field="job")
        job = request.params["job"]
        answer({"cancelled": any(m.cancel(job) for m in (self._jobs, self._downloads, self._desk))})

    def _shutdown(self, request: Request, answer: Reply) -> None:
        _only(request, {})
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


class Transfer:
    """What a download tells its client, a few times a second, and where it stops when it is cancelled."""

    def __init__(self, notify: Callable[[str, Params], None], job: Job) -> None:
        self._notify, self._job = notify, job
        self._next = 0.0

    def tell(self, phase: str, done: int, total: int) -> None:
        """Phase, bytes so far, bytes in all; of "convert" 0 or 1, and 1."""
        if self._job.stop.is_set():
            raise Cancelled("Cancelled. What was downloaded is kept for the next time.")
        if done in {0, total} or time.monotonic() >= self._next:
            self._next = time.monotonic() + NEWS_EVERY_S
            self._notify("job/progress", {"job": self._job.id, **asdict(Progress(phase, done, total))})


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


def _only(request: Request, allowed: dict[str, Any]) -> None:
    """Refuse what a method does not take.

    Raises:
        InvalidRequest: a parameter that is not in `allowed`, or not of its type.
    """
    for name, value in request.params.items():
        if name not in allowed:
            raise InvalidRequest(f"{request.method!r} does not take {name!r}.", field=name)
        if not isinstance(value, allowed[name]):
            raise InvalidRequest(f"{name!r} has the wrong type for {request.method!r}.", field=name)
