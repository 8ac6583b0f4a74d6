"""Files that the settings name: pictures, masks, results of earlier runs. Checked, hashed, and decoded.

Checking and hashing need no torch, so that a wrong file is refused before torch is there.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from engine import places
from engine.errors import InvalidRequest, Remedy
from engine.settings import RunSettings

if TYPE_CHECKING:
    from torch import Tensor

    from engine.synthesis.edits import Edits, Stored

MAX_PIXELS = 1 << 26
RESULT_MAPS = ("basecolor", "height", "roughness", "metallic")
COLOURS = ("basecolor", "emission")
ENTRIES = {"settings": dict, "files": dict, "pack": dict, "relief": float | int, "origin": str, "seed": int}
"""What a sidecar must have, and of which kind."""

DATA = ("mask", "spots", "alpha")
"""Settings whose pictures are numbers rather than colours."""

Pixels = NDArray[np.float32]


def named(s: RunSettings) -> dict[str, str]:
    """The files that a request names, by setting."""
    files = {"image": s.image, "towards": s.towards, "mask": s.mask, "overlay": s.overlay, "alpha": s.alpha}
    files |= {f"spots {i + 1}": spot.mask for i, spot in enumerate(s.spots)}
    return {name: path for name, path in files.items() if path}


def check(s: RunSettings) -> None:
    """See that every file is there, pictures by their headers, and that they make sense together.

    Raises:
        InvalidRequest: one is not, or is no picture, or a request brings one that nothing would come of.
    """
    for name, path in named(s).items():
        if not Path(path).is_absolute() or "\0" in path:
            raise _refused(name, Path(path), "must be the absolute path of a file")
        if not places.is_file(path):
            raise _refused(name, Path(path), "is not there")
    for name, path in named(s).items():
        if not is_result(path):
            _content(name, Path(path))
    if s.image and s.start != "auto" and not s.mask:
        raise InvalidRequest(
            f"'start' {s.start!r} would not begin from 'image'. Set start to 'auto', or give a mask of what "
            "shall begin anew.",
            field="start",
            remedy=Remedy("start", "auto"),
        )
    _check_variations(s)


def _check_variations(s: RunSettings) -> None:
    """That what varies, or lies between, has something to start from."""
    if (s.vary or s.towards) and not s.image:
        raise InvalidRequest("'image' is missing: say what to make variations of.", field="image")
    if s.difference is not None and not s.vary:
        raise InvalidRequest("'difference' turns variations alone. Set vary to true.", field="difference")
    if len(s.shares) != (s.variations if s.towards else 0):
        raise InvalidRequest(
            "'shares' needs a number for each variation on the way to 'towards', and without it none.",
            field="shares",
        )


def hashes(s: RunSettings) -> dict[str, Any]:
    """What the sidecar says of the files: {"inputs": {setting: sha256}}, or nothing where there are none.

    A result counts with all its pictures: the hash is that of its files, one after another.

    Raises:
        InvalidRequest: one cannot be read.
    """
    found = {}
    for name, path in named(s).items():
        digest = hashlib.sha256(_bytes(name, Path(path)))
        if name in {"image", "towards"} and is_result(path):
            for picture in _pictures(Path(path), sidecar(Path(path), name), name).values():
                digest.update(_bytes(name, picture))
        found[name] = digest.hexdigest()
    return {"inputs": found} if found else {}


def read(s: RunSettings) -> Edits:
    """Everything that a run begins from and keeps, at its size; results at their own.

    Raises:
        InvalidRequest: a file cannot be read as what it should be; `field` names the setting.
    """
    from engine.synthesis.edits import Edits

    size = (s.height, s.width)
    base = _base("image", s.image, size)
    return Edits(
        picture=base.picture,
        stored=base.stored,
        mask=_tensor(grey("mask", s.mask, size)) if s.mask else None,
        spots=tuple(_tensor(grey("spots", spot.mask, size)) for spot in s.spots),
        overlay=_tensor(picture("overlay", s.overlay, size)) if s.overlay else None,
        alpha=_tensor(grey("alpha", s.alpha, size)) if s.alpha else None,
        towards=_base("towards", s.towards, size) if s.towards else None,
    )


def _base(name: str, path: str, size: tuple[int, int]) -> Edits:
    """What one of the paths to begin from holds: a picture or a stored result, or nothing."""
    from engine.synthesis.edits import Edits

    if is_result(path):
        return Edits(stored=result(Path(path), name))
    return Edits(picture=_tensor(picture(name, path, size)[..., :3]) if path else None)


def is_result(path: str) -> bool:
    """Whether a path names a result's sidecar rather than a picture."""
    return path.lower().endswith(".json")


def picture(name: str, path: str, size: tuple[int, int]) -> Pixels:
    """A picture (H, W, 4), sRGB and alpha, 0..1, its middle cut to the shape (H, W) and scaled to it.

    Raises:
        InvalidRequest: it cannot be read.
    """
    rgba = _of_8_bits(_open(name, Path(path))).convert("RGBA")
    return np.asarray(_fitted(rgba, size), np.float32) / np.float32(255)


def grey(name: str, path: str, size: tuple[int, int]) -> Pixels:
    """A mask (H, W, 1), 0..1, as `picture`; of one with an alpha channel, what is transparent is black.

    Raises:
        InvalidRequest: it cannot be read.
    """
    rgba = _of_8_bits(_open(name, Path(path))).convert("RGBA")
    black = Image.new("RGBA", rgba.size, "black")
    plain = Image.alpha_composite(black, rgba).convert("L")
    return np.asarray(_fitted(plain, size), np.float32)[..., None] / np.float32(255)


def result(path: Path, name: str = "image") -> Stored:
    """The result beside whose pictures a sidecar lies, from these pictures.

    Raises:
        InvalidRequest: the sidecar or one of its pictures is missing or damaged.
    """
    import torch

    from engine.material.maps import DecodedMaps, luminance, srgb_to_linear
    from engine.synthesis.edits import Stored

    content = sidecar(path, name)
    files = _pictures(path, content, name)
    planes = {kind: _tensor(_levels(file, name, kind))[None] for kind, file in files.items()}
    if len({plane.shape[-2:] for plane in planes.values()}) > 1:
        raise _refused(name, path, "has pictures of different sizes")
    base, height = planes["basecolor"], planes["height"]
    glow = torch.zeros_like(height)
    if "emission" in planes:  # base colour times emission, in linear light
        light, full = (luminance(srgb_to_linear(planes[kind])) for kind in ("emission", "basecolor"))
        glow = (light / full.clamp(min=1e-3)).clamp(0, 1)
    return Stored(
        maps=DecodedMaps(
            basecolor=base,
            height=height,
            roughness=planes["roughness"],
            metallic=planes["metallic"],
            emission=glow,
            relief=torch.tensor([content["relief"]], dtype=torch.float32),
        ),
        origin=f"redrawn: {content['origin']}" if content["settings"].get("redraw") else content["origin"],
        seed=content["seed"],
        sha256=content["pack"]["sha256"],
    )


def sidecar(path: Path, field: str = "image") -> Mapping[str, Any]:
    """What a sidecar says.

    Raises:
        InvalidRequest: it is none.
    """
    try:
        content = json.loads(_bytes(field, path).decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _refused(field, path, "is not the JSON file of a result", str(error)) from error
    if not isinstance(content, dict):
        raise _refused(field, path, "is not the JSON file of a result")
    lacks = [name for name, kind in ENTRIES.items() if not isinstance(content.get(name), kind)]
    if lacks or not isinstance(content["pack"].get("sha256"), dict):
        raise _refused(field, path, "is not the JSON file of a result", f"it lacks {lacks}")
    return content


def _pictures(path: Path, content: Mapping[str, Any], name: str) -> dict[str, Path]:
    """The pictures of a result that it can be continued from, by map."""
    files = content["files"]
    lost = [kind for kind in RESULT_MAPS if not places.is_file(path.parent / str(files.get(kind, "?")))]
    if lost:
        raise _refused(name, path, f"has lost its {lost[0]} picture")
    kinds = [*RESULT_MAPS, *(["emission"] if "emission" in files else [])]
    return {kind: path.parent / str(files[kind]) for kind in kinds}


def _levels(path: Path, name: str, kind: str) -> Pixels:
    """(H, W, C), 0..1, from 8 or 16 bits a channel, whichever the file has: 3 of colours, else 1.

    Somebody may have painted on a map, and saved it with an alpha channel or in few colours.
    """
    opened = _open(name, path)
    if kind in COLOURS:
        opened = _of_8_bits(opened).convert("RGB")
    elif not opened.mode.startswith("I"):
        opened = opened.convert("L")
    highest = 65535 if opened.mode.startswith("I") else 255
    pixels = np.asarray(opened, np.float32) / np.float32(highest)
    return pixels if pixels.ndim == 3 else pixels[..., None]


def _fitted(opened: Image.Image, size: tuple[int, int]) -> Image.Image:
    height, width = size
    if opened.size == (width, height):
        return opened
    return ImageOps.fit(opened, (width, height), Image.Resampling.LANCZOS)


def _open(name: str, path: Path) -> Image.Image:
    from engine.library import exr

    content = _content(name, path)
    if content.startswith(exr.MAGIC):
        return _open_exr(name, path, content)
    try:
        with Image.open(io.BytesIO(content)) as file:
            upright = ImageOps.exif_transpose(file)
            upright.load()
    except (OSError, ValueError, SyntaxError) as error:
        raise _refused(name, path, "cannot be read as a picture: save it as PNG", str(error)) from error
    return upright


def _of_8_bits(picture: Image.Image) -> Image.Image:
    """A picture of 16 bits of grey with 8, which Pillow would clip rather than scale; others as they are."""
    if not picture.mode.startswith("I"):
        return picture
    return Image.fromarray((np.asarray(picture) / 257).round().astype(np.uint8))


def _open_exr(name: str, path: Path, content: bytes) -> Image.Image:
    """Masks and outlines are data, every other picture is seen as on a screen."""
    from engine.library import exr

    try:
        return exr.picture(content, data=name in DATA)
    except exr.DAMAGE as error:
        raise _refused(name, path, "cannot be read as a picture: save it as PNG", str(error)) from error


def _content(name: str, path: Path) -> bytes:
    """The bytes of a file that says that it is a picture, and not too large a one."""
    from engine.library import exr

    content = _bytes(name, path)
    try:
        if content.startswith(exr.MAGIC):
            width, height = exr.size_of(content)
        else:
            with Image.open(io.BytesIO(content)) as file:
                width, height = file.size
    except (*exr.DAMAGE, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise _refused(name, path, "cannot be read as a picture: save it as PNG", str(error)) from error
    if width * height > MAX_PIXELS:
        raise _refused(name, path, "has too many pixels: scale it down")
    return content


def _bytes(name: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _refused(name, path, "cannot be read", str(error)) from error


def _tensor(pixels: Pixels) -> Tensor:
    """(H, W, C) → (C, H, W)."""
    import torch

    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))


def _refused(name: str, path: Path, fault: str, details: str = "") -> InvalidRequest:
    field = name.split(maxsplit=1)[0]
    return InvalidRequest(f"{name!r}: {path} {fault}.", field=field, details=details)
