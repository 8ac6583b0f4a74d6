"""Doing things that take long: a command with its log, how much has come, and the wish to stop."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from .failure import Failure, Stopped, explain

POLL_S = 0.2
MEASURE_S = 2.0  # walking an environment of thirty thousand files takes a good part of a second
SPEED_WINDOW_S = 12.0
END_S = 4.0  # between asking a tool to end and ending it
ASTRAY = ("VIRTUAL_ENV", "CONDA_PREFIX", "PIP_TARGET", "PIP_USER", "PIP_REQUIRE_VIRTUALENV")

Tell = Callable[..., None]


def say(event: str, **facts: object) -> None:
    """One message to whoever started this."""
    sys.stdout.write(json.dumps({"event": event, **facts}) + "\n")
    sys.stdout.flush()


def listen() -> threading.Event:
    """Set when stdin closes. By a thread, as Windows cannot wait for a pipe; this is not Blender."""
    stop = threading.Event()

    def wait() -> None:
        while sys.stdin.buffer.read(1):
            pass
        stop.set()

    threading.Thread(target=wait, daemon=True).start()
    return stop


class Work:
    """One run of the installer in a folder.

    Args:
        folder: the engine's folder; it exists.
        log: everything that tools print goes there, too.
        total: about how many bytes there will be in the folder when all is done.
    """

    def __init__(self, folder: Path, log: Path, total: int, stop: threading.Event, tell: Tell = say) -> None:
        self.folder, self.log, self.total = folder, log, total
        self._stop, self._tell = stop, tell
        self._phase, self._text = "check", ""
        self._measured_at, self._bytes = -MEASURE_S, 0
        self._seen: deque[tuple[float, int]] = deque()

    def phase(self, name: str, text: str) -> None:
        """Begin another part of the work."""
        self._phase, self._text = name, text
        self.note(text)
        self.check()
        self._report()

    def note(self, line: str) -> None:
        """Put a line into the log."""
        with self.log.open("a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%H:%M:%S')} {line}\n")

    def check(self) -> None:
        """Raises Stopped when somebody wants it to end."""
        if self._stop.is_set():
            raise Stopped

    def run(self, title: str, command: Sequence[str | Path], **variables: str) -> str:
        """Run a tool to its end and return what it printed.

        Raises:
            Stopped: see `check`.
            Failure: it failed; the sentence is about the cause where that is known.
        """
        self.note("$ " + " ".join(map(str, command)))
        begin = self.log.stat().st_size
        with self.log.open("ab") as file:
            try:
                child = subprocess.Popen(
                    [*map(str, command)],
                    cwd=self.folder,
                    env=environment(**variables),
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=subprocess.STDOUT,
                    creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                )
            except OSError as error:
                raise Failure(
                    "{step}: {program} cannot be started.",
                    kind="start",
                    details=str(error),
                    step=title,
                    program=Path(command[0]).name,
                ) from error
        try:
            while child.poll() is None:
                self.check()
                self._follow(begin)
                time.sleep(POLL_S)
        finally:
            _end(child)
        output = self._output(begin)
        if child.returncode:
            raise explain(title, output)
        return output

    def _output(self, begin: int) -> str:
        with self.log.open("rb") as file:
            file.seek(begin)
            return file.read().decode("utf-8", "replace")

    def _follow(self, begin: int) -> None:
        now = time.monotonic()
        if now - self._measured_at < MEASURE_S:
            return
        self._bytes, self._measured_at = size_of(self.folder), time.monotonic()
        self._seen.append((self._measured_at, self._bytes))
        while self._seen and self._measured_at - self._seen[0][0] > SPEED_WINDOW_S:
            self._seen.popleft()
        self._text = downloads(self._output(begin)) or self._text
        self._report()

    def _report(self) -> None:
        first = self._seen[0] if self._seen else (0.0, 0)
        seconds = self._seen[-1][0] - first[0] if self._seen else 0.0
        speed = max(0.0, (self._seen[-1][1] - first[1]) / seconds) if seconds > 0 else None
        self._tell(
            "progress",
            phase=self._phase,
            text=self._text,
            bytes=self._bytes,
            total=self.total,
            speed=speed,
        )


def downloads(output: str) -> str:
    """What uv is fetching now, from what it has printed: large packages only are told one by one."""
    begun = re.findall(r"^ *Downloading (\S+) \(([\d.]+ ?\w+)\)", output, re.MULTILINE)
    over = set(re.findall(r"^ *Downloaded (\S+)", output, re.MULTILINE))
    under_way = [f"{name} ({size})" for name, size in begun if name not in over]
    if under_way:
        more = f" and {len(under_way) - 1} more" if len(under_way) > 1 else ""
        return f"Downloading {under_way[0]}{more}"
    return "Unpacking packages" if begun else ""


def environment(**extra: str) -> dict[str, str]:
    """Our variables, less those that lead another Python astray."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PYTHON") and name not in ASTRAY
    }
    return kept | extra


def size_of(folder: Path) -> int:
    """Bytes below a folder; a file with several names counts once, as uv links what it has unpacked."""
    total, linked, waiting = 0, set(), [str(folder)]
    while waiting:
        try:
            entries = [*os.scandir(waiting.pop())]
        except OSError:
            continue  # gone again: a tool is at work in here
        for entry in entries:
            try:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                    continue
                facts = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if facts.st_nlink > 1:
                if (facts.st_dev, facts.st_ino) in linked:
                    continue
                linked.add((facts.st_dev, facts.st_ino))
            total += facts.st_size
    return total


def delete(path: Path) -> None:
    """A file or a folder with all that is in it, if it is there.

    Raises:
        Failure: something in it is in use.
    """
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise Failure(
            "{path} cannot be deleted. Close what uses it, then try again.",
            kind="permission",
            path=str(path),
            details=str(error),
        ) from error


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(END_S)
        except subprocess.TimeoutExpired:
            child.kill()
    child.wait()
