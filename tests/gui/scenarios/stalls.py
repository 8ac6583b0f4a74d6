"""How long a run keeps Blender's one thread: every turn of the timer, every drawing of a panel."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

import bpy

from tests.gui.artist import RUN_S, Artist
from tests.gui.guikit import Steps, until

T = TypeVar("T")


def play(artist: Artist) -> Steps[None]:
    """How long a run keeps Blender's one thread: every turn of the timer and every drawing of a panel."""
    spent: dict[str, list[float]] = {"timer": [], "panels": []}
    artist.pump.tick = timed(artist.pump.tick, spent["timer"])
    for panel in (cls for cls in bpy.types.Panel.__subclasses__() if cls.__name__.startswith("PATINA_PT")):
        panel.draw = timed(panel.draw, spent["panels"])
    artist.set()
    artist.inputs.prompt = artist.plan["prompt"]
    yield from artist.sidebar.open()
    yield from artist.press("patina.generate")
    yield from until(lambda: artist.state.job, "a run to begin", 5)
    yield from until(lambda: not artist.state.job, "the results", RUN_S)
    artist.note_engine()
    assert not artist.state.message, f"the run failed: {artist.state.message} {artist.state.details}"
    yield 1.0  # the results' thumbnails come in
    (artist.pictures / "stalls.json").write_text(json.dumps(spent))


def timed(function: Callable[..., T], seconds: list[float]) -> Callable[..., T]:
    """The function, noting what each call takes."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> T:
        began = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            seconds.append(time.perf_counter() - began)

    return call
