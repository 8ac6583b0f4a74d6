"""The engine's environment, part by part: uv, an interpreter, the locked packages, and a trial."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import record
from .failure import Failure
from .work import Work, delete

PYTHONS = ">=3.11,<3.14"  # what the lock has packages for, and PyTorch was tried with
PROBE = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 8))"
TORCH = ("torch", "torchvision")
OF_TORCH = re.compile(r"(torch|torchvision|triton|nvidia-[\w-]+|cuda-[\w-]+)==")


@dataclass(frozen=True)
class Origin:
    """Where packages come from: the registry, or a folder of wheels and nothing else.

    Attributes:
        wheels: the folder; None for the registry.
    """

    wheels: Path | None = None

    def pip(self) -> list[str]:
        return [] if self.wheels is None else ["--no-index", "--find-links", str(self.wheels)]

    def uv(self) -> list[str]:
        return [] if self.wheels is None else ["--offline", *self.pip()]


def tools(work: Work, pythons: Sequence[str], origin: Origin) -> None:
    """An environment with uv in it, by pip, which checks its hash.

    Raises:
        Failure: no Python here can make environments, or uv is not to be had.
    """
    folder = work.folder / "tools"
    delete(folder)
    python = _first_python(work, pythons)
    work.run("Making room for uv", [python, "-I", "-m", "venv", folder])
    pip: list[str | Path] = [
        record.python_of(work.folder, "tools"),
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
    ]
    lock = work.folder / "program/requirements/tools.txt"
    work.run("Installing uv", [*pip, "--no-deps", "--require-hashes", *origin.pip(), "-r", lock])


def _first_python(work: Work, pythons: Sequence[str]) -> str:
    for python in pythons:
        try:
            work.run("Looking for Python", [python, "-I", "-c", PROBE])
        except Failure:
            continue
        return python
    raise Failure(
        "No Python here can make environments. On Debian and Ubuntu, install python3-venv; elsewhere name "
        "another Python in the preferences.",
        kind="python",
    )


def uv(folder: Path) -> Path:
    """Where uv is once `tools` is there."""
    return folder / "tools" / ("Scripts/uv.exe" if sys.platform == "win32" else "bin/uv")


def uv_works(work: Work) -> bool:
    """Whether it is there and runs."""
    try:
        work.run("Trying uv", [uv(work.folder), "--version"])
    except Failure:
        return False
    return True


def uv_variables(folder: Path) -> dict[str, str]:
    """uv keeps to our folder: the system's disk may be the small one. Whoever names a cache means it."""
    return {
        "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR") or str(folder / "cache"),
        "UV_PYTHON_INSTALL_DIR": str(folder / "python"),
        "UV_PYTHON_INSTALL_BIN": "0",
        "UV_PYTHON_INSTALL_REGISTRY": "0",
        "UV_NO_PROGRESS": "1",
    }


def interpreter(work: Work, origin: Origin) -> None:
    """A new, empty environment: on a suitable Python of this machine, else on one that uv downloads."""
    offline = ["--offline", "--no-python-downloads"] if origin.wheels is not None else []
    command: list[str | Path] = [
        uv(work.folder),
        "venv",
        "--clear",
        "--python",
        PYTHONS,
        *offline,
        work.folder / "env",
    ]
    work.run("Making the engine's environment", command, **uv_variables(work.folder))


def packages(work: Work, build: str, origin: Origin) -> None:
    """What the lock names, each by its hash.

    Where the registry's default PyTorch is not the one for this machine, uv fetches the pinned version of the
    right build from PyTorch's own registry. The lock has no hashes for those files; TLS and that registry's
    own hashes stand in for them.

    Args:
        build: as `machine.torch_build` names it.
    """
    lock = work.folder / "program/requirements/engine.txt"
    variables = uv_variables(work.folder)
    install: list[str | Path] = [
        uv(work.folder),
        "pip",
        "install",
        "--python",
        record.python_of(work.folder),
        *origin.uv(),
    ]
    locked: list[str | Path] = [*install, "--no-deps", "--require-hashes", "-r"]  # a lock is complete
    if not build:
        work.run("Installing packages", [*locked, lock], **variables)
        return
    rest, pinned = without_torch(lock.read_text("utf-8"))
    rest_lock = work.folder / "env/without-torch.txt"
    rest_lock.write_text(rest, "utf-8")
    work.run("Installing packages", [*locked, rest_lock], **variables)
    source = ["--torch-backend", build] if origin.wheels is None else []
    work.run("Installing PyTorch", [*install, *source, *pinned], **variables)


def without_torch(lock: str) -> tuple[str, list[str]]:
    """A lock less PyTorch and what only its default build needs, and the pinned PyTorch."""
    entries = re.split(r"\n(?=\S)", lock.strip())
    rest = [entry for entry in entries if not OF_TORCH.match(entry)]
    pinned = [entry.split()[0] for entry in entries if re.match(rf"({'|'.join(TORCH)})==", entry)]
    return "\n".join(rest) + "\n", pinned


def verify(work: Work) -> dict[str, str]:
    """Let the engine look at itself: its packages, its models and their hashes. Returns what it found.

    Raises:
        Failure: it does not work.
    """
    python, program = record.python_of(work.folder), work.folder / "program"
    if not python.is_file():
        raise Failure("The engine's Python is gone. Repair the engine.", kind="damaged")
    command: list[str | Path] = [
        python,
        "-s",
        "-c",
        f"import sys; sys.path.insert(0, {str(program)!r}); {SELF_CHECK}",
    ]
    try:
        output = work.run("Trying the engine", command)
    except Failure as failure:
        if failure.kind in {"space", "permission"}:
            raise
        last = failure.details.strip().rpartition("\n")[2].removeprefix("patina: ")
        raise Failure(
            "The engine does not work as it is. Repair it. ({reason})",
            kind="damaged",
            reason=last[:200],
            details=failure.details,
        ) from failure
    lines = [line for line in output.splitlines() if line.startswith("{")]
    facts = json.loads(lines[-1]) if lines else {}
    return {str(name): str(value) for name, value in facts.items()}


SELF_CHECK = "from engine.cli import main; sys.exit(main(['verify', '--json']))"


def write_command(folder: Path) -> None:
    """The engine as a command in its folder, for shells and for `ssh`: `patina serve`."""
    if sys.platform == "win32":
        (folder / "patina.cmd").write_text(WINDOWS_COMMAND, "utf-8")
        return
    script = folder / "patina"
    script.write_text(POSIX_COMMAND, "utf-8")
    script.chmod(0o755)


# -P: what is called engine/ in the folder that somebody is in must not come first.
POSIX_COMMAND = """#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd) || exit
PYTHONPATH="$here/program" exec "$here/env/bin/python" -P -s -m engine "$@"
"""
WINDOWS_COMMAND = """@echo off
set "PYTHONPATH=%~dp0program"
"%~dp0env\\Scripts\\python.exe" -P -s -m engine %*
"""


def fingerprint(*parts: str | Path) -> str:
    """Of files, by what is in them, and of words."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update((part.read_bytes() if isinstance(part, Path) else part.encode()) + b"\0")
    return digest.hexdigest()
