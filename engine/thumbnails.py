"""The pictures of presets in the add-on's gallery: each a real run of the preset's example, lit."""

from __future__ import annotations

import argparse
import io
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine import presets

FOLDER = "thumbnails"
"""Beside the preset files, ours or the user's."""

SIDE_PX = 128
RUN = {"width": 192, "height": 192, "variations": 1, "judge_views": 2, "seed": 11}
QUALITY = 85
LIGHT = (52.0, 135.0, 1.3)
"""From the top left, low enough to show relief: polar angle and azimuth in degrees, energy."""


def arguments(add: argparse.ArgumentParser) -> None:
    """Add the arguments of `thumbnails`."""
    add.add_argument("presets", nargs="*", metavar="PRESET", help="which ones (default: all that ship)")


def picture_of(preset_id: str, folder: Path = presets.FOLDER) -> Path:
    """Where the picture of a preset is, or would be."""
    file = presets.file_of(preset_id, folder)
    return file.parent / FOLDER / f"{file.stem}.jpg"


def make(
    preset_ids: Sequence[str] = (), folder: Path = presets.FOLDER, pack: str = "starter"
) -> Iterator[Path]:
    """Draw the pictures of presets, one after the other, over those that are there.

    Args:
        preset_ids: which ones; all in `folder` if none are named, and none of the user's.
        folder: where the preset files are.
        pack: the networks to draw with.

    Yields:
        Every file once it is written: a JPEG of 128 x 128 pixels.

    Raises:
        UnknownPreset: see `presets.load`.
        CannotWrite: the folder does not take files.
        PatinaError: what the run raises.
    """
    chosen = [presets.load(i, folder) for i in preset_ids or presets.ids(folder)]
    if not preset_ids:
        chosen = [preset for preset in chosen if not preset.id.startswith(presets.OWN)]
    from engine import generation  # torch takes seconds; a wrong name is told before
    from engine.host import Host
    from engine.material.files import write_bytes
    from engine.params import resolve

    host = Host(generation.Models().load)
    for preset in chosen:
        params = {**RUN, "prompt": preset.example or preset.label.lower(), "preset": preset.id, "pack": pack}
        target = picture_of(preset.id, folder)
        with tempfile.TemporaryDirectory(prefix="patina-thumbnail-") as place:
            settings, delivery = resolve({**params, "folder": place}, folder)
            summary = generation.run_generate(settings, delivery, host)
            write_bytes(target, _lit(Path(place), summary))
        yield target


def _lit(folder: Path, summary: Mapping[str, Any]) -> bytes:
    """The best variation of a run under a light, as a file."""
    from engine.material.contact import lit_view
    from engine.material.shading import light_from
    from engine.models.vqgan import tile_axes

    wrap = tile_axes(summary["settings"]["tile"])
    view = lit_view(folder, summary["variations"][0], wrap, SIDE_PX, light_from(*LIGHT))
    jpeg = io.BytesIO()
    view.save(jpeg, "JPEG", quality=QUALITY, optimize=True)
    return jpeg.getvalue()
