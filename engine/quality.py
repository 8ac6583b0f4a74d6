"""How much time a run may take: what fills the settings that a request and its preset leave open."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from engine.errors import InvalidRequest, Remedy
from engine.settings import ExtraGuide, RunSettings

LARGE_PX = 512
"""From this side on, most steps are taken at half the size."""

HALVES_PX = 32
"""Sides that halve to sides that packs take are multiples of this, and twice the smallest."""

GPU_SIDE_PX = 512

QUALITIES: dict[str, dict[str, Any]] = {
    "draft": {"steps": 4, "cutouts": 4, "proposals": 2, "judge_views": 8},
    "normal": {},  # the defaults of RunSettings
    "best": {"steps": 18, "cutouts": 12, "proposals": 8, "judge_views": 32, "candidates": 4},
}
"""By the name of the quality. `width`, `height` and `guides` are not here: see `filled`."""


def filled(
    asked: Collection[str], settings: RunSettings, *, gpu: bool, guides: Sequence[ExtraGuide] = ()
) -> dict[str, Any]:
    """What settings become whose values nobody asked for.

    Args:
        asked: names of what the request and its preset set.
        settings: these, complete by defaults.
        gpu: whether it runs on one: only there is "best" larger, as a CPU would take minutes.
        guides: what the pack offers beside its own guide, a costly one every so many steps: "best" takes
            them all, and the other two none.
    """
    chosen = dict(QUALITIES[settings.quality])
    if settings.quality == "best" and gpu and "width" not in asked and "height" not in asked:
        chosen |= {"width": GPU_SIDE_PX, "height": GPU_SIDE_PX}
    if settings.quality == "best" and guides:
        chosen["guides"] = tuple(guides)
    found = {name: value for name, value in chosen.items() if name not in asked}
    sides = [found.get("width", settings.width), found.get("height", settings.height)]
    if "coarse" not in asked and max(sides) >= LARGE_PX and halves(*sides):
        found["coarse"] = True
    return found


def check(s: RunSettings) -> None:
    """See that a coarse stage has a size.

    Raises:
        InvalidRequest: half of a side is none that a picture can have.
    """
    if s.coarse and not halves(s.width, s.height):
        least = 2 * _smallest_px()
        raise InvalidRequest(
            f"'coarse' takes sides of {least} pixels or more, in steps of {HALVES_PX}; "
            f"{s.width} x {s.height} was given. Set coarse to false.",
            field="coarse",
            remedy=Remedy("coarse", value=False),
        )


def check_sides(s: RunSettings, step_px: int) -> None:
    """See that a picture, and a coarse stage's, is made of whole codes of the pack.

    Args:
        s: complete.
        step_px: see `Pack.step_px`.

    Raises:
        InvalidRequest: a side is between two that the pack can make; `field` names it.
    """
    for name, side in (("width", s.width), ("height", s.height)):
        if side % step_px:
            low = side - side % step_px
            near = low if side - low < low + step_px - side else low + step_px
            raise InvalidRequest(
                f"The pack {s.pack!r} makes pictures in steps of {step_px} pixels; {name} {side} was given. "
                f"The nearest are {low} and {low + step_px}.",
                field=name,
                remedy=Remedy(name, near),
            )
    if s.coarse and (s.width % (2 * step_px) or s.height % (2 * step_px)):
        raise InvalidRequest(
            f"'coarse' takes sides in steps of {2 * step_px} pixels with the pack {s.pack!r}; "
            f"{s.width} x {s.height} was given. Set coarse to false.",
            field="coarse",
            remedy=Remedy("coarse", value=False),
        )


def halves(width: int, height: int) -> bool:
    """Whether a picture of half these sides can be made."""
    return all(side % HALVES_PX == 0 and side >= 2 * _smallest_px() for side in (width, height))


def _smallest_px() -> int:
    (least,) = (m.ge for m in RunSettings.model_fields["width"].metadata if hasattr(m, "ge"))
    return int(least)
