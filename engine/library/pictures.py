"""Pictures as they lie on people's disks → tensors, or one sentence that says why not."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from engine.errors import UnreadablePicture
from engine.library import exr
from engine.material.maps import linear_to_srgb

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF")
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".exr"})

MAX_PIXELS = 2**28
"""16384 x 16384: a gigabyte in memory. What claims to be larger is refused before it is decoded."""

MAX_BYTES = 2**30
SEAM_PX = 1024
"""Longest side at which seams and light are measured."""

Image.MAX_IMAGE_PIXELS = MAX_PIXELS  # Pillow's own limit is below what textures of 16k have

DAMAGE = (
    OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, MemoryError, LookupError, TypeError,
    AttributeError, ArithmeticError, RuntimeError,
)  # fmt: skip
"""What decoders raise on bytes that are not what their header says."""


def is_picture(path: Path) -> bool:
    """Whether a file's name says that it is one of the pictures that textures come in."""
    return path.suffix.lower() in SUFFIXES


def read_bytes(path: Path) -> bytes:
    """A file's content.

    Raises:
        FileNotFoundError: it is not there (any more).
        UnreadablePicture: it cannot be read, or is larger than `MAX_BYTES`.
    """
    try:
        if (size := path.stat().st_size) > MAX_BYTES:
            raise UnreadablePicture(f"{path.name} has {size >> 20} MiB; {MAX_BYTES >> 20} can be read.")
        return path.read_bytes()
    except FileNotFoundError:
        raise
    except PermissionError as error:
        raise UnreadablePicture(f"{path.name} may not be read: change its permissions.") from error
    except OSError as error:
        raise UnreadablePicture(
            f"{path.name} cannot be read: {error.strerror or error}.", details=repr(error)
        ) from error


@dataclass(frozen=True)
class Picture:
    """A decoded picture, and how large it is in its file.

    Attributes:
        pixels: (3, H, W) float32, 0..1, in the file's own encoding, or sRGB for colours from EXR; alpha is
            dropped, grey is repeated.
        width, height: of the file, px.
    """

    pixels: Tensor
    width: int
    height: int


def decode(content: bytes, name: str, longest_px: int = SEAM_PX, *, data: bool = False) -> Picture:
    """A picture from the bytes of its file, reduced until it fits.

    Args:
        content: PNG, JPEG, WebP, TIFF or EXR, whatever its name says.
        name: of the file, for errors.
        data: whether its numbers are no colours. EXR holds them as they are, beyond 0..1 too: they are then
            spread over it.
        longest_px: sides beyond this are reduced by whole factors, each pixel the mean of a block, so that
            what tiled still tiles.

    Raises:
        UnreadablePicture: no picture of these formats, damaged, cut off, or larger than `MAX_PIXELS`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata does not matter
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            if content.startswith(exr.MAGIC):
                return _decoded_exr(content, longest_px, data=data)
            return _decoded(content, longest_px)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise UnreadablePicture(
            f"{name} claims to have more than {MAX_PIXELS >> 20} megapixels, which is too many.",
            details=str(error),
        ) from error
    except DAMAGE as error:
        raise UnreadablePicture(
            f"{name} is damaged, or no PNG, JPEG, WebP, TIFF or EXR picture.", details=repr(error)
        ) from error


def _decoded(content: bytes, longest_px: int) -> Picture:
    with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
        width, height = picture.size
        picture.draft(None, (longest_px, longest_px))  # JPEG alone can decode a half, a quarter, an eighth
        x = _values(picture)
    return Picture(reduced(torch.from_numpy(x).permute(2, 0, 1), longest_px).contiguous(), width, height)


def _decoded_exr(content: bytes, longest_px: int, *, data: bool) -> Picture:
    width, height = exr.size_of(content)
    if not 0 < width * height <= MAX_PIXELS:
        raise Image.DecompressionBombError(f"{width} x {height}")
    x = reduced(torch.from_numpy(exr.decode(content)).permute(2, 0, 1), longest_px)
    if data:
        low, high = float(x.min()), float(x.max())
        x = (x - low) / (high - low) if low < 0 or high > 1 else x
    else:
        x = linear_to_srgb(x.clamp(0, 1))
    return Picture(x.contiguous(), width, height)


def reduced(picture: Tensor, longest_px: int = SEAM_PX) -> Tensor:
    """A picture (C, H, W) by the least whole factor with which it fits, each pixel the mean of a block."""
    factor = -(-max(picture.shape[-2:]) // longest_px)
    if factor == 1:
        return picture
    H, W = (max(side // factor, 1) for side in picture.shape[-2:])
    x = picture[:, : H * factor, : W * factor]
    rows, columns = min(factor, x.shape[1]), min(factor, x.shape[2])
    return x.reshape(-1, H, rows, W, columns).mean((2, 4))


def _values(picture: Image.Image) -> NDArray[np.float32]:
    """(H, W, 3), 0..1."""
    if picture.mode.startswith("I"):  # 16 bits of grey, which Pillow would clip rather than scale
        x, most = np.asarray(picture).astype(np.float32), 65535
    elif picture.mode == "F":
        x, most = np.nan_to_num(np.asarray(picture).astype(np.float32)), 1
    else:
        x, most = np.asarray(picture.convert("RGB")).astype(np.float32), 255
    x /= most
    return x if x.ndim == 3 else np.repeat(x.clip(0, 1)[..., None], 3, -1)


def square(picture: Tensor, side_px: int) -> Tensor:
    """The middle square of a picture (C, H, W), (C, side_px, side_px)."""
    H, W = picture.shape[-2:]
    side = min(H, W)
    top, left = (H - side) // 2, (W - side) // 2
    middle = picture[None, :, top : top + side, left : left + side]
    size = (side_px, side_px)
    return torch.nn.functional.interpolate(middle, size, mode="bilinear", antialias=True)[0].clamp(0, 1)
