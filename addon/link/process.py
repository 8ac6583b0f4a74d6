"""Starting a child process, the engine or its installer, and ending it, so that it never outlives Blender."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ..words import mark, tr
from . import disk
from .pipes import Inlet, Outlet

if sys.platform == "win32":
    from .job_object import tie

    CREATION_FLAGS = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
else:
    CREATION_FLAGS = 0

    def tie(process: subprocess.Popen[bytes]) -> object:  # noqa: ARG001
        """Nothing to do: the engine watches its parent and its stdin by itself."""
        return None


KEPT_LOGS = 8
TAIL_BYTES = 16 << 10


class Startable(Protocol):
    """What `Process` wants to know: a command line, where, in which environment, with which log."""

    @property
    def root(self) -> Path | None: ...
    @property
    def logs(self) -> Path: ...
    @property
    def log_name(self) -> str: ...
    @property
    def variables(self) -> Mapping[str, str]: ...
    def command(self) -> list[str]: ...


@dataclass(frozen=True)
class Launch:
    """What to start: `<python> -m engine serve` in the folder that holds engine/ and presets/.

    Attributes:
        python: the engine environment's interpreter.
        root: the folder to start in; None where nothing says which.
        logs: the folder for log files; made if missing.
        variables: what the engine's environment has besides ours.
        remote: a command line that starts an engine elsewhere, as "ssh host patina serve"; it takes the place
            of the local one.
    """

    python: Path
    root: Path | None
    logs: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    remote: str = ""

    @property
    def log_name(self) -> str:
        """What its stderr's log is called."""
        return "engine"

    def problem(self) -> str | None:
        """Why this cannot be started, in one sentence; None if it looks right."""
        if self.remote:
            return self._remote_problem()
        if self.root is None:
            return mark(
                "The engine is not installed yet. Install it, or choose its folder in the preferences."
            )
        if not disk.has_file(self.root / "engine" / "__init__.py"):
            return tr(
                "There is no engine in {folder}. Choose the engine's folder in the preferences.",
                folder=self.root,
            )
        if not disk.has_file(self.python):
            return tr("The engine is not installed: there is no Python at {file}.", file=self.python)
        return None

    def command(self) -> list[str]:
        """-s: packages of the user's own Python must not get in between."""
        if self.remote:
            return _words(self.remote)
        return [str(self.python), "-s", "-m", "engine", "serve"]

    def _remote_problem(self) -> str | None:
        try:
            words = _words(self.remote)
        except ValueError as error:
            return tr("The command for the remote engine cannot be read: {reason}.", reason=error)
        if not words or shutil.which(words[0]) is None:
            return tr(
                "The command for the remote engine begins with {program!r}, which is not here.",
                program=(words or [""])[0],
            )
        return None


class Process:
    """A running engine: its pipes, its log, its end.

    Raises:
        OSError: it could not be started.
    """

    def __init__(self, launch: Startable) -> None:
        self.log = _new_log(launch.logs, launch.log_name)
        with self.log.open("ab") as stderr:
            self._popen = subprocess.Popen(  # its handles live as long as the process
                launch.command(),
                cwd=launch.root,
                env={**_environment(), **launch.variables},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                bufsize=0,
                # Ctrl-C in Blender's terminal is for Blender; the engine sees its stdin close.
                start_new_session=True,  # ignored on Windows
                creationflags=CREATION_FLAGS,
            )
        self._tie: object = tie(self._popen)
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        self.inlet, self.outlet = Inlet(self._popen.stdout.fileno()), Outlet(self._popen.stdin.fileno())

    @property
    def pid(self) -> int:
        """The number the system gave it."""
        return self._popen.pid

    def exit_code(self) -> int | None:
        """None while it runs; negative for the number of the signal that ended it. Collects the zombie."""
        return self._popen.poll()

    def close_stdin(self) -> None:
        """Tell the engine that no one needs it: it ends by itself."""
        with contextlib.suppress(OSError):
            if self._popen.stdin is not None:
                self._popen.stdin.close()

    def terminate(self) -> None:
        """Ask the system to end it."""
        self._signal(getattr(signal, "SIGTERM", None))

    def kill(self) -> None:
        """End it without asking."""
        self._signal(getattr(signal, "SIGKILL", None))

    def end(self, patience_s: float = 0.5) -> None:
        """Wait a little for it to follow what it was told, or kill it: over when this returns."""
        end = time.monotonic() + patience_s
        while self.exit_code() is None and time.monotonic() < end:
            time.sleep(0.01)
        self.kill()
        self._popen.wait()
        self.release()

    def release(self) -> None:
        """Close our ends of the pipes of a process that is over."""
        self.close_stdin()
        if self._popen.stdout is not None:
            self._popen.stdout.close()
        self._tie = None

    def log_tail(self, lines: int) -> list[str]:
        """The last lines of its log."""
        return tail(self.log, lines)

    def _signal(self, number: int | None) -> None:
        if self.exit_code() is not None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32" or number is None:
                self._popen.kill()
            else:
                os.killpg(self._popen.pid, number)  # it leads its own group: children go with it


def tail(log: Path, lines: int) -> list[str]:
    """The last lines of a file, without reading more of it than they can fill."""
    try:
        with log.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line.rstrip() for line in text.splitlines() if line.strip()][-lines:]


def _environment() -> dict[str, str]:
    """Ours without PYTHON* (Blender's Python and the user's settings for it are not the engine's)."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def _words(command: str) -> list[str]:
    """As a shell splits it; on Windows without taking backslashes for escapes."""
    words = shlex.split(command, posix=os.name == "posix")
    return words if os.name == "posix" else [word.strip('"') for word in words]


def _new_log(folder: Path, name: str) -> Path:
    """A file of its own for each start, as several Blenders may run; the oldest make room."""
    folder.mkdir(parents=True, exist_ok=True)
    old = sorted(folder.glob(f"{name}-*.log"), key=lambda path: path.name)
    for path in old[: max(0, len(old) - KEPT_LOGS + 1)]:
        with contextlib.suppress(OSError):  # another Blender may hold it open on Windows
            path.unlink()
    stamp = time.strftime("%Y%m%d-%H%M%S")
    number = 0
    while True:
        path = folder / f"{name}-{stamp}-{os.getpid()}-{number}.log"
        if not path.exists():
            return path
        number += 1
