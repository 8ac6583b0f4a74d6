"""Previews: pictures of a run under way, as files that whoever waits for it can show."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from torch import Tensor
from torch.nn import functional as F  # the field's name for it

from engine.errors import CannotWrite
from engine.host import ShowPreview
from engine.material import files

log = logging.getLogger(__name__)

EVERY_S = 0.3
SIDE_PX = 256


class Previews:
    """Writes what is worth showing, not too often, under names that stay the same.

    Args:
        folder: where they go.
        show: hears of each; None: none are made.
    """

    def __init__(self, folder: Path, show: ShowPreview | None) -> None:
        self._folder, self._show = folder, show
        self._next = 0.0

    def offer(self, pictures: Tensor, first: int = 0) -> None:
        """Pictures (B, 3, H, W) in 0..1, of variations from the first of them on."""
        if self._show is None or time.monotonic() < self._next:
            return
        scale = min(1.0, SIDE_PX / max(pictures.shape[-2:]))
        size = [round(side * scale) for side in pictures.shape[-2:]]
        for i, picture in enumerate(F.interpolate(pictures, size, mode="area"), first):
            name = f"preview_{i}.rgba"
            try:
                files.write_preview(self._folder / name, picture)
            except CannotWrite as error:  # not worth a job; if it is for good, the result will say so
                log.warning("no preview: %s %s", error.message, error.details)
                return
            self._show(i, name, picture.shape[-1], picture.shape[-2])
        self._next = time.monotonic() + EVERY_S
