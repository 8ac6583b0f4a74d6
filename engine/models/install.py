"""Packs come and go: downloaded from the catalogue, added from the user's files, verified, removed.

A pack is made whole in a folder beside its place and moved there by one rename, so that no half of one
is ever found. What was downloaded for it stays until then, so that a second try begins where the first
one failed.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from engine import home, places
from engine.errors import BadWeights, CannotWrite, InvalidRequest, PatinaError, UnknownPack
from engine.models import borrowed, download as downloads, fetching, offers, packs
from engine.models.download import Tell, free_bytes
from engine.models.fetching import Part
from engine.models.packs import MANIFEST, PackFile, PackInfo

ROLES = ("generator", "guide", "judge")
CONVERTED_SHARE = 1.0
"""Of what is downloaded, room for what is made of it. Checkpoints only shrink; safetensors stay."""


def download(pack_id: str, tell: Tell, free: Callable[[Path], int] = free_bytes) -> PackInfo:
    """Fetch a pack of the catalogue. One that is there and whole stays as it is.

    Args:
        pack_id: of an offer.
        tell: hears phases "download" and "convert", bytes so far and in all. May raise Cancelled.
        free: bytes that a folder has room for.

    Raises:
        UnknownPack: no such offer.
        CannotDownload, BadWeights: of the last source, once all have failed.
        CannotWrite: the disk is full or the folder read-only.
    """
    if pack_id in packs.entries() and packs.entries()[pack_id].installed():
        return packs.entries()[pack_id]
    offer = offers.entries().get(pack_id)
    if offer is None:
        known = ", ".join(offers.entries())
        raise UnknownPack(f"No pack called {pack_id!r} can be downloaded. There are: {known}.", field="pack")
    waiting = home.folder() / "downloads" / pack_id
    with _writing(waiting), _alone(waiting):
        downloads.check_space(
            waiting, int(offer.about_bytes() * (1 + CONVERTED_SHARE)) - _size(waiting), free
        )
        with _staging(pack_id) as folder:
            parts = {role: fetching.fill(role, offer, folder / role, waiting, tell, free) for role in ROLES}
            info = _manifest(offer.id, offer.label, offer.description, offer.licence, folder, parts)
        shutil.rmtree(waiting, ignore_errors=True)
    return info


def add(
    pack_id: str, generator: Path | None, config: Path | None, guide: str, judge: str, tell: Tell
) -> PackInfo:
    """Make a pack of a VQGAN, the user's or the starter's, and CLIPs that they have or open_clip knows.

    Args:
        pack_id: its name, small letters and digits.
        generator: a checkpoint, or a folder with a diffusers VQModel; None: the starter's, with what it
            begins from.
        config: the `.yaml` or `.json` that came with it; None: the one beside it, if there is one.
        guide, judge: an installed pack's id for the CLIP that it has, `NAME:TAG` of open_clip's,
            `NAME:FILE` with a checkpoint of that architecture, or a folder.
        tell: as in `download`.

    Raises:
        InvalidRequest: the name is no name or taken, or a CLIP is not to be had.
        BadWeights, CannotDownload, CannotWrite: see `convert` and `fetch`.
    """
    if not re.fullmatch(offers.PACK_ID, pack_id):
        raise InvalidRequest(
            f"{pack_id!r} is no name for a pack: use small letters, digits, - and _.", field="name"
        )
    if pack_id in packs.entries() or pack_id in offers.entries():
        raise InvalidRequest(
            f"There is a pack called {pack_id!r} already. Choose another name.", field="name"
        )
    if generator is None and config is not None:
        raise InvalidRequest("A configuration is of a generator, and none was named.", field="config")
    weights, beside = (None, None) if generator is None else _found(generator)
    waiting = home.folder() / "downloads" / pack_id
    with _writing(waiting), _alone(waiting), _staging(pack_id) as folder:
        if weights is None:
            info = _with_starters_generator(pack_id, guide, judge, folder, waiting, tell)
        else:
            info = _with_own_generator(
                pack_id, weights, config or beside, guide, judge, folder, waiting, tell
            )
    shutil.rmtree(waiting, ignore_errors=True)
    return info


def _with_own_generator(
    pack_id: str, weights: Path, config: Path | None, guide: str, judge: str, folder: Path, waiting: Path,
    tell: Tell,
) -> PackInfo:  # fmt: skip
    from engine.models.checkpoints.convert import convert

    (folder / "generator").mkdir()
    tell("convert", 0, 1)
    done = convert(weights, config, folder / "generator")
    tell("convert", 1, 1)
    parts = {"generator": Part(str(weights), "unknown", verified=False)}
    parts |= _clips(guide, judge, folder, waiting, tell)
    about = f"{done.layout}, {done.codes} of {done.of} codes, from {weights.name}"
    return _manifest(pack_id, pack_id, about, "unknown", folder, parts)


def _with_starters_generator(
    pack_id: str, guide: str, judge: str, folder: Path, waiting: Path, tell: Tell
) -> PackInfo:
    starter = borrowed.starter()
    networks = borrowed.copied("generator", folder)
    parts = _clips(guide, judge, folder, waiting, tell)
    tell("convert", 0, 1)
    networks |= borrowed.proposers(folder, guide)
    tell("convert", 1, 1)
    about = f"{starter.label}'s generator, guided by {_shown(guide)}, judged by {_shown(judge)}"
    licence = f"{starter.licence}; see each network"
    return _manifest(pack_id, pack_id, about, licence, folder, parts, networks, starter.channels)


def _shown(clip: str) -> str:
    """A CLIP as `add` names it, without where on this machine its files are."""
    if places.is_folder(clip):
        return Path(clip).name
    model, colon, weights = clip.partition(":")
    return f"{model}{colon}{Path(weights).name}"


def _clips(guide: str, judge: str, folder: Path, waiting: Path, tell: Tell) -> dict[str, Part]:
    asked = (("guide", guide), ("judge", judge))
    return {role: fetching.fill_clip(wanted, role, folder / role, waiting, tell) for role, wanted in asked}


def remove(pack_id: str) -> int:
    """Delete a pack that the user fetched, and what was downloaded for it. Returns the bytes freed.

    Raises:
        UnknownPack: there is none of this name.
        InvalidRequest: it ships with Patina.
        CannotWrite: it cannot be deleted.
    """
    folder, waiting = packs.fetched_folder() / pack_id, home.folder() / "downloads" / pack_id
    if not re.fullmatch(offers.PACK_ID, pack_id) or not (os.path.lexists(folder) or waiting.is_dir()):
        if pack_id in packs.entries():
            raise InvalidRequest(f"The pack {pack_id!r} ships with Patina and stays.", field="pack")
        raise UnknownPack(f"No pack called {pack_id!r} was downloaded or added.", field="pack")
    freed = _size(folder) + _size(waiting)
    try:
        if folder.is_symlink():
            folder.unlink()  # and what it leads to stays: it is not ours
        elif folder.exists():
            shutil.rmtree(folder)
        if waiting.is_dir() and not waiting.is_symlink():
            shutil.rmtree(waiting)
    except OSError as error:
        raise CannotWrite(f"{folder} cannot be deleted. Close what uses it.", details=str(error)) from error
    packs.entries.cache_clear()
    return freed


def verify(pack_id: str) -> Iterator[tuple[str, PatinaError | None]]:
    """Hold every file of an installed pack against its hash: role, and what is wrong with it, if anything.

    Raises:
        UnknownPack: no such pack.
    """
    info = packs.entries().get(pack_id)
    if info is None:
        raise UnknownPack(
            f"There is no pack called {pack_id!r} here. Packs: {', '.join(packs.entries())}.", field="pack"
        )
    for role, file in info.files().items():
        try:
            packs.verify(pack_id, role, file)
        except (UnknownPack, BadWeights) as error:
            yield role, error
        else:
            yield role, None


# --- Folders -------------------------------------------------------------------------------------


def _found(generator: Path) -> tuple[Path, Path | None]:
    """The weights that a path means, and the configuration that lies beside them under a usual name."""
    if places.is_folder(generator):
        names = (
            "diffusion_pytorch_model.safetensors",
            "model.safetensors",
            "flax_model.msgpack",
            "diffusion_pytorch_model.bin",
        )
        weights = next((generator / name for name in names if (generator / name).is_file()), None)
        if weights is None:
            raise InvalidRequest(
                f"{generator} has none of {', '.join(names)}. Choose the file itself.", field="generator"
            )
        generator = weights
    if not places.is_file(generator):
        raise InvalidRequest(f"There is no file {generator}. Check the path.", field="generator")
    beside = (generator.with_suffix(".yaml"), generator.parent / "config.json")
    return generator, next((path for path in beside if path.is_file()), None)


def _manifest(
    pack_id: str,
    label: str,
    about: str,
    licence: str,
    folder: Path,
    parts: dict[str, Part],
    networks: dict[str, PackFile] | None = None,
    channels: tuple[str, ...] = offers.RGB,
) -> PackInfo:
    """Writes what a pack consists of: parts that were made, networks that were taken over, the estimator."""
    names = {
        "generator": "model.safetensors",
        "guide": "open_clip_model.safetensors",
        "judge": "open_clip_model.safetensors",
    }
    files = dict(networks or {})
    for role, part in parts.items():
        path = folder / role / names[role]
        files[role] = PackFile(
            path=f"{role}/{names[role]}",
            sha256=downloads.sha256(path),
            bytes=path.stat().st_size,
            origin=part.origin,
            licence=part.licence,
            verified=part.verified,
        )
    files |= borrowed.copied("estimator", folder)  # those that decode base colour alone need one
    told = {"id": pack_id, "label": label, "description": about, "licence": licence, "channels": channels}
    info = PackInfo.model_validate({**told, **files})
    (folder / MANIFEST).write_text(info.model_dump_json(indent=2), "utf-8")
    return info


@contextlib.contextmanager
def _staging(pack_id: str) -> Iterator[Path]:
    """A folder that becomes the pack's when all went well, and goes when not."""
    place = packs.fetched_folder() / pack_id
    place.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{pack_id}.", dir=place.parent))
    try:
        yield folder
        if place.is_symlink():
            raise CannotWrite(f"{place} is a link, and packs are plain folders. Remove it.")
        shutil.rmtree(place, ignore_errors=True)  # a broken one, as whole ones are not made again
        folder.replace(place)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    packs.entries.cache_clear()


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Turns what the system says of folders and disks into a sentence."""
    try:
        if folder.is_symlink() or folder.parent.is_symlink():
            raise CannotWrite(f"{folder} is a link, and downloads are plain folders. Remove it.")
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise CannotWrite(
            f"{home.folder()} cannot be written to: {error.strerror or error}. "
            "Free some space, or set PATINA_HOME to another folder.",
            details=repr(error),
        ) from error


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two processes that append to one file would make it neither's."""
    try:
        with FileLock(folder.with_suffix(".lock"), timeout=0):
            yield
    except Timeout as error:
        raise CannotWrite(
            f"Another Patina is installing {folder.name!r} right now. Wait for it.", details=str(error)
        ) from error


def _size(folder: Path) -> int:
    if folder.is_symlink():
        return 0
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
