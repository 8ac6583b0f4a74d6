"""The program: one task on one folder, and one answer."""

from __future__ import annotations

import errno
import json
import shutil
import sys
import threading
import traceback
from dataclasses import dataclass
from pathlib import Path

from . import machine, record, source, steps
from .failure import SENTENCES, Failure, Stopped
from .record import Record
from .steps import Origin
from .work import Work, delete, listen, say, size_of

RESERVE = 256 << 20  # left free: a disk filled to the last byte stops other programs


@dataclass(frozen=True)
class Request:
    """What to do, as the add-on says it.

    Attributes:
        task: "install", "verify", "repair" or "remove".
        folder: the engine's folder.
        source: a zip or a folder with the program; "" for what is there already.
        sha256: of the zip; "" where nobody knows it.
        backend: one of machine.BACKENDS, or "auto".
        wheels: a folder of wheels to take instead of the registry; "" for the registry.
        pythons: interpreters to try for uv's environment.
    """

    task: str
    folder: str
    source: str = ""
    sha256: str = ""
    backend: str = "auto"
    wheels: str = ""
    pythons: tuple[str, ...] = ()


def main(arguments: list[str]) -> int:
    """Does what the JSON in the first argument says."""
    try:
        request = Request(**json.loads(arguments[0]))
        result = run(request, listen())
    except Stopped:
        say("cancelled")
    except Failure as failure:
        said = {"message": failure.message, "sentence": failure.sentence, "values": failure.values}
        say("failed", kind=failure.kind, details=failure.details, **said)
    except Exception:  # noqa: BLE001  # the outermost frame: whoever started this must learn of the end
        say(
            "failed",
            kind="bug",
            message="The installer hit a bug. The log has the details.",
            details=traceback.format_exc(),
        )
    else:
        say("done", **result)
        return 0
    return 1


def run(request: Request, stop: threading.Event) -> dict[str, object]:
    """Do the task. Returns what the answer says about it.

    Raises:
        Failure, Stopped: it did not come to its end; what was made is kept for the next time.
    """
    folder = Path(request.folder)
    if request.task == "remove":
        return remove(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with record.alone(folder):
            log = folder / record.LOG
            log.write_text(f"{request.task}: {request}\n", "utf-8")
            work = Work(folder, log, 0, stop)
            return {"install": install, "repair": repair, "verify": verify}[request.task](request, work)
    except Failure as failure:
        if failure.kind == "network" and request.wheels:  # pip says the same of a wheel that is not there
            raise Failure(SENTENCES["packages"], kind="packages", details=failure.details) from failure
        raise
    except OSError as error:
        full = error.errno in {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
        raise Failure(
            "{folder} cannot be written. The disk is full. Free some space, then go on."
            if full
            else "{folder} cannot be written. Choose another folder.",
            kind="space" if full else "permission",
            details=str(error),
            folder=str(folder),
        ) from error


def install(request: Request, work: Work) -> dict[str, object]:
    """Make what is missing. Whatever was made from the same things stays."""
    folder = work.folder
    origin = Origin(Path(request.wheels) if request.wheels else None)
    made = record.read(folder) or Record()
    made.state = record.INCOMPLETE
    work.phase("check", "Looking at this machine")
    made.backend = machine.detect() if request.backend == "auto" else request.backend
    build = machine.torch_build(made.backend)
    if build is None:
        raise Failure(
            "There is no PyTorch for {backend!r} on this system. Choose another in the preferences.",
            kind="backend",
            backend=made.backend,
        )
    with source.opened(Path(request.source or folder / "program"), request.sha256) as program:
        _check_space(program, made.backend, work)
        record.write(folder, made)
        work.phase("program", "Copying the engine")
        version = program.version()
        if request.source and (made.done.get("program") != version or not (folder / "program").is_dir()):
            made.done.pop("program", None)
            record.write(folder, made)
            source.put(program, version, folder / "program", work)
            _done(work, made, "program", version)
    requirements = folder / "program/requirements"
    wanted = steps.fingerprint(requirements / "tools.txt")
    if made.done.get("tools") != wanted or not steps.uv(folder).is_file():
        work.phase("tools", "Installing the installer")
        steps.tools(work, request.pythons, origin)
        _done(work, made, "tools", wanted)
    # Environments hold absolute paths: one that was moved is made again.
    wanted = steps.fingerprint(requirements / "engine.txt", build, str(folder))
    if made.done.get("env") != wanted or not record.python_of(folder).is_file():
        work.phase("python", "Looking for Python")
        steps.interpreter(work, origin)
        work.phase("packages", "Downloading packages")
        _install_packages(work, made.backend, build, origin)
        _done(work, made, "env", wanted)
    return _verified(work, made)


def _install_packages(work: Work, backend: str, build: str, origin: Origin) -> None:
    """Where only a mirror of the common registry can be reached, its larger default build will do."""
    try:
        steps.packages(work, build, origin)
    except Failure as failure:
        if not build or backend != "cpu" or failure.kind not in {"network", "packages"}:
            raise
        work.note(f"PyTorch's own registry cannot be reached ({failure.message}): taking the default build")
        with source.opened(work.folder / "program") as program:
            _check_space(program, "cuda", work)
        steps.packages(work, "", origin)


def verify(_: Request, work: Work) -> dict[str, object]:
    """Look whether all is as it was made; a damaged engine is incomplete from then on."""
    made = record.read(work.folder)
    if made is None or not {"program", "env"} <= made.done.keys():
        raise Failure("The engine is not completely installed. Install it.", kind="missing")
    made.state = record.INCOMPLETE
    record.write(work.folder, made)
    return _verified(work, made)


def repair(request: Request, work: Work) -> dict[str, object]:
    """Make again what is damaged: the program's files where some are, the packages where the engine fails."""
    made = record.read(work.folder) or Record()
    made.state = record.INCOMPLETE
    work.phase("check", "Looking for damage")
    if source.damaged(work.folder / "program"):
        if not request.source:
            raise Failure(
                "The engine's own files are damaged. Choose the file or folder that it came from.",
                kind="source",
            )
        made.done.pop("program", None)
        record.write(work.folder, made)
        try:
            return install(request, work)
        except Failure as failure:
            if failure.kind != "damaged":
                raise
            made = record.read(work.folder) or Record()
    else:
        try:
            steps.verify(work)
        except Failure:
            work.note("it does not work: everything but the program is made again")
    made.done.pop("env", None)
    if not steps.uv_works(work):
        made.done.pop("tools", None)
    record.write(work.folder, made)
    delete(work.folder / "cache")  # its files are the environment's, where the system can link them
    return install(request, work)


def remove(folder: Path) -> dict[str, object]:
    """Delete what the installer made, and the folder if nothing else is in it."""
    if record.read(folder) is None:
        raise Failure("{folder} holds no engine that Patina installed.", kind="missing", folder=str(folder))
    with record.alone(folder):
        say("progress", phase="remove", text="Deleting", bytes=0, total=0, speed=None)
        made = record.read(folder) or Record()
        made.state, made.done = record.INCOMPLETE, {}
        record.write(folder, made)  # first: half a removal must not pass for an engine
        for part in (*record.PARTS, "program.part", record.LOG, record.NAME):
            delete(folder / part)
    delete(folder / record.LOCK)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
    return {"state": "missing"}


def _check_space(program: source.Source, backend: str, work: Work) -> None:
    sizes = source.sizes(program)
    work.total = sizes.get(backend, max(sizes.values()))
    wanted = max(0, work.total - size_of(work.folder)) + RESERVE
    free = shutil.disk_usage(record.existing_parent(work.folder)).free
    if wanted > free:
        raise Failure(
            "This takes {wanted}, and only {free} are free in {folder}. "
            "Free some space, or choose a folder on a larger disk.",
            kind="space",
            wanted=gigabytes(wanted),
            free=gigabytes(free),
            folder=str(work.folder),
        )


def _done(work: Work, made: Record, part: str, fingerprint: str) -> None:
    made.done[part] = fingerprint
    record.write(work.folder, made)


def _verified(work: Work, made: Record) -> dict[str, object]:
    work.phase("verify", "Trying the engine")
    if wrong := source.damaged(work.folder / "program"):
        raise Failure(
            "{count} of the engine's own files are damaged. Repair the engine.",
            kind="damaged",
            count=len(wrong),
            details="\n".join(wrong),
        )
    facts = steps.verify(work)
    steps.write_command(work.folder)
    made.state = record.READY
    made.version, made.device = facts.get("version", ""), facts.get("device", "")
    record.write(work.folder, made)
    delete(work.folder / "cache")
    work.note("ready")
    return {"state": made.state, "backend": made.backend, "bytes": size_of(work.folder), **facts}


def gigabytes(number: int) -> str:
    """Bytes for people."""
    return f"{number / 1e9:.1f} GB" if number >= 1e8 else f"{number / 1e6:.0f} MB"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
