"""Picture files that requests name: told apart by their hash, decoded, and asked for their colours.

No torch here: a wrong file is refused before torch is there.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageOps

from engine.errors import InvalidRequest
from engine.settings import PicturePrompt, RunSettings

MAX_BYTES = 1 << 28
MAX_PIXELS = 1 << 26
DAMAGE = (OSError, ValueError, SyntaxError, RuntimeError, KeyError)
PALETTE_SIZE = 6
"""Colours that are taken from a picture."""

PALETTE_SIDE_PX = 128
WORDS_16_BIT = ("I", "I;16", "I;16B", "I;16L")  # Pillow's modes of 16-bit PNG files


def pinned(s: RunSettings) -> RunSettings:
    """The settings with the hash of every picture, so that the sidecar says which one it was.

    Raises:
        InvalidRequest: a file cannot be read as a picture, or has another hash than the settings say.
    """
    if not s.pictures:
        return s
    hashes = [hashlib.sha256(_bytes(Path(p.path), p.sha256, "pictures")).hexdigest() for p in s.pictures]
    pairs = zip(s.pictures, hashes, strict=True)
    return s.model_copy(update={"pictures": tuple(p.model_copy(update={"sha256": h}) for p, h in pairs)})


def read(asked: PicturePrompt) -> NDArray[np.float32]:
    """A picture prompt's pixels (h, w, 3), sRGB, 0..1, upright; what is transparent is white.

    Raises:
        InvalidRequest: see `pinned`.
    """
    return np.asarray(_decoded(Path(asked.path), asked.sha256, "pictures"), np.float32) / np.float32(255)


def colours(given: object) -> object:
    """What a request has for a palette as a list of hex colours such as "#8f3a2e".

    Args:
        given: a list of colours, each in hex or a name such as "brick red"; or text: names separated by
            commas, or the absolute path of a picture to take colours from. Anything else comes back as it
            is, for the schema to refuse.

    Raises:
        InvalidRequest: something is no colour, or the file cannot be read as a picture.
    """
    if isinstance(given, str):
        return _colours_in(Path(given)) if Path(given).is_absolute() else _hexes(given.split(","))
    if isinstance(given, list | tuple) and all(isinstance(colour, str) for colour in given):
        return _hexes(given)
    return given


def _hexes(names: Iterable[str]) -> list[str]:
    from engine.starter.materials.colour import FINE_TERMS  # all the materials come with it

    found = []
    for name in names:
        term = " ".join(name.lower().replace("gray", "grey").split())
        try:
            rgb = ImageColor.getrgb(f"#{FINE_TERMS[term][0]}" if term in FINE_TERMS else term)
        except ValueError as error:
            raise InvalidRequest(
                f"'palette': {name.strip()!r} is no colour. Write names such as cream or brick red, "
                "#8f3a2e, or the path of a picture.",
                field="palette",
                details=str(error),
            ) from error
        found.append(_hex(rgb))
    return found


def _colours_in(path: Path) -> list[str]:
    """A picture's main colours, the commonest first."""
    picture = _decoded(path, "", "palette")
    picture.thumbnail((PALETTE_SIDE_PX, PALETTE_SIDE_PX))
    few = np.asarray(picture.quantize(PALETTE_SIZE, kmeans=PALETTE_SIZE).convert("RGB")).reshape(-1, 3)
    found, counts = np.unique(few, axis=0, return_counts=True)
    return [_hex(rgb) for rgb in found[np.argsort(-counts, kind="stable")]]


def _hex(rgb: Iterable[int]) -> str:
    """Red, green and blue, 0..255, in hex; a fourth channel is left out."""
    return "#" + bytes(rgb)[:3].hex()


def _decoded(path: Path, sha256: str, field: str) -> Image.Image:
    """8 bits a channel, RGB; an EXR file as a screen shows it; what is transparent is white."""
    from engine.library import exr

    content = _bytes(path, sha256, field)
    if content.startswith(exr.MAGIC):
        try:
            picture = exr.picture(content).convert("RGBA")
        except exr.DAMAGE as error:
            raise _refused(path, "is damaged. Save it again", field, str(error)) from error
    else:
        with Image.open(io.BytesIO(content)) as file:
            try:
                picture = ImageOps.exif_transpose(file)
                if picture.mode in WORDS_16_BIT:
                    picture = Image.fromarray((np.asarray(picture) / 257).round().astype(np.uint8))
                picture = picture.convert("RGBA")
            except (OSError, ValueError, SyntaxError) as error:
                raise _refused(path, "is damaged. Save it again", field, str(error)) from error
    white = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(white, picture).convert("RGB")


def _bytes(path: Path, sha256: str, field: str) -> bytes:
    """A file that claims to be a picture, with the right hash, if there is one."""
    try:
        if not path.is_absolute() or not path.is_file():
            raise _refused(path, "is not there. Give the absolute path of a picture", field)
        if path.stat().st_size > MAX_BYTES:
            raise _refused(path, "is too large a file. Scale it down", field)
        content = path.read_bytes()
        width, height = _size(content)
    except (*DAMAGE, Image.DecompressionBombError) as error:
        raise _refused(path, "cannot be read. Give a PNG, JPEG or EXR file", field, str(error)) from error
    if width * height > MAX_PIXELS:
        raise _refused(path, "has too many pixels. Scale it down", field, f"{width} x {height}")
    if sha256 and hashlib.sha256(content).hexdigest() != sha256:
        raise _refused(
            path, "is not the picture that it was. Bring that back, or leave out its sha256", field
        )
    return content


def _size(content: bytes) -> tuple[int, int]:
    """Width and height that a picture file claims."""
    from engine.library import exr

    if content.startswith(exr.MAGIC):
        return exr.size_of(content)
    with Image.open(io.BytesIO(content)) as file:
        return file.size


def _refused(path: Path, fault: str, field: str, details: str = "") -> InvalidRequest:
    return InvalidRequest(
        f"{field!r}: {path.name or path} {fault}.", field=field, details=f"{path} {details}"
    )
