"""Saving results to an asset library, by a Blender in the background that the timer watches."""

import contextlib
import dataclasses
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import bpy

from . import asset_library, compat, preferences, pump
from .assets import Credits
from .link.process import tail
from .materials import Options
from .session import Result
from .words import tr

SCRIPT = Path(__file__).parent / "scripts" / "save_assets.py"
LOG_LINES = 5

current: "Saving | None" = None


class Saving:
    """One order, and what is known of it.

    Attributes:
        done, total: results.
        failures: sentences.
        over: whether the process has ended.

    Raises:
        OSError: the process cannot be started.
    """

    def __init__(
        self, results: list[Result], folder: Path, options: Options, credit: Credits, thumbnail: str
    ) -> None:
        self.done, self.total, self.failures, self.over = 0, len(results), [], False
        self.folder = folder
        self._place = tempfile.TemporaryDirectory(prefix="patina-saving-")
        place = Path(self._place.name)
        self._news, self._seen = place / "news.jsonl", 0
        order = {
            "addon": str(Path(__file__).parent),
            "library": str(folder),
            "news": str(self._news),
            "options": dataclasses.asdict(options),
            "credits": dataclasses.asdict(credit),
            "thumbnail": thumbnail,
            "results": [asset_library.describe(result) for result in results],
        }
        (place / "order.json").write_text(json.dumps(order), encoding="utf-8")
        self.log = preferences.log_folder() / "saving.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                compat.background_command(SCRIPT, str(place / "order.json")),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def poll(self) -> bool:
        """Take in the news. True as long as there is more to come."""
        if self.over:
            return False
        ended = self._process.poll() is not None  # before the last look at the news
        for entry in self._read():
            self.done = entry["done"]
            if "error" in entry:
                self.failures.append(entry["error"])
        if ended:
            self.over = True
            if self.done < self.total and not self.failures:
                self.failures.append(self._why())
            self._place.cleanup()
        return not ended

    def stop(self) -> None:
        """End it. What it has saved stays."""
        if not self.over:
            self.failures.append("Stopped")
            self._process.kill()
            self._process.wait()
            self.poll()

    def sentence(self) -> str:
        """How it stands, for the panel."""
        if not self.over:
            return tr("Saving {step} of {total}", step=min(self.done + 1, self.total), total=self.total)
        saved = self.done - sum(1 for failure in self.failures if failure != "Stopped")
        if self.failures:
            return tr(
                "{count} of {total} saved. {reason}",
                count=max(0, saved),
                total=self.total,
                reason=tr(self.failures[0]),
            )
        return tr(
            "1 saved. Refresh the asset browser to see it"
            if saved == 1
            else "{count} saved. Refresh the asset browser to see them",
            count=saved,
        )

    def _read(self) -> list[dict[str, Any]]:
        """Whole lines that are new."""
        try:
            with self._news.open("rb") as file:
                file.seek(self._seen)
                content = file.read()
        except FileNotFoundError:
            return []
        whole = content[: content.rfind(b"\n") + 1]
        self._seen += len(whole)
        return [json.loads(line) for line in whole.splitlines()]

    def _why(self) -> str:
        last = " ".join(tail(self.log, LOG_LINES)[-1:])
        return tr("Blender in the background ended early: {reason}", reason=last or self._process.returncode)


def begin(results: list[Result], folder: Path, options: Options, credit: Credits, thumbnail: str) -> None:
    """Start saving, watched by the timer.

    Args:
        thumbnail: "RENDER", or "PICTURE", as `assets.mark` takes it.

    Raises:
        OSError: it cannot be started.
    """
    global current
    current = Saving(results, folder, options, credit, thumbnail)
    _mirror()
    pump.watch(_watch)


def stop() -> None:
    """End what is under way."""
    if current is not None:
        current.stop()
        _mirror()


def dismiss() -> None:
    """Forget what is over."""
    global current
    if current is not None and current.over:
        current = None
        _mirror()


def _watch() -> bool:
    if current is None:
        return False
    more = current.poll()
    _mirror()
    return more


def _mirror() -> None:
    state = bpy.context.window_manager.patina_saving
    state.busy = current is not None and not current.over
    state.failed = current is not None and bool(current.failures)
    state.status = current.sentence() if current is not None else ""
    state.progress = current.done / current.total if current is not None else 0.0


def register() -> None:
    """Nothing to do: it begins when the artist says so."""


def unregister() -> None:
    global current
    with contextlib.suppress(OSError):
        if current is not None:
            current.stop()
    current = None
