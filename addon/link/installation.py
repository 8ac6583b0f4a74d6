"""The installer as Blender sees it: a child process, polled by the timer; nothing here waits.

`Installation` holds the state of the engine's folder between Blender's restarts only through the record in
that folder; what goes on now is in `progress`, `text` and `failure`.
"""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from __future__ import annotations

import enum
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..words import tr
from . import framing
from .errors import EngineError
from .installer import record
from .process import Process, tail

HERE = Path(__file__).resolve().parent
# Appended, not put first: in a package of this name the installer finds itself, and nothing of ours can
# stand in the way of the standard library.
BOOT = (
    "import sys; sys.path.append(sys.argv.pop(1)); "
    "from installer.main import main; sys.exit(main(sys.argv[1:]))"
)
PHASES = {  # name → its share of the bar
    "check": (0.00, 0.01),
    "program": (0.01, 0.03),
    "tools": (0.03, 0.06),
    "python": (0.06, 0.08),
    "packages": (0.08, 0.92),
    "verify": (0.92, 1.00),
    "remove": (0.00, 1.00),
}


class Setup(enum.Enum):
    """How the engine's folder is."""

    MISSING = "missing"
    INCOMPLETE = "incomplete"
    READY = "ready"


@dataclass(frozen=True)
class Task:
    """What the installer is to do. The names are those of `installer.main.Request`.

    Attributes:
        python: runs the installer itself.
        logs: the folder for what it says when it cannot speak.
    """

    task: str
    folder: Path
    python: Path
    logs: Path
    source: Path | None = None
    sha256: str = ""
    backend: str = "auto"
    wheels: Path | None = None
    pythons: Sequence[str] = ()

    @property
    def root(self) -> Path:
        """Where the process starts: the engine's own folder need not exist, and may have to go."""
        return self.logs

    @property
    def variables(self) -> dict[str, str]:
        """None of its own."""
        return {}

    @property
    def log_name(self) -> str:
        """What its stderr's log is called."""
        return "installer"

    def command(self) -> list[str]:
        """-I: packages and settings of the user's own Python must not get in between."""
        request = {
            "task": self.task,
            "folder": str(self.folder),
            "source": str(self.source or ""),
            "sha256": self.sha256,
            "backend": self.backend,
            "wheels": str(self.wheels or ""),
            "pythons": [*self.pythons],
        }
        return [str(self.python), "-I", "-c", BOOT, str(HERE), json.dumps(request)]


class Installation:
    """At most one installer, and what it said."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._framer = framing.Framer()
        self._task: Task | None = None
        self._cancelling = False
        self._answered = False
        self.progress, self.text = 0.0, ""
        self.failure: EngineError | None = None
        self.result: dict[str, Any] = {}

    @property
    def running(self) -> bool:
        """Whether an installer is at work."""
        return self._process is not None

    @property
    def cancelling(self) -> bool:
        """Whether it was told to stop and has not yet."""
        return self._cancelling

    @property
    def task(self) -> str:
        """What it does or did last: "install", "verify", "repair", "remove"; "" before the first."""
        return self._task.task if self._task else ""

    def start(self, task: Task) -> None:
        """Begin.

        Raises:
            EngineError: one is at work already, or it cannot be started; `failure` keeps the latter.
        """
        if self._process is not None:
            raise EngineError("The installer is at work already.", kind="busy")
        self._task, self._framer = task, framing.Framer()
        self._cancelling, self._answered = False, False
        self.progress, self.text, self.failure, self.result = 0.0, "Starting", None, {}
        try:
            self._process = Process(task)
        except OSError as error:
            self.failure = EngineError("The installer cannot be started.", kind="start", details=str(error))
            raise self.failure from error

    def cancel(self) -> None:
        """Ask it to stop. What it has made stays for the next time."""
        if self._process is not None:
            self._cancelling = True
            self.text = "Stopping"
            self._process.close_stdin()

    def poll(self) -> bool:
        """Take in what has come. True if there is something new to draw."""
        process = self._process
        if process is None:
            return False
        code = process.exit_code()  # before reading: what it wrote before it ended is all there
        news = False
        for message in self._framer.feed(process.inlet.read()):
            if isinstance(message, dict):
                self._take(message)
                news = True
        if code is None:
            return news
        if not self._answered and not self._cancelling:
            said = "\n".join(process.log_tail(20))
            self.failure = EngineError(
                "The installer ended before it was done. Press the button again to go on.",
                kind="died",
                details=f"exit code {code}\n{said}",
            )
        self._process, self._cancelling, self.text = None, False, ""
        process.release()
        return True

    def close(self) -> None:
        """End it. Waits a moment: for Blender's exit."""
        if self._process is not None:
            self._process.close_stdin()
            self._process.terminate()
            self._process.end()
            self._process = None

    def log_lines(self, lines: int) -> list[str]:
        """The end of the installer's log."""
        return [] if self._task is None else tail(self._task.folder / record.LOG, lines)

    def _take(self, message: dict[str, Any]) -> None:
        event = message.get("event")
        if event == "progress":
            if not self._cancelling:
                self.progress, self.text = max(self.progress, fraction(message)), sentence(message)
        elif event == "failed":
            self._answered = True
            self.failure = EngineError(
                _said(message),
                kind=str(message.get("kind", "installer")),
                details=str(message.get("details", "")),
            )
        elif event in {"done", "cancelled"}:
            self._answered = True
            self.result = message if event == "done" else {}


def state_of(folder: Path) -> Setup:
    """How a folder is, by its record."""
    if record.is_ready(folder):
        return Setup.READY
    return Setup.MISSING if record.read(folder) is None else Setup.INCOMPLETE


def fraction(message: dict[str, Any]) -> float:
    """How much is done, 0..1, by what the phases commonly take; downloads by their bytes."""
    begin, end = PHASES.get(str(message.get("phase")), (0.0, 0.0))
    done, total = _number(message.get("bytes")), _number(message.get("total"))
    share = min(1.0, done / total) if message.get("phase") == "packages" and total > 0 else 0.0
    return begin + (end - begin) * share


def sentence(message: dict[str, Any]) -> str:
    """What the bar says, with megabytes and speed where something is being fetched."""
    words = tr(str(message.get("text", "")))
    done, total, speed = (_number(message.get(name)) for name in ("bytes", "total", "speed"))
    if message.get("phase") == "packages" and total > 0:
        words = tr(
            "{words}: {done:.0f} of about {total:.0f} MB", words=words, done=done / 1e6, total=total / 1e6
        )
        if speed > 0:
            words = tr("{words}, {speed:.1f} MB/s", words=words, speed=speed / 1e6)
    return words


def _said(message: dict[str, Any]) -> str:
    """A failure's sentence in the artist's language, and the step that it may name."""
    values = message.get("values")
    if not isinstance(values, dict) or not values:
        return str(message.get("message", ""))
    known = {str(name): tr(value) if isinstance(value, str) else value for name, value in values.items()}
    return tr(str(message.get("sentence", "")), **known)


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0
