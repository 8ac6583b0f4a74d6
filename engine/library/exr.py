"""OpenEXR files → pixels: scene-linear, with whatever channels and range their makers liked."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import OpenEXR
from numpy.typing import NDArray

MAGIC = b"v/1\x01"


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
    with OpenEXR.File(io.BytesIO(content), num_threads=1) as file:
        planes: dict[str, Any] = {name: channel.pixels for name, channel in file.channels().items()}
    if not planes:
        raise ValueError("it has no channels")
    colours = [x for name, x in sorted(planes.items()) if name.rpartition(".")[2] in {"RGB", "RGBA"}]
    x = np.asarray(colours[0] if colours else planes[min(planes)], np.float32)
    x = np.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0)
    return np.ascontiguousarray(x[..., :3]) if x.ndim == 3 else np.repeat(x[..., None], 3, -1)
