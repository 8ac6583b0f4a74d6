"""`models/*` over the protocol: what `models` does in a shell, by the same functions, with the same errors.

    models/list      {}                                    → packs: see `packs.catalogue`
    models/download  pack                                  → pack: as in the list
    models/add       name, generator, config, guide, judge → pack: as in the list
    models/verify    pack                                  → packs: id, files: role, and what is `wrong`
    models/remove    pack                                  → pack, freed: bytes
    models/unload    {}                                    → freed: bytes that a GPU got back

Of `models/add` only `name` must be there; the others are the arguments of `install.add`, with absolute paths.
`models/verify` without `pack` looks at all that are here. All but the first are jobs; downloading, adding and
verifying tell of their progress and can be cancelled.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine import places
from engine.errors import Cancelled, InvalidRequest
from engine.jobs import Job, Jobs, Notify, Reply
from engine.models import packs
from engine.progress import Progress
from engine.protocol import Params, Request, only

NEWS_EVERY_S = 0.1
DEFAULT_CLIP = "starter"


class ModelsServer:
    """Takes the requests about packs.

    Args:
        jobs: the queue of runs, whose turn what takes networks away must wait for.
        downloads: a queue of their own, as a slow line stops no picture.
        notify: sends a notification.
        loaded: the networks in memory, a `generation.Models`; None where there are none yet.
        forget: lets go of what else holds a network.
        imported: set once torch is there.
    """

    def __init__(
        self,
        jobs: Jobs,
        downloads: Jobs,
        notify: Notify,
        loaded: Callable[[], Any],
        forget: Callable[[], object],
        imported: threading.Event,
    ) -> None:
        self._jobs, self._downloads, self._notify = jobs, downloads, notify
        self._loaded, self._forget, self._imported = loaded, forget, imported
        self.methods: dict[str, Callable[[Request, Reply], None]] = {
            "models/list": self._list,
            "models/download": self._download,
            "models/add": self._add,
            "models/verify": self._verify,
            "models/remove": self._remove,
            "models/unload": self._unload,
        }

    def _list(self, request: Request, answer: Reply) -> None:
        only(request, {})
        packs.entries.cache_clear()  # a shell may have added one
        answer({"packs": packs.catalogue()})

    def _download(self, request: Request, answer: Reply) -> None:
        only(request, {"pack": str})
        pack_id = _needed(request, "pack")

        def work(job: Job) -> Params:
            from engine.models import install

            self._imported.wait()  # two threads must not import torch at once, and converting needs it
            return _told(install.download(pack_id, Transfer(self._notify, job).tell))

        self._beside(request, work, answer, pack_id)

    def _add(self, request: Request, answer: Reply) -> None:
        only(request, dict.fromkeys(("name", "generator", "config", "guide", "judge"), str))
        asked = dict(request.params)
        name = _needed(request, "name")
        places = {key: _absolute(asked, key) if key in asked else None for key in ("generator", "config")}
        guide, judge = (_clip(asked, key) for key in ("guide", "judge"))

        def work(job: Job) -> Params:
            from engine.models import install

            self._imported.wait()
            tell = Transfer(self._notify, job).tell
            return _told(install.add(name, places["generator"], places["config"], guide, judge, tell))

        self._beside(request, work, answer, name)

    def _verify(self, request: Request, answer: Reply) -> None:
        only(request, {"pack": str})
        chosen = request.params.get("pack")

        def work(job: Job) -> Params:
            from engine.models import install

            packs.entries.cache_clear()
            names = list(packs.entries()) if chosen is None else [chosen]
            total = sum(len(packs.entries()[n].files()) for n in names if n in packs.entries())
            tell, done = Transfer(self._notify, job).tell, 0
            found: list[dict[str, Any]] = []
            for name in names:
                files: list[dict[str, Any]] = []
                for role, error in install.verify(name):
                    done += 1
                    if job.stop.is_set():
                        raise Cancelled("Cancelled.")
                    tell("verify", done, total)
                    files.append({"role": role, "wrong": None if error is None else error.as_dict()})
                found.append({"id": name, "files": files})
            return {"packs": found}

        self._beside(request, work, answer, chosen)

    def _remove(self, request: Request, answer: Reply) -> None:
        only(request, {"pack": str})
        pack_id = _needed(request, "pack")

        def work(_: Job) -> Params:
            from engine.models import install

            if self._loaded() is not None:
                self._loaded().unload(pack_id)  # Windows deletes no file that is in use
            return {"pack": pack_id, "freed": install.remove(pack_id)}

        self._jobs.submit(Job(_id(request), work, answer, {"pack": pack_id}))

    def _unload(self, request: Request, answer: Reply) -> None:
        """Drop the networks once the jobs before this one are done; the next job loads them again."""
        only(request, {})

        def work(_: Job) -> Params:
            self._forget()  # libraries hold a guide
            return {"freed": 0 if self._loaded() is None else self._loaded().unload()}

        self._jobs.submit(Job(_id(request), work, answer, {"method": request.method}))

    def _beside(
        self, request: Request, work: Callable[[Job], Params], answer: Reply, pack_id: str | None
    ) -> None:
        """Queue what runs beside pictures."""
        job = Job(_id(request), work, answer, {"method": request.method, "pack": pack_id})
        self._jobs.start()  # which imports torch
        self._downloads.submit(job)


class Transfer:
    """What such a job tells its client, a few times a second, and where it stops when it is cancelled."""

    def __init__(self, notify: Notify, job: Job) -> None:
        self._notify, self._job = notify, job
        self._next = 0.0

    def tell(self, phase: str, done: int, total: int) -> None:
        """Phase, bytes so far, bytes in all; of "convert" 0 or 1, and 1; of "verify" files."""
        if self._job.stop.is_set():
            raise Cancelled("Cancelled. What was downloaded is kept for the next time.")
        if done in {0, total} or time.monotonic() >= self._next:
            self._next = time.monotonic() + NEWS_EVERY_S
            self._notify("job/progress", {"job": self._job.id, **asdict(Progress(phase, done, total))})


def _id(request: Request) -> int | str:
    if request.id is None:
        raise InvalidRequest("A job needs an id, to be answered and cancelled by.", field="id")
    return request.id


def _needed(request: Request, name: str) -> str:
    if name not in request.params:
        raise InvalidRequest(f"{name!r} is missing.", field=name)
    text: str = request.params[name]
    return text


def _absolute(asked: Params, name: str) -> Path:
    """A file or folder of the client's: the engine may run in another folder than it."""
    path = Path(asked[name])
    if not path.is_absolute() or "\0" in asked[name]:
        raise InvalidRequest(f"{name!r} must be an absolute path; {asked[name]!r} was given.", field=name)
    return path


def _clip(asked: Params, name: str) -> str:
    """What `install.add` takes for a CLIP, where a folder or the file after a colon is an absolute path."""
    wanted: str = asked.get(name, DEFAULT_CLIP)
    _, _, weights = wanted.partition(":")
    place = Path(wanted if Path(wanted).is_absolute() else weights or wanted)
    leads = len(place.parts) > 1 or places.is_there(place)  # a lone word may be a pack's name or a tag
    known = wanted in packs.entries()
    if "\0" in wanted or (leads and not known and not place.is_absolute()):
        raise InvalidRequest(
            f"{name!r} must be a pack, NAME:TAG, or an absolute path, alone or after NAME:; "
            f"{wanted!r} was given.",
            field=name,
        )
    return wanted


def _told(info: packs.PackInfo) -> Params:
    """A pack as the list has it."""
    return {"pack": next(p for p in packs.catalogue() if p["id"] == info.id)}
