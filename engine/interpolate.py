"""Materials on the way from one result or picture to another: the request, and the strip that shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from engine import presets, sources
from engine.errors import InvalidRequest
from engine.params import Delivery, resolve as resolve_generate
from engine.settings import RunSettings
from engine.vary import absolute, inherited, named

LEAST, MOST = 2, 16
STEPS = 8
GUIDED = 6
"""Guided steps, unless the request says how many: the way is drawn, and guidance only smooths it."""

STRIP = "strip.png"
STRIP_PX = 256
FIELDS = ("from", "to", "count")


def resolve(params: Mapping[str, Any], folder: Path = presets.FOLDER) -> tuple[RunSettings, Delivery]:
    """The complete settings of an `interpolate` request: those of the first result < what the request names.

    Args:
        params: `from` and `to`, absolute paths of results' JSON files or of pictures; `count`, how many
            materials, both ends included (2 to 16, 8 unless given); fields of RunSettings and of Delivery.
        folder: where the preset files are.

    Raises:
        InvalidRequest: an end is missing or cannot be read, `count` is out of range, or see `params.resolve`.
        UnknownPreset: see `presets.load`.
    """
    ends = {}
    for name in ("from", "to"):
        if name not in params:
            raise InvalidRequest(f"{name!r} is missing: give a result's JSON file or a picture.", field=name)
        ends[name] = absolute(params[name], name)
    count = params.get("count", STEPS)
    if isinstance(count, bool) or not isinstance(count, int) or not LEAST <= count <= MOST:
        raise InvalidRequest(f"'count' must be {LEAST} to {MOST}; {count!r} was given.", field="count")
    asked = {name: value for name, value in params.items() if name not in FIELDS}
    title = named(ends["from"])
    settings: dict[str, Any] = {"steps": GUIDED}
    if sources.is_result(str(ends["from"])):
        settings = {**inherited(sources.sidecar(ends["from"], "from"), asked), "steps": GUIDED}
        title = settings["prompt"]
    if sources.is_result(str(ends["to"])):
        other = sources.sidecar(ends["to"], "to")["settings"].get("prompt", "")
    else:
        other = named(ends["to"])
    settings["prompt"] = f"{title} | {other}" if other and other != title else title
    settings |= {"image": str(ends["from"]), "towards": str(ends["to"]), "variations": count}
    settings["shares"] = [i / (count - 1) for i in range(count)]
    return resolve_generate({**settings, **asked}, folder)


def remove_strip(folder: Path) -> None:
    """Takes away the strip of an earlier run, before there are other materials beside it.

    Raises:
        CannotWrite: it cannot be removed.
    """
    from engine.material import files

    files.remove(folder / STRIP)


def write_strip(variations: Sequence[Mapping[str, Any]], folder: Path) -> str:
    """Writes strip.png, all base colours side by side in their order; returns its name.

    Args:
        variations: as in the summary.
        folder: where their files are.

    Raises:
        CannotWrite: the folder does not take files.
    """
    from engine.material import files

    pictures = []
    for v in variations:
        with Image.open(folder / v["files"]["basecolor"]) as opened:
            height = min(opened.height, STRIP_PX)
            pictures.append(
                opened.convert("RGB").resize(
                    (opened.width * height // opened.height, height), Image.Resampling.LANCZOS
                )
            )
    strip = Image.new("RGB", (sum(p.width for p in pictures), pictures[0].height))
    x = 0
    for picture in pictures:
        strip.paste(picture, (x, 0))
        x += picture.width
    files.write_picture(folder / STRIP, strip)
    return STRIP
