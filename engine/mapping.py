"""A `maps` job: from a picture on the disk to a map set with its sidecar, as `generate` writes them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine import __version__
from engine.errors import Cancelled, UnreadablePicture
from engine.host import Host
from engine.library import pictures
from engine.maps import Maps
from engine.material import files, seams
from engine.material.from_picture import maps_from_picture
from engine.material.maps import DecodedMaps, ao_from_height, normal_from_height, normalise_height
from engine.material.resize import resized
from engine.models.packs import Pack
from engine.models.vqgan import Wrap, tile_axes
from engine.progress import Progress
from engine.results import SIDECAR_FORMAT, Look, observer

STEPS = 4


@torch.no_grad()
def run_maps(asked: Maps, host: Host, *, look: Look = observer.look) -> dict[str, Any]:
    """Estimate the maps of a picture and write them, with a sidecar, into a folder.

    Packs without an estimator take the classical formulas. Sides become multiples of what the estimator
    works in, so the maps may be a few pixels larger or smaller than the picture.

    Args:
        asked: what.
        host: for whom.
        look: guide and maps of one material → its tags and badges.

    Returns:
        "folder"; "files" by map and "sidecar", relative to it; "relief", "seam", "tags" and "badges".

    Raises:
        Cancelled: `host.should_stop` said so.
        UnreadablePicture: it is not there, or cannot be read.
        CannotWrite: the folder does not take files.
    """

    def tell(step: int) -> None:
        host.on_progress(Progress("maps", step, STEPS))
        if host.should_stop():
            raise Cancelled("Cancelled.")

    path, folder = Path(asked.picture), Path(asked.folder)
    content = _content(path)
    picture = pictures.decode(content, path.name, asked.longest_px).pixels[None]
    tell(1)
    pack = host.load(asked.pack, asked.device)
    tell(2)
    wrap = tile_axes(asked.tile)
    maps = normalise_height(_estimated(picture, pack, wrap))
    tell(3)
    seen = look(pack.guide, maps)
    facts = {
        "relief": float(maps.relief[0]),
        "seam": float(seams.seam_score(maps, asked.tile)[0]),
        **seen.facts(),
    }
    sidecar = {
        "format": SIDECAR_FORMAT,
        "settings": {"picture": asked.picture, "tile": asked.tile, "longest_px": asked.longest_px},
        "inputs": {"picture": hashlib.sha256(content).hexdigest()},
        "pack": {"id": pack.id, "sha256": pack.hashes},
        "device": pack.compute.describe(),
        "versions": {"patina": __version__, "torch": str(torch.__version__)},
        "origin": f"maps of {path.name}",
        "seed": 0,
        **facts,
    }
    normal = normal_from_height(maps.height, maps.relief, wrap)
    ao = ao_from_height(maps.height, maps.relief, wrap)
    name = files.slug(path.stem)
    names = files.write_variation(folder, name, 1, maps, normal, ao, sidecar)
    host.on_seen(folder / names["basecolor"], seen)
    tell(STEPS)
    return {"folder": str(folder), "files": names, "sidecar": files.sidecar_name(name, 1), **facts}


def _content(path: Path) -> bytes:
    try:
        return pictures.read_bytes(path)
    except FileNotFoundError as error:
        raise UnreadablePicture(f"{path.name} is not there.", field="picture") from error


def _estimated(picture: Tensor, pack: Pack, wrap: Wrap) -> DecodedMaps:
    """The maps of a picture (1, 3, H, W) of any size."""
    if pack.estimator is not None:
        factor = pack.estimator.factor
        H, W = (max(factor, round(side / factor) * factor) for side in picture.shape[-2:])
        picture = resized(picture, H, W, wrap).clamp(0, 1)
    return maps_from_picture(picture.to(pack.compute.device), pack.estimator, wrap)
