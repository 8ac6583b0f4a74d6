"""A `generate` job from settings to files. Here clocks, folders and devices meet the numbers below."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from engine import checkpoint, compute, interpolate, pictures, quality, results, sources
from engine.errors import Cancelled, Kept
from engine.host import Host
from engine.material import files
from engine.meter import Meter
from engine.models import extra, packs
from engine.models.guide import Clip
from engine.models.packs import Pack
from engine.params import Delivery
from engine.previews import Previews
from engine.progress import Stopwatch
from engine.results import Look
from engine.settings import RunSettings
from engine.synthesis.course import Course, Saved
from engine.synthesis.groups import synthesize_in_groups
from engine.synthesis.inputs import Inputs
from engine.synthesis.phase import Phase
from engine.synthesis.run import Synthesis

BACKWARD_COST = 2.0  # of a view's forward pass
FILES_S_PER_MEGAPIXEL = 2.0  # maps and PNGs of one variation, on a slow core

Synthesize = Callable[..., Generator[Phase, None, Synthesis]]
Tell = Callable[..., None]
"""Phase, step, total, loss and share of guidance done, as `Stopwatch.tick` has it: a unit of work is done."""


class Models:
    """The networks in memory: those of the pack that was used last. Others make room first."""

    def __init__(self) -> None:
        self._pack: Pack | None = None
        self._guide: tuple[str, Clip] | None = None

    def guide(self, pack_id: str, device: str) -> Clip:
        """Its guide: that of the pack in memory, else one of its own. For another thread than `load`'s.

        Raises:
            UnknownPack, BadWeights: see `packs.load_guide`.
            DeviceUnavailable: see `compute.choose`.
        """
        chosen, pack = compute.choose(device), self._pack
        if pack is not None and (pack.id, pack.compute) == (pack_id, chosen):
            return pack.guide
        if self._guide is None or (self._guide[0], self._guide[1].compute) != (pack_id, chosen):
            self._guide = pack_id, packs.load_guide(pack_id, chosen)
        return self._guide[1]

    def load(self, pack_id: str, device: str) -> Pack:
        """The pack on the device, loaded only if it is not there yet.

        Raises:
            UnknownPack, BadWeights: see `packs.load`.
            DeviceUnavailable: see `compute.choose`.
        """
        chosen = compute.choose(device)
        if self._pack is None or (self._pack.id, self._pack.compute) != (pack_id, chosen):
            self._pack = None
            self._pack = packs.load(pack_id, chosen)
        return self._pack

    def unload(self, pack_id: str | None = None) -> int:
        """Let go of the networks: of all, or of that pack's only. Returns the bytes that a GPU got back.

        What a CPU's memory got back nobody counts.
        """
        if self._pack is None or pack_id not in {None, self._pack.id}:
            return 0
        device, self._pack = self._pack.compute.device, None
        return compute.release(device)


def describe_machine() -> dict[str, Any]:
    """What `ready` says: devices, the one that "auto" means, and the version of torch."""
    return {
        "devices": compute.devices(),
        "device": compute.choose("auto").device.type,
        "torch": str(torch.__version__),
    }


def run_generate(
    settings: RunSettings,
    delivery: Delivery,
    host: Host,
    *,
    synthesize: Synthesize = synthesize_in_groups,
    look: Look = results.observer.look,
) -> dict[str, Any]:
    """Make what `settings` ask for and write it into a folder: maps and a sidecar a variation, and a summary.

    Args:
        settings: complete, from `params.resolve`.
        delivery: where, on what, and what becomes of it when it is stopped.
        host: for whom.
        synthesize: what makes the maps; see `engine.synthesis.groups`.
        look: guide and maps of one material → its tags and badges.

    Returns:
        The summary, as in summary.json: variations in rank order, paths relative to the folder; where they
        lie on the way from one result to another, also `strip`, the picture that shows them side by side.

    Raises:
        Cancelled: `host.should_stop` said so; `kept` says where results are all the same.
        CannotWrite: the folder does not take files.
        InvalidRequest: see `pictures.pinned`, `sources.read`, `quality.check_sides`, `checkpoint.read` and
            `checkpoint.check`.
        PatinaError: what `host.load` and `synthesize` raise.
    """
    folder, watch = Path(delivery.folder), _stopwatch(settings)
    tell = _teller(watch, delivery, host)
    files.check_folder(folder)
    if settings.towards:
        interpolate.remove_strip(folder)
    settings = pictures.pinned(settings)
    inputs = Inputs(tuple(torch.from_numpy(pictures.read(p)).permute(2, 0, 1) for p in settings.pictures))
    edits = sources.read(settings)
    tell("load", 0, 1)
    pack = host.load(settings.pack, delivery.device)
    quality.check_sides(settings, pack.step_px)
    if settings.guides:
        pack = extra.joined(pack, [guide.name for guide in settings.guides])
    tell("load", 1, 1)
    budget = compute.budget(pack.compute.device)
    course = _course(delivery, host, results.about(settings, pack))
    meter = Meter(pack.compute.device)
    with contextlib.closing(
        synthesize(settings, pack, inputs, edits=edits, budget=budget, course=course)
    ) as phases:
        result = _follow(phases, tell, Previews(folder, host.on_preview))
    meter.pause()
    variations, seen = results.write(result, settings, pack, folder, tell, look)
    for path, material in seen.items():
        host.on_seen(path, material)
    stopped_at = min((step for step in result.stopped_at if step is not None), default=None)
    whole = stopped_at is None and len(variations) == settings.variations
    summary = _summary(result, settings, watch, meter) | {"variations": variations}
    if not whole:
        summary["stopped_at"] = stopped_at
    elif settings.towards:
        summary["strip"] = interpolate.write_strip(variations, folder)
    files.write_summary(folder, summary)
    if whole:
        checkpoint.remove(folder)
    if host.should_stop():
        raise Cancelled("Cancelled. What there was is kept.", kept=Kept(str(folder), stopped_at))
    return summary


def _teller(watch: Stopwatch, delivery: Delivery, host: Host) -> Tell:
    """What hears of every unit of work, tells the host, and ends the run where that is wanted.

    From the first guided step on there is something to keep: then the synthesis is what stops.
    """
    guided = False

    def tell(phase: str, step: int, total: int, loss: float | None = None, work: float | None = None) -> None:
        nonlocal guided
        guided = guided or phase == "guide"
        host.on_progress(watch.tick(phase, step, total, loss, work))
        if host.should_stop() and not (delivery.keep_on_cancel and guided):
            raise Cancelled("Cancelled.")

    return tell


def _course(delivery: Delivery, host: Host, about: Mapping[str, Any]) -> Course:
    """The course of a run whose checkpoints go into a folder; `about` is what sidecars say of it."""
    folder = Path(delivery.folder)
    saved: Sequence[Saved] = ()
    if delivery.resume:
        then, saved = checkpoint.read(folder)
        checkpoint.check(then, about)
    else:
        checkpoint.remove(folder)
    course = Course(
        save=partial(checkpoint.write, folder, about), every=delivery.checkpoint_every, saved=saved
    )
    if delivery.keep_on_cancel:
        course.stop = host.should_stop
    return course


def _summary(result: Synthesis, settings: RunSettings, watch: Stopwatch, meter: Meter) -> dict[str, Any]:
    """What summary.json says, but for its variations."""
    return {
        "prompt": settings.prompt,
        "negative": settings.negative,
        "preset": settings.preset,
        "pack": settings.pack,
        "seed": settings.seed,
        "settings": settings.model_dump(mode="json"),
        "seconds": watch.seconds(),
        "steps_per_second": watch.steps_per_second(),
        "memory": {"estimated": result.estimated, "used": meter.bytes()},
        "warnings": result.warnings,
        "diversity": round(result.ranking.diversity, 3),
    }


def _stopwatch(s: RunSettings) -> Stopwatch:
    """With allowances for what follows the guided steps: two CLIPs look, then files are written."""
    views = 2 * s.judge_views / (s.cutouts * (1 + BACKWARD_COST))  # in guided steps
    megapixels = s.variations * s.width * s.height / 1e6
    return Stopwatch(after_guide=views / max(1, s.steps), after_guide_s=megapixels * FILES_S_PER_MEGAPIXEL)


def _follow(phases: Generator[Phase, None, Synthesis], tell: Tell, previews: Previews) -> Synthesis:
    """Run a synthesis to its end, telling and showing what it yields."""
    while True:
        try:
            phase = next(phases)
        except StopIteration as end:
            result: Synthesis = end.value
            return result
        if phase.picture is not None:
            previews.offer(phase.picture, phase.first)
        tell(phase.name, phase.step, phase.total, phase.loss, phase.work)
