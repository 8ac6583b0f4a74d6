"""OpenEXR files → pixels: scene-linear, with whatever channels and range their makers liked."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import OpenEXR
from numpy.typing import NDArray
from PIL import Image

MAGIC = b"v/1\x01"
DAMAGE = (RuntimeError, ValueError, KeyError)
"""What is raised on a file that is damaged."""


def size_of(content: bytes) -> tuple[int, int]:
    """Width and height that a file claims, from its header alone.

    Raises:
        RuntimeError, ValueError, KeyError: it is damaged.
    """
    with OpenEXR.File(io.BytesIO(content), header_only=True, num_threads=1) as file:
        low, high = file.header()["dataWindow"]
    return int(high[0] - low[0]) + 1, int(high[1] - low[1]) + 1


def decode(content: bytes) -> NDArray[np.float32]:
    """The colours of a file's first part, or its first channel three times: (H, W, 3), linear, finite.

    Raises:
        RuntimeError, ValueError, KeyError: it is damaged, deep, or has no channels.
    """
    return np.ascontiguousarray(_channels(content)[..., :3])


def _channels(content: bytes) -> NDArray[np.float32]:
    """As `decode`, with alpha as a fourth channel where the colours have it: (H, W, 3 or 4)."""
    with OpenEXR.File(io.BytesIO(content), num_threads=1) as file:
        planes: dict[str, Any] = {name: channel.pixels for name, channel in file.channels().items()}
    if not planes:
        raise ValueError("it has no channels")
    colours = [x for name, x in sorted(planes.items()) if name.rpartition(".")[2] in {"RGB", "RGBA"}]
    x = np.asarray(colours[0] if colours else planes[min(planes)], np.float32)
    x = np.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0)
    return x if x.ndim == 3 else np.repeat(x[..., None], 3, -1)


def picture(content: bytes, *, data: bool = False) -> Image.Image:
    """A file as an RGB picture of 8 bits a channel, RGBA where it has alpha: colours as a screen shows them,
    data as they are.

    What is below 0 or above 1 is cut off; the library looks at colours in the same way. Colours of EXR are
    multiplied by their alpha, those of the picture are not.

    Raises:
        RuntimeError, ValueError, KeyError: see `decode`.
    """
    from engine.starter.materials.colour import to_srgb  # all the materials come with it

    x = _channels(content)
    alpha = x[..., 3:].clip(0, 1)
    colours = (x[..., :3] / np.where(alpha > 0, alpha, 1) if alpha.size else x).clip(0, 1)
    seen = np.concatenate([colours if data else to_srgb(colours), alpha], -1)
    return Image.fromarray((seen * 255).round().astype(np.uint8))
