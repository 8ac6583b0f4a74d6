"""One texture from its files: hashed as they are, decoded as far as its views and measures need it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.errors import UnreadablePicture
from engine.library import pictures, thumbnails
from engine.library.names import Texture
from engine.library.pictures import Picture
from engine.library.store import Stamp
from engine.material.integration import height_from_normal
from engine.material.maps import DecodedMaps
from engine.material.shading import light_from, shade

SEEN = ("basecolor", "height", "normal", "roughness", "gloss", "metallic", "arm")
"""Maps that change how a texture looks; of others only the hash is taken."""

THUMBNAIL_PX = 16
RELIEF = 0.02
"""What height maps span where nobody says, as a fraction of the tile's width."""

ROUGHNESS = 0.6
GLOSSY, MATTE = 0.3, 0.75
"""Mean roughness up to which a surface is called glossy, and from which matte."""

LIGHT = (45.0, 135.0)
"""Polar angle and azimuth of the light of lit views: from the upper left, as on screens."""


@dataclass(frozen=True)
class Contents:
    """The bytes of a texture's files, before anything is decoded.

    Attributes:
        texture: which.
        digest: hash of the contents of all its files by role: the same wherever they lie.
        data: role → bytes, of the maps in `SEEN`.
        stamps: role → size and time, of all files.
        notes: what could not be read, in sentences.
    """

    texture: Texture
    digest: str
    data: dict[str, bytes]
    stamps: dict[str, Stamp]
    notes: list[str]


@dataclass(frozen=True)
class Loaded:
    """A texture as pictures.

    Attributes:
        picture: base colour (3, H, W), sRGB, 0..1, at most `pictures.SEAM_PX` a side.
        height: (1, h, w), 0..1, where there is such a map.
        views: name → (3, S, S): "albedo", and "lit" where there are maps.
        thumbnail: uint8 (16, 16, 3), to tell near-duplicates by.
        jpeg: a small picture of it, for people: see `thumbnails`.
        width, height_px: of the base colour's file.
        finish: "glossy" or "matte" where a roughness map says so.
        notes: what could not be read, in sentences.
    """

    picture: Tensor
    height: Tensor | None
    views: dict[str, Tensor]
    thumbnail: NDArray[np.uint8]
    jpeg: bytes
    width: int
    height_px: int
    finish: str | None
    notes: list[str] = field(default_factory=list)


def read(texture: Texture) -> Contents:
    """The contents of a texture's files. Maps that cannot be read are noted and left out.

    Raises:
        FileNotFoundError: its base colour is gone.
        UnreadablePicture: its base colour cannot be read.
    """
    digest, data, stamps, notes = hashlib.sha256(), {}, {}, []
    for role, path in sorted(texture.files.items()):
        try:
            status = path.stat()
            content = pictures.read_bytes(path)
        except (FileNotFoundError, UnreadablePicture) as error:
            if role == "basecolor":
                raise
            notes.append(error.message if isinstance(error, UnreadablePicture) else f"{path.name} is gone.")
            continue
        stamps[role] = Stamp(status.st_size, status.st_mtime_ns)
        digest.update(f"{role}:{hashlib.sha256(content).hexdigest()};".encode())
        if role in SEEN:
            data[role] = content
    return Contents(texture, digest.hexdigest(), data, stamps, notes)


def decode(contents: Contents, side_px: int) -> Loaded:
    """A texture as pictures.

    Args:
        contents: from `read`.
        side_px: S, of the views.

    Raises:
        UnreadablePicture: its base colour is damaged, too large, or of a format that nothing here reads.
    """
    files, notes = contents.texture.files, list(contents.notes)
    base = pictures.decode(contents.data["basecolor"], files["basecolor"].name)
    maps: dict[str, Picture] = {}
    for role in contents.data.keys() - {"basecolor"}:
        try:
            maps[role] = pictures.decode(contents.data[role], files[role].name, data=True)
        except UnreadablePicture as error:
            notes.append(error.message)
    views = {"albedo": pictures.square(base.pixels, side_px)}
    if maps:
        surface = _surface(views["albedo"], maps, contents.texture)
        views["lit"] = shade(surface, light_from(*LIGHT))[0]
    return Loaded(
        picture=base.pixels,
        height=maps["height"].pixels[:1] if "height" in maps else None,
        views=views,
        thumbnail=_thumbnail(base.pixels),
        jpeg=thumbnails.encode(base.pixels),
        width=base.width,
        height_px=base.height,
        finish=_finish(float(maps["roughness"].pixels.mean())) if "roughness" in maps else None,
        notes=notes,
    )


def of_maps(maps: DecodedMaps, side_px: int) -> Loaded:
    """A material in memory, as `decode` would find it in its files.

    Args:
        maps: a batch of one, on the CPU.
        side_px: S, of the views.
    """
    H, W = maps.height.shape[-2:]
    picture, height = (pictures.reduced(x[0]) for x in (maps.basecolor, maps.height))
    views = {"albedo": pictures.square(picture, side_px)}
    small = {
        name: pictures.square(pictures.reduced(getattr(maps, name)[0]), side_px)[None]
        for name in ("height", "roughness", "metallic")
    }
    surface = replace(
        maps, basecolor=views["albedo"][None], emission=torch.zeros_like(small["height"]), **small
    )
    views["lit"] = shade(surface, light_from(*LIGHT))[0]
    finish = _finish(float(maps.roughness.mean()))
    jpeg = thumbnails.encode(picture)
    return Loaded(picture, height, views, _thumbnail(picture), jpeg, W, H, finish)


def _thumbnail(picture: Tensor) -> NDArray[np.uint8]:
    small = pictures.square(picture, THUMBNAIL_PX)
    return (small * 255).round().byte().permute(1, 2, 0).contiguous().numpy()


def _surface(base: Tensor, maps: dict[str, Picture], texture: Texture) -> DecodedMaps:
    """The maps of a texture, as large as its view: what is not there is flat, half rough and no metal."""
    S = base.shape[-1]

    def channel(role: str, which: int, default: float) -> Tensor:
        if role not in maps:
            return base.new_full((1, 1, S, S), default)
        return pictures.square(maps[role].pixels, S)[None, which : which + 1]

    rough = channel("arm", 1, ROUGHNESS) if "roughness" not in maps else channel("roughness", 0, ROUGHNESS)
    if "gloss" in maps and "roughness" not in maps:
        rough = 1 - channel("gloss", 0, 1 - ROUGHNESS)
    height, relief = channel("height", 0, 0.5), torch.tensor([_relief(texture)])
    if "normal" in maps and "height" not in maps:
        normal = pictures.square(maps["normal"].pixels, S)[None]
        if texture.directx:
            normal = torch.stack([normal[:, 0], 1 - normal[:, 1], normal[:, 2]], 1)
        height, relief = height_from_normal(normal)
    metal = channel("arm", 2, 0.0) if "metallic" not in maps else channel("metallic", 0, 0.0)
    return DecodedMaps(base[None], height, rough, metal, torch.zeros_like(height), relief)


def _relief(texture: Texture) -> float:
    """What Patina's sidecar says, where one lies beside the maps."""
    path = texture.main.with_name(f"{texture.name}.json")
    try:
        sidecar: Any = json.loads(path.read_text("utf-8"))
        relief = float(sidecar["relief"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return RELIEF  # somebody else's file, or none: what it says is no reason to stop
    return relief if 0 <= relief <= 1 else RELIEF


def _finish(rough: float) -> str | None:
    return "glossy" if rough <= GLOSSY else "matte" if rough >= MATTE else None


def stamp(path: Path) -> Stamp:
    """Size and time of a file.

    Raises:
        OSError: it is gone, or may not be asked about.
    """
    status = path.stat()
    return Stamp(status.st_size, status.st_mtime_ns)
