"""Small pictures of what is in the index, for people to look at: JPEG files beside it, by content."""

from __future__ import annotations

import io
import logging
from collections.abc import Collection
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from engine.errors import CannotWrite
from engine.library import pictures
from engine.material.files import write_bytes

log = logging.getLogger(__name__)

FOLDER = "thumbnails"
SIDE_PX = 128
QUALITY = 85


def encode(picture: Tensor) -> bytes:
    """The middle square of a picture (3, H, W), 0..1, as a JPEG file."""
    small = pictures.square(picture, SIDE_PX).mul(255).round().byte().permute(1, 2, 0)
    jpeg = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(small.numpy())).save(jpeg, "JPEG", quality=QUALITY)
    return jpeg.getvalue()


def path_of(library: Path, content: str) -> Path:
    """Where the thumbnail of contents lies, by their hash; 256 folders keep each of them short."""
    return library / FOLDER / content[:2] / f"{content}.jpg"


def keep(library: Path, content: str, jpeg: bytes) -> None:
    """Writes one, if it can be: an index without pictures still finds things."""
    try:
        write_bytes(path_of(library, content), jpeg)
    except CannotWrite as error:
        log.warning("no thumbnail: %s %s", error.message, error.details)


def forget(library: Path, contents: Collection[str]) -> None:
    """Removes those of contents that are in the index no more."""
    for content in contents:
        try:
            path_of(library, content).unlink(missing_ok=True)
        except OSError as error:
            log.warning("a thumbnail stays: %s", error)
