"""One case, measured: how long its steps take, what memory they need, what the judge thinks of it when."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from statistics import fmean, median

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from engine.bench.cases import LR, Case
from engine.bench.contenders import Course, courses, precision
from engine.compute import Compute
from engine.meter import Meter
from engine.models import packs
from engine.models.packs import Pack
from engine.synthesis.guidance import SHOWN
from engine.synthesis.rank import score
from engine.synthesis.seeds import streams

VIEWS = 32
"""By which the judge looks at a picture: always the same ones, none across a border."""


class Figures(BaseModel):
    """What was measured.

    Attributes:
        case: of it.
        device: what did the work, and in which precision.
        uses: the rest of what it ran with, for people.
        steps_per_s: steps of one picture a second: eight guided at once count eight.
        memory_bytes: at the peak, beyond networks and libraries; None where it cannot be told.
        core_share: processor time by wall time of the guided steps; on a CPU below 1, something else had it.
        curve: (seconds of guiding all pictures so far, mean judge score), where the case is watched.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: Case
    device: str
    uses: str
    steps_per_s: float
    memory_bytes: int | None
    core_share: float
    curve: list[tuple[float, float]]


def measure(case: Case, load: Callable[[str, Compute], Pack] = packs.load) -> Figures:
    """Runs a case on this process. What it says of memory is true of a fresh one only.

    Raises:
        UnknownPack, BadWeights: see `packs.load`.
        DeviceUnavailable: see `compute.choose`.
    """
    if case.threads is not None:
        torch.set_num_threads(case.threads)
    compute = precision(case.loop, case.device)
    pack = load(case.pack, compute)
    watch = Watch(case, pack)
    for course in courses(case, pack, steps=1):  # the first steps of a process pay for what later ones find
        next(course)
        break
    # Without a judge, a longer run is cut short before it would show anything.
    steps = case.steps if case.watched else SHOWN * (case.steps + 1)
    for course in courses(case, pack, steps):
        watch.follow(course)
    watch.meter.pause()
    return Figures(
        case=case,
        device=f"{compute.describe()}, CPU threads: {torch.get_num_threads()}",
        uses=uses(case),
        steps_per_s=watch.steps_per_s(),
        memory_bytes=watch.meter.bytes(),
        core_share=watch.core_share(),
        curve=watch.curve(),
    )


def uses(case: Case) -> str:
    """In words, what a loop runs with beside what both are given."""
    s = case.settings()
    said = {
        "textbook": f"one picture at a time, pooled views, kornia one by one, one-hot codes, Adam {LR}",
        "ours": f"all at once on the torus, warped views, Adam {s.lr} with one drop, average {s.ema}, "
        f"coherence {s.coherence:g}",
    }
    return said[case.loop]


class Watch:
    """Clock and judge. The clock stands, and no memory counts, while the judge looks."""

    def __init__(self, case: Case, pack: Pack) -> None:
        self._case, self._pack = case, pack
        self._text = pack.judge.encode_templates(case.prompt, case.settings().templates)
        self._steps: list[tuple[float, bool]] = []  # seconds of each, and whether it showed something
        self._processor_s = 0.0
        self._looks: list[list[tuple[float, float]]] = []  # (seconds, score) of each course
        self.meter = Meter(pack.compute.device)

    def follow(self, course: Course) -> None:
        """Takes the time of every step of a course."""
        seconds, looks = 0.0, []
        steps = itertools.islice(course, self._case.steps)
        while True:
            start, spent = time.perf_counter(), time.process_time()
            try:
                pictures = next(steps)
            except StopIteration:
                break
            self._wait()
            took = time.perf_counter() - start
            seconds += took
            self._processor_s += time.process_time() - spent
            self._steps.append((took, pictures is not None))
            if pictures is not None and self._case.watched:
                self.meter.pause()
                looks.append((seconds, self._judge(pictures)))
                self.meter.resume()
        self._looks.append(looks)

    def steps_per_s(self) -> float:
        """Steps of a picture a second, by the median of the steps that show nothing, if there are any."""
        at_once = self._case.variations if self._case.loop == "ours" else 1
        plain = [took for took, showed in self._steps if not showed]
        return at_once / median(plain or [took for took, _ in self._steps])

    def core_share(self) -> float:
        """Processor time by wall time."""
        return self._processor_s / sum(took for took, _ in self._steps)

    def curve(self) -> list[tuple[float, float]]:
        """Seconds and mean scores: of pictures one after another, as if they had taken turns."""
        together = zip(*self._looks, strict=True)
        return [(sum(t for t, _ in look), fmean(score for _, score in look)) for look in together]

    def _judge(self, pictures: Tensor) -> float:
        views = streams([0] * len(pictures), "bench")
        scores = score(pictures, self._text, self._pack.judge, views, views=VIEWS, tile=(False, False))
        return float(scores.mean())

    def _wait(self) -> None:
        if self._pack.compute.device.type == "cuda":
            torch.cuda.synchronize()
        elif self._pack.compute.device.type == "mps":
            torch.mps.synchronize()
