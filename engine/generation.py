"""A `generate` job from settings to files. Here clocks, folders and devices meet the numbers below."""

from __future__ import annotations

import contextlib
import logging
import platform
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import kornia
import open_clip
import torch
from torch import Tensor
from torch.nn import functional as F

from engine import __version__, checkpoint, compute, pictures, sources, verdict
from engine.errors import Cancelled, CannotWrite, Kept
from engine.library.results import Observer, Seen
from engine.material import files, seams
from engine.material.maps import DecodedMaps, ao_from_height, normal_from_height, normalise_height
from engine.meter import Meter
from engine.models import extra, packs
from engine.models.guide import Clip
from engine.models.packs import Pack
from engine.models.vqgan import tile_axes
from engine.progress import Progress, Stopwatch
from engine.settings import RunSettings
from engine.synthesis import prompts
from engine.synthesis.course import Course, Saved
from engine.synthesis.groups import synthesize_in_groups
from engine.synthesis.inputs import Inputs
from engine.synthesis.phase import Phase
from engine.synthesis.run import Synthesis

log = logging.getLogger(__name__)

SIDECAR_FORMAT = 1
PREVIEW_EVERY_S = 0.3
PREVIEW_PX = 256
BACKWARD_COST = 2.0  # of a view's forward pass
FILES_S_PER_MEGAPIXEL = 2.0  # maps and PNGs of one variation, on a slow core

Load = Callable[[str, str], Pack]
Synthesize = Callable[..., Generator[Phase, None, Synthesis]]
Look = Callable[[Clip, DecodedMaps], Seen]
OnSeen = Callable[[Path, Seen], None]
ShowPreview = Callable[[int, str, int, int], None]

observer = Observer()
"""Of whatever this process makes: what a guide's tags are in numbers is worked out once."""


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

        On other devices the process keeps what it has freed for its next use, so nothing is promised there.
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
    folder: Path,
    *,
    load: Load,
    device: str = "auto",
    on_progress: Callable[[Progress], None] = lambda _: None,
    on_preview: ShowPreview | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    keep_on_cancel: bool = False,
    checkpoint_every: int = 0,
    resume: bool = False,
    synthesize: Synthesize = synthesize_in_groups,
    look: Look = observer.look,
    on_seen: OnSeen = lambda *_: None,
) -> dict[str, Any]:
    """Make the variations of a request and write them, with their sidecars and summary.json, into a folder.

    Args:
        settings: what to make.
        folder: for the files; made where it is missing.
        load: pack id and device → networks.
        device: "auto", "cpu", "cuda" or "mps".
        on_progress: hears of every unit of work.
        on_preview: hears variation, file name in `folder`, width and height of every preview.
        should_stop: asked after every unit of work.
        keep_on_cancel: once guiding has begun, a stop still makes results of what there is, and leaves a
            checkpoint to go on from.
        checkpoint_every: guided steps from one checkpoint to the next; 0 for none on the way.
        resume: go on from the folder's checkpoint.
        synthesize: the synthesis to run; it takes settings, pack and, as `edits`, the files that they name.
        look: guide and maps of one material → its tags and badges.
        on_seen: hears of every variation, by its base colour file, what was seen on it.

    Returns:
        The summary, as in summary.json: variations in rank order, paths relative to `folder`.

    Raises:
        Cancelled: `should_stop` said so; `kept` says where results are all the same.
        CannotWrite: the folder does not take files.
        InvalidRequest: see `pictures.pinned`, `sources.read`, `checkpoint.read` and `checkpoint.check`.
        PatinaError: what `load` and `synthesize` raise.
    """
    watch = _stopwatch(settings)

    guided = False

    def tell(phase: str, step: int, total: int, loss: float | None = None) -> None:
        nonlocal guided
        guided = guided or phase == "guide"
        on_progress(watch.tick(phase, step, total, loss))
        if should_stop() and not (keep_on_cancel and guided):
            raise Cancelled("Cancelled.")

    check_folder(folder)
    settings = pictures.pinned(settings)
    inputs = Inputs(tuple(torch.from_numpy(pictures.read(p)).permute(2, 0, 1) for p in settings.pictures))
    edits = sources.read(settings)
    tell("load", 0, 1)
    pack = load(settings.pack, device)
    if settings.guides:
        pack = extra.joined(pack, [guide.name for guide in settings.guides])
    tell("load", 1, 1)
    previews = None if on_preview is None else Previews(folder, on_preview)
    budget = compute.budget(pack.compute.device)
    course = _course(folder, about(settings, pack), checkpoint_every, resume=resume)
    if keep_on_cancel:
        course.stop = should_stop
    meter = Meter(pack.compute.device)
    with contextlib.closing(
        synthesize(settings, pack, inputs, edits=edits, budget=budget, course=course)
    ) as phases:
        result = _follow(phases, tell, previews)
    meter.pause()
    variations, seen = _finish(result, settings, pack, folder, tell, look)
    for path, material in seen.items():
        on_seen(path, material)
    stopped_at = min((step for step in result.stopped_at if step is not None), default=None)
    whole = stopped_at is None and len(variations) == settings.variations
    summary = {
        "prompt": settings.prompt,
        "negative": settings.negative,
        "preset": settings.preset,
        "pack": pack.id,
        "seed": settings.seed,
        "settings": settings.model_dump(mode="json"),
        "seconds": watch.seconds(),
        "steps_per_second": watch.steps_per_second(),
        "memory": {"estimated": result.estimated, "used": meter.bytes()},
        "warnings": result.warnings,
        "diversity": round(result.ranking.diversity, 3),
        "variations": variations,
    }
    if not whole:
        summary["stopped_at"] = stopped_at
    files.write_summary(folder, summary)
    if whole:
        checkpoint.remove(folder)
    if should_stop():
        raise Cancelled("Cancelled. What there was is kept.", kept=Kept(str(folder), stopped_at))
    return summary


def _course(folder: Path, about: Mapping[str, Any], every: int, *, resume: bool) -> Course:
    """The course of a run whose checkpoints go into a folder."""
    saved: Sequence[Saved] = ()
    if resume:
        then, saved = checkpoint.read(folder)
        checkpoint.check(then, about)
    else:
        checkpoint.remove(folder)
    return Course(save=partial(checkpoint.write, folder, about), every=every, saved=saved)


class Previews:
    """Writes what is worth showing, not too often, under names that stay the same."""

    def __init__(self, folder: Path, show: ShowPreview) -> None:
        self._folder, self._show = folder, show
        self._next = 0.0

    def offer(self, pictures: Tensor, first: int = 0) -> None:
        """Pictures (B, 3, H, W) in 0..1, of variations from the first of them on."""
        if time.monotonic() < self._next:
            return
        scale = min(1.0, PREVIEW_PX / max(pictures.shape[-2:]))
        size = [round(side * scale) for side in pictures.shape[-2:]]
        for i, picture in enumerate(F.interpolate(pictures, size, mode="area"), first):
            name = f"preview_{i}.rgba"
            try:
                files.write_preview(self._folder / name, picture)
            except CannotWrite as error:  # not worth a job; if it is for good, the result will say so
                log.warning("no preview: %s %s", error.message, error.details)
                return
            self._show(i, name, picture.shape[-1], picture.shape[-2])
        self._next = time.monotonic() + PREVIEW_EVERY_S


def _stopwatch(s: RunSettings) -> Stopwatch:
    """With allowances for what follows the guided steps: two CLIPs look, then files are written."""
    views = 2 * s.judge_views / (s.cutouts * (1 + BACKWARD_COST))
    megapixels = s.variations * s.width * s.height / 1e6
    return Stopwatch(after_guide_steps=views, after_guide_s=megapixels * FILES_S_PER_MEGAPIXEL)


def _follow(
    phases: Generator[Phase, None, Synthesis], tell: Callable[..., None], previews: Previews | None
) -> Synthesis:
    """Run a synthesis to its end, telling and showing what it yields."""
    while True:
        try:
            phase = next(phases)
        except StopIteration as end:
            return end.value
        if previews is not None and phase.picture is not None:
            previews.offer(phase.picture, phase.first)
        tell(phase.name, phase.step, phase.total, phase.loss)


@torch.no_grad()
def _finish(
    result: Synthesis, settings: RunSettings, pack: Pack, folder: Path, tell: Callable[..., None], look: Look
) -> tuple[list[dict[str, Any]], dict[Path, Seen]]:
    """Derive the missing maps and write each variation, best first.

    Returns the summary's `variations`, and by base colour file what was seen on each.
    """
    wrap = tile_axes(settings.tile)
    # What a mask keeps keeps its heights: they have their scale already.
    maps = result.maps if settings.mask else normalise_height(result.maps)
    normal = normal_from_height(maps.height, maps.relief, wrap)
    ao = ao_from_height(maps.height, maps.relief, wrap)
    seam = seams.seam_score(maps, settings.tile)
    tell("maps", 1, 1)
    made, name = about(settings, pack), files.slug(prompts.title(settings.prompt))
    variations, seen = [], {}
    for rank, i in enumerate(result.order, 1):
        material = look(pack.guide, maps.select(i))
        facts = {
            "rank": rank,
            **verdict.of(result, i),
            "seam": float(seam[i]),
            "seed": result.seeds[i],
            "relief": float(maps.relief[i]),
            "origin": result.origins[i],
            **material.facts(),
        }
        if result.stopped_at and result.stopped_at[i] is not None:
            facts["stopped_at"] = result.stopped_at[i]
        sidecar = {**made, **facts, "diversity": round(result.ranking.diversity, 3), "variation": i}
        row = slice(i, i + 1)
        alpha = None if result.alpha is None else result.alpha[row]
        names = files.write_variation(
            folder, name, rank, maps.select(i), normal[row], ao[row], sidecar, alpha
        )
        variations.append({**facts, "files": names, "sidecar": files.sidecar_name(name, rank)})
        seen[folder / names["basecolor"]] = material
        tell("write", rank, len(result.order))
    return variations, seen


def about(settings: RunSettings, pack: Pack) -> Mapping[str, Any]:
    """What made a result, for its sidecar: settings, files, networks, device and versions."""
    """What the sidecars of a run share. No times, no paths but those asked for: equal runs, equal files."""
    return {
        "format": SIDECAR_FORMAT,
        "settings": settings.model_dump(mode="json"),
        **sources.hashes(settings),
        "pack": {"id": pack.id, "sha256": pack.hashes},
        **({"guides": {guide.name: guide.sha256 for guide in pack.extra}} if settings.guides else {}),
        "device": pack.compute.describe(),
        "versions": {
            "patina": __version__,
            "python": platform.python_version(),
            "torch": str(torch.__version__),
            "open_clip": open_clip.__version__,
            "kornia": kornia.__version__,
        },
    }


def check_folder(folder: Path) -> None:
    """Raises CannotWrite now rather than after minutes of work."""
    probe = folder / ".patina"
    files.write_bytes(probe, b"")
    probe.unlink()
