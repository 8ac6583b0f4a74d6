"""One network of a pack, into its folder: from the first source that works, from another pack, or the user's.

What was fetched waits in a folder of its own until the pack is whole: see `install`.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine import places
from engine.errors import BadWeights, CannotDownload, PatinaError
from engine.models import download as downloads, packs
from engine.models.download import Tell, free_bytes
from engine.models.offers import Generator, Offer, OpenClip, Remote, Source

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Part:
    """A network in place: what is known of it besides its bytes."""

    origin: str
    licence: str
    verified: bool


def fill(
    role: str, offer: Offer, folder: Path, waiting: Path, tell: Tell, free: Callable[[Path], int]
) -> Part:
    part = offer.parts()[role]
    if isinstance(part, OpenClip):
        return _clip(part.name, part.tag, part.sources, folder, waiting / role, tell, free)
    return _generator(part, folder, waiting / role, tell, free)


def _generator(part: Generator, folder: Path, waiting: Path, tell: Tell, free: Callable[[Path], int]) -> Part:
    from engine.models.checkpoints.convert import convert

    def use(weights: Path, config: Path | None) -> None:
        folder.mkdir(exist_ok=True)
        convert(weights, config, folder)

    return _first_that_works(part.sources, use, waiting, tell, free)


def _clip(
    name: str, tag: str, sources: tuple[Source, ...], folder: Path, waiting: Path, tell: Tell,
    free: Callable[[Path], int] = free_bytes,
) -> Part:  # fmt: skip
    from engine.models import clips

    config = clips.config_of(name, tag)

    def use(weights: Path, _: Path | None) -> None:
        clips.write(folder, config, weights)
        _try_clip(folder)

    return _at_hand(sources, folder) or _first_that_works(sources, use, waiting, tell, free)


def fill_clip(wanted: str, role: str, folder: Path, waiting: Path, tell: Tell) -> Part:
    """A CLIP as `add` names it."""
    from engine.models import clips

    if wanted in packs.entries():
        file = packs.entries()[wanted].files()[role]
        packs.verify(wanted, role, file)
        clips.copy((packs.ROOT / file.path).parent, folder)
        return Part(
            file.origin or f"pack:{wanted}", file.licence or packs.entries()[wanted].licence, file.verified
        )
    if places.is_folder(wanted):
        clips.copy(Path(wanted), folder)
        _try_clip(folder)
        return Part(str(Path(wanted).resolve()), "unknown", verified=False)
    model, _, weights = wanted.partition(":")
    if weights and places.is_file(weights):
        clips.write(folder, clips.config_of_file(model), Path(weights))
        _try_clip(folder)
        return Part(str(Path(weights).resolve()), "unknown", verified=False)
    name, tag = clips.split(wanted)
    return _clip(name, tag, clips.sources_of(name, tag), folder, waiting / role, tell)


def _try_clip(folder: Path) -> None:
    """Load it once: what open_clip cannot build should be known now and not in the middle of a job."""
    import torch

    from engine.compute import Compute
    from engine.models.guide import Clip

    Clip(f"local-dir:{folder}", Compute(torch.device("cpu"), torch.float32))


def _at_hand(sources: tuple[Source, ...], folder: Path) -> Part | None:
    """The same CLIP out of another pack, copied, if one has it: half a gigabyte need not come twice."""
    from engine.models import clips

    places = {source.weights.where() for source in sources}
    for info in packs.entries().values():
        for role in ("guide", "judge"):
            file = info.files()[role]
            if file.origin in places:
                with contextlib.suppress(PatinaError):
                    packs.verify(info.id, role, file)
                    clips.copy((packs.ROOT / file.path).parent, folder)
                    return Part(file.origin, file.licence, file.verified)
    return None


def _first_that_works(
    sources: tuple[Source, ...],
    use: Callable[[Path, Path | None], None],
    waiting: Path,
    tell: Tell,
    free: Callable[[Path], int],
) -> Part:
    """Fetch from each source in turn until one can be used. The disk and the user's will end it at once."""
    failed: list[PatinaError] = []
    for number, source in enumerate(sources):
        folder = waiting / str(number)
        folder.mkdir(parents=True, exist_ok=True)

        def bring(remote: Remote, folder: Path = folder) -> Path:
            return downloads.fetch(remote, folder, tell, free=free)

        try:
            config = None if source.config is None else bring(source.config)
            weights = bring(source.weights)
            tell("convert", 0, 1)
            use(weights, config)
        except CannotDownload as error:
            failed.append(error)
        except BadWeights as error:
            failed.append(error)
            shutil.rmtree(folder, ignore_errors=True)  # whole, and wrong: it will be no better next time
        else:
            tell("convert", 1, 1)
            return Part(source.weights.where(), source.licence, source.verified)
        log.warning("%s: %s", source.weights.where(), failed[-1].message)
    last = failed[-1]
    said = "".join(
        f"{source.weights.where()}: {error.message} {error.details}\n"
        for source, error in zip(sources, failed, strict=True)
    )
    raise type(last)(last.message, field="pack", details=said)
