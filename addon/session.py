"""What this Blender knows of its engine and its results. No bpy: it outlives every file that is loaded.

The window manager's properties are a copy of it for panels to draw; `pump` makes that copy.
"""

from __future__ import annotations

import json
import logging
import os
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .link import (
    Cancelled,
    Engine,
    EngineError,
    Event,
    Failed,
    Finished,
    Launch,
    Preview,
    Progress,
    State,
    disk,
)
from .link.fetch import CHECKPOINT, Fetcher, Places
from .link.sending import Sender
from .queue import Queue, Run, work_of
from .words import mark, tr

if TYPE_CHECKING:
    from .comparing import Marked

log = logging.getLogger(__name__)

PHASES = {  # name → its share of the bar and what it says
    "load": (0.00, 0.05, mark("Loading models")),
    "propose": (0.05, 0.15, mark("Proposing")),
    "guide": (0.15, 0.85, mark("Step")),
    "rank": (0.85, 0.92, mark("Ranking")),
    "maps": (0.92, 0.97, mark("Making maps")),
    "write": (0.97, 1.00, mark("Writing files")),
    "fetch": (1.00, 1.00, mark("Fetching file")),
}
FACETS = ("material", "colour", "condition", "pattern", "finish", "word")  # of tags, as people read them
MAPS = ("basecolor", "normal_gl", "roughness", "metallic", "height", "ao")
SOME_MAPS = ("emission", "alpha")  # in results that need them


@dataclass(frozen=True)
class Tag:
    """A word that the engine found for a result."""

    facet: str
    label: str


@dataclass(frozen=True)
class Result:
    """One variation of a finished run. Its files stay where they are."""

    prompt: str
    rank: int
    judge_score: float
    guide_score: float
    seam: float
    seed: int
    relief: float
    files: dict[str, Path]
    sidecar: Path | None = None
    preset: str = ""
    tags: tuple[Tag, ...] = ()  # as `FACETS` orders them, in each the surest first
    repeats: int | None = None  # the rank of a better one that it nearly is
    artefacts: tuple[str, ...] = ()  # see `verdict.FLAWS`
    diversity: float | None = None  # how many of the run's variations are effectively different, 1 or more

    @property
    def key(self) -> str:
        """Names it across restarts: no two variations have the same base colour file."""
        return str(self.files.get("basecolor", ""))


class Session:
    """One engine, one run at a time, those that wait, and the results of the last run.

    Args:
        launch: see `Engine`.
        places: see `Fetcher`.
    """

    def __init__(
        self, launch: Callable[[], Launch], places: Callable[[], Places | None] = lambda: None
    ) -> None:
        self.engine = Engine(launch)
        self._fetcher = Fetcher(self.engine.submit, places)
        self._sender = Sender(self.engine.submit, places, lambda: self.engine.pid)
        self._name = f"{time.strftime('%Y-%m-%d_%H%M%S')}_{os.getpid()}"
        self._runs, self._begun = 0, False
        self._run: int | None = None
        self._asked: dict[int, Callable[[Event], None]] = {}
        self.queue = Queue()
        self.seconds_left: float | None = None
        self.folder: Path | None = None
        self.unfinished = False
        self.progress, self.status = 0.0, ""
        self.error: EngineError | None = None
        self.previews: dict[int, Preview] = {}  # arrived and not yet shown
        self.live = 0
        self.results: list[Result] = []
        self.warnings: list[str] = []
        self.selected = 0
        self.marked: Marked | None = None  # to compare with
        self.finished = 0  # runs that have brought results

    @property
    def busy(self) -> bool:
        """Whether a run is under way, be it only waiting for the engine to start."""
        return self._run is not None

    @property
    def cancelling(self) -> bool:
        """Whether the run was told to stop and has not yet."""
        return self.engine.cancelling(self._run)

    @property
    def chosen(self) -> Result | None:
        """The variation that Apply takes."""
        return self.results[self.selected] if self.selected < len(self.results) else None

    def generate(
        self,
        settings: dict[str, Any],
        device: str,
        results: Path,
        preset: str = "",
        work: float | None = None,
    ) -> None:
        """Begin a run, or queue it, whose files go to a new folder under `results`.

        Args:
            settings, device, results, preset: see `Run`.
            work: see `work_of`; that of the settings where none is given.

        Raises:
            EngineError: the engine cannot take it; `error` keeps it.
        """
        much = work_of(settings) if work is None else work
        self.enqueue(Run("generate", settings, device, results, settings["prompt"], preset, much))

    def enqueue(self, run: Run) -> None:
        """Begin a run now or, where others are before it, after them.

        Raises:
            EngineError: the engine cannot take it, and it is not queued; `error` keeps it.
        """
        self.queue.held = False
        if not self.busy:
            self.error = None
        if self.busy or self.queue.waiting:
            self.queue.waiting.append(run)
            self.go_on()
        else:
            self._begin(run)

    def go_on(self) -> None:
        """Begin the next run that waits, if it can. One that the engine cannot take is kept as lost."""
        run = self.queue.next()
        if run is None or self.busy:
            return
        try:
            self._begin(run)
        except EngineError as error:
            self.queue.begin(run)
            self.queue.fail(error.message, hold=True)

    def retry(self, number: int) -> None:
        """Try a lost run again, before those that wait."""
        self.error = None
        self.queue.retry(number)
        self.go_on()

    def _begin(self, run: Run) -> None:
        folder = run.folder
        if folder is None:
            self._runs += 1
            folder = run.results / self._name / f"{self._runs:03}_{slug(run.title)}"
        self.previews, self.live = {}, 0
        self.progress, self._begun, self.seconds_left = 0.0, False, None
        where = {"folder": str(folder), "device": run.device, "history": str(run.results)}
        try:
            self._run = self.ask(run.method, {**run.params, **where}, self._take)
        except EngineError as error:
            self.error = error
            raise
        self.queue.begin(run)
        self.status = self._waiting_for()

    def inputs_folder(self, results: Path) -> Path:
        """Where pictures go that runs begin from: a folder of this Blender's under `results`."""
        return results / self._name / "inputs"

    def ask(self, method: str, params: dict[str, Any], take: Callable[[Event], None]) -> int:
        """Send the engine a request that takes a while. Returns the id of its job.

        Args:
            method, params: as the engine's protocol has them.
            take: gets every event of the job; the last is Finished, Failed or Cancelled.

        Raises:
            EngineError: the engine cannot be started.
        """
        job = self._sender.submit(method, params)
        self._asked[job] = take
        return job

    def show(self, results: list[Result], selected: int, folder: Path | None) -> None:
        """Take up other results than those of the last run."""
        self.results, self.selected, self.folder, self.warnings = results, selected, folder, []
        self.unfinished = folder is not None and disk.has_file(folder / CHECKPOINT)

    def cancel(self) -> None:
        """Stop the run; those that wait follow."""
        if self._run is not None:
            self.engine.cancel(self._run)
        self.status = "Cancelling"

    def restart(self) -> None:
        """Start the engine anew, whatever it does; what it had to do is over.

        Raises:
            EngineError: it cannot be started; `error` keeps it.
        """
        self._hand_over(Failed(None, EngineError("The engine was restarted.", kind="ended")))
        self.error = None
        try:
            self.engine.restart()
        except EngineError as error:
            self.error = error
            raise
        self.queue.held = False
        self.go_on()

    def poll(self) -> bool:
        """Take in what has happened. True if there is something new to draw."""
        before = self.engine.state, self.status
        events = list(self._fetcher.through(self._sender.through(self.engine.poll())))
        for event in events:
            self._hand_over(event)
        self.go_on()
        if self.busy and not self._begun and not self.cancelling:
            self.status = self._waiting_for()
        return bool(events) or (self.engine.state, self.status) != before

    def _waiting_for(self) -> str:
        """What goes on before the first progress: importing the networks' library takes its seconds."""
        if self.engine.state is State.BUSY:
            return mark("Beginning")
        return mark("Loading the engine") if self.engine.facts.version else mark("Starting the engine")

    def give_up(self, error: EngineError) -> None:
        """End the engine over an error of our own."""
        self.engine.stop()
        self._hand_over(Failed(None, error))
        self.error = error

    def _hand_over(self, event: Event) -> None:
        """Give an event to whoever asked for its job, and the end of the process to everybody."""
        if event.job is None:
            waiting, self._asked = list(self._asked.values()), {}
            self.error = event.error
        else:
            over = isinstance(event, Finished | Failed | Cancelled)
            take = self._asked.pop(event.job, None) if over else self._asked.get(event.job)
            waiting = [] if take is None else [take]
        for take in waiting:
            take(event)

    def _take(self, event: Event) -> None:
        if isinstance(event, Progress):
            self._begun = True
            self.queue.moved()
            if not self.cancelling:
                self.progress, self.status = max(self.progress, fraction(event)), sentence(event)
                self.seconds_left = event.seconds_left
        elif isinstance(event, Preview):
            self.previews[event.variation] = event
        else:
            self._run, self.status, self.seconds_left = None, "", None
        if isinstance(event, Finished):
            self.queue.finish()
            self._take_summary(event.result)
        elif isinstance(event, Failed):
            self.queue.fail(event.error.message, hold=event.job is None)
            self.error = event.error
        elif isinstance(event, Cancelled):
            self.queue.drop()
            if event.folder is not None:
                self._take_kept(Path(event.folder), event.stopped_at)

    def _take_kept(self, folder: Path, step: int | None) -> None:
        """The results of a run that was cancelled: what it had by then."""
        try:
            summary = json.loads((folder / "summary.json").read_text("utf-8"))
            total = int(summary["settings"]["steps"])
        except (OSError, KeyError, TypeError, ValueError):
            log.exception("what the cancelled run kept cannot be read")
            return
        self._take_summary({**summary, "folder": str(folder)})
        if step is not None:
            self.warnings.insert(
                0, tr("Stopped after step {step} of {total}: this is what there was.", step=step, total=total)
            )

    def _take_summary(self, summary: dict[str, Any]) -> None:
        try:
            folder = Path(summary["folder"])
            results = [result_of(summary, variation, folder) for variation in summary["variations"]]
            warnings = [str(warning) for warning in summary.get("warnings", [])]
        except (KeyError, TypeError, ValueError) as error:
            self.error = EngineError(
                "The engine's answer lacks something.", kind="protocol", details=repr(error)
            )
            return
        self.show(results, 0, folder)
        self.warnings = warnings
        self.finished += 1
        self.progress, self.status = 1.0, ""


def result_of(summary: Mapping[str, Any], variation: Mapping[str, Any], folder: Path) -> Result:
    """One variation of a summary, or a sidecar's content with the prompt of its settings.

    Raises:
        KeyError, TypeError, ValueError: something is missing or is not what it should be.
    """
    names = [*MAPS, *(name for name in SOME_MAPS if name in variation["files"])]
    sidecar = variation.get("sidecar")
    repeats = variation.get("repeats")
    diversity = variation.get("diversity", summary.get("diversity"))
    return Result(
        prompt=str(summary["prompt"]),
        rank=int(variation["rank"]),
        judge_score=float(variation["judge_score"]),
        guide_score=float(variation["guide_score"]),
        seam=float(variation["seam"]),
        seed=int(variation["seed"]),
        relief=float(variation["relief"]),
        files={name: folder / variation["files"][name] for name in names},
        sidecar=folder / sidecar if sidecar else None,
        preset=str(summary.get("preset", "")),
        tags=tuple(
            Tag(str(entry["facet"]), str(entry["label"])) for entry in by_facet(variation.get("tags") or ())
        ),
        repeats=None if repeats is None else int(repeats),
        artefacts=tuple(str(flag) for flag in variation.get("artefacts") or ()),
        diversity=None if diversity is None else float(diversity),
    )


def by_facet(entries: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The engine's tags as `FACETS` orders them, in each the surest first.

    Raises:
        KeyError, TypeError, ValueError: one of them lacks something.
    """

    def order(entry: Mapping[str, Any]) -> tuple[int, float]:
        facet = str(entry["facet"])
        place = FACETS.index(facet) if facet in FACETS else len(FACETS)
        return place, -float(entry["confidence"])

    return sorted(entries, key=order)


def fraction(progress: Progress) -> float:
    """How much of the whole run is done, 0..1, by what the phases commonly take."""
    begin, end, _ = PHASES.get(progress.phase, (0.0, 0.0, ""))
    share = progress.step / progress.total if progress.total > 0 else 0.0
    return begin + (end - begin) * min(max(share, 0.0), 1.0)


def sentence(progress: Progress) -> str:
    """What the bar says."""
    words = tr(PHASES.get(progress.phase, (0, 0, progress.phase.capitalize()))[2])
    if progress.total > 1:
        words = tr("{phase} {step} of {total}", phase=words, step=progress.step, total=progress.total)
    return words if progress.seconds_left is None else f"{words}, {time_left(progress.seconds_left)}"


def time_left(seconds: float) -> str:
    """For people: by seconds below a minute and a half, by minutes above."""
    if seconds < 90:
        return tr("{seconds} s left", seconds=max(1, round(seconds)))
    return tr("{minutes} min left", minutes=round(seconds / 60))


def slug(prompt: str) -> str:
    """A folder name that still says what was asked for."""
    return "_".join(re.findall(r"[a-z0-9]+", prompt.lower()))[:48].strip("_") or "material"
