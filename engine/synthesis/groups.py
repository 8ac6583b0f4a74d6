"""A request in groups of variations, as many at once as memory holds: the same pictures in the end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from dataclasses import replace
from itertools import chain

import torch
from torch import Tensor

from engine import wording
from engine.compute import is_out_of_memory, release
from engine.errors import OutOfMemory, Remedy
from engine.material.maps import DecodedMaps
from engine.models.packs import Pack
from engine.settings import MAX_SEED, RunSettings
from engine.synthesis.course import Course
from engine.synthesis.edits import NO_EDITS, Edits
from engine.synthesis.halving import guided
from engine.synthesis.inputs import NOTHING, Inputs
from engine.synthesis.memory import at_once, cost_of, fits
from engine.synthesis.phase import Phase
from engine.synthesis.run import Synthesis, ranked, synthesize

log = logging.getLogger(__name__)

SMALLEST_PX = 128

Synthesize = Callable[..., Generator[Phase, None, Synthesis]]


def synthesize_in_groups(
    s: RunSettings,
    pack: Pack,
    inputs: Inputs = NOTHING,
    *,
    edits: Edits = NO_EDITS,
    budget: int | None = None,
    course: Course | None = None,
    synthesize: Synthesize = synthesize,
) -> Generator[Phase, None, Synthesis]:
    """As `run.synthesize`, with no more variations at once than fit into `budget` bytes (None: all).

    A variation does not depend on its neighbours, so grouping changes nothing but time. Where memory runs
    out all the same, the group is made again in halves, and the result says so. One variation that does not
    fit is made with less memory and in more time, and where even that takes more than `budget`, the result
    says so. What it reports as estimated is for the way that was taken. Where `course` stops it, variations
    that were not begun are not in the result.

    Raises:
        OutOfMemory: one variation alone is too much.
    """
    size = s.variations if budget is None else at_once(s, cost_of(pack), budget)
    lean = budget is not None and not fits(s, cost_of(pack), budget)
    if size < s.variations:
        log.info("%d variations, %d at once", s.variations, size)
    parts: list[Synthesis] = []
    estimates: list[int] = []
    done, warned, halved = 0, [], []
    if budget is not None and not fits(s, cost_of(pack), budget, lean=True):
        warned = [_short(cost_of(pack).of_variation(s, lean=True), budget)]
        log.warning(warned[0])
    course = course or Course()
    while done < s.variations and not (done and course.stop()):
        size = min(course.size(done) or size, s.variations - done)
        part = s.model_copy(
            update={
                "seed": (s.seed + done) % (MAX_SEED + 1),
                "variations": size,
                "shares": s.shares[done : done + size],
            }
        )
        phases = synthesize(part, pack, inputs, edits=edits, leg=course.leg(done, size))
        phases = _saving(pack, phases, lean=lean)
        try:
            parts.append((yield from _placed(phases, done, size, s.variations)))
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if size == 1 and lean:
                raise _too_large(s, pack, error) from error
            lean, size = size == 1, max(1, size // 2)
            halved = [f"Memory was short, so that {size} of the variations were made at once."]
            log.warning("out of memory; now %d at once: %s", size, error)
        else:
            if budget is not None:
                estimates.append(size * cost_of(pack).of_variation(s, lean=lean))
            done += size
            continue
        release(pack.compute.device)  # here, as the error would have kept what its frames held
    return replace(_joined(s, parts, warned + halved), estimated=max(estimates, default=None))


def _saving(
    pack: Pack, phases: Generator[Phase, None, Synthesis], *, lean: bool
) -> Generator[Phase, None, Synthesis]:
    """Phases in which the generator saves memory rather than time, or not: the pictures are the same."""
    pack.generator.lean = lean
    try:
        return (yield from phases)
    finally:
        pack.generator.lean = False


def _placed(
    phases: Generator[Phase, None, Synthesis], done: int, size: int, of: int
) -> Generator[Phase, None, Synthesis]:
    """A group's phases as parts of the whole: steps count on, pictures know whose they are."""
    if size == of:
        return (yield from phases)
    while True:
        try:
            phase = next(phases)
        except StopIteration as end:
            result: Synthesis = end.value
            return result
        step = phase.total * done + phase.step * size  # each step counts for every variation
        work = None if phase.work is None else (done + size * phase.work) / of
        yield replace(phase, step=step, total=phase.total * of, first=done, work=work)


def _joined(s: RunSettings, parts: list[Synthesis], warnings: list[str]) -> Synthesis:
    """Groups side by side, ranked together."""
    maps = {name: torch.cat([vars(p.maps)[name] for p in parts]) for name in vars(parts[0].maps)}
    joined = DecodedMaps(**maps)
    judge, looks = torch.cat([p.judge_scores for p in parts]), torch.cat([p.looks for p in parts])
    alphas = [p.alpha for p in parts if p.alpha is not None]
    return Synthesis(
        maps=joined,
        seeds=[seed for p in parts for seed in p.seeds],
        origins=[origin for p in parts for origin in p.origins],
        guide_scores=torch.cat([p.guide_scores for p in parts]),
        judge_scores=judge,
        looks=looks,
        ranking=parts[0].ranking if len(parts) == 1 else ranked(s, judge, looks, joined),
        warnings=list(dict.fromkeys(chain(*(p.warnings for p in parts), warnings))),
        alpha=_all(alphas),
        stopped_at=[step for p in parts for step in p.stopped_at],
    )


def _all(rows: list[Tensor]) -> Tensor | None:
    return torch.cat(rows) if rows else None


def _short(wanted: int, budget: int) -> str:
    """What to say where a run begins that is not known to fit."""
    return (
        "Memory is short: even with memory before time, one variation takes about "
        f"{wording.size(wanted)}, and {wording.size(budget)} may be used. If it fails, make it smaller, "
        "or close other programs."
    )


def _too_large(s: RunSettings, pack: Pack, error: Exception) -> OutOfMemory:
    if guided(s.candidates) > 1:
        return OutOfMemory(
            f"{s.candidates} candidates of {s.width} x {s.height} pixels do not fit into memory. Try fewer.",
            field="candidates",
            remedy=Remedy("candidates", s.candidates // 2),
            details=str(error),
        )
    name = "width" if s.width >= s.height else "height"
    half = getattr(s, name) // 2
    smaller = max(SMALLEST_PX, half - half % pack.step_px)
    return OutOfMemory(
        f"One variation of {s.width} x {s.height} pixels does not fit into memory. Make it smaller, or "
        "close other programs.",
        field=name,
        remedy=Remedy(name, smaller),
        details=str(error),
    )
