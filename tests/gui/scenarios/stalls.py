"""How long a run keeps Blender's one thread: turns of its timer, drawings of panels, pauses altogether."""

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


OPEN = ("PATINA_PT_tiled", "PATINA_PT_material", "PATINA_PT_edit", "PATINA_PT_history")

BEAT_S = 0.01
IDLE_REDRAWS = 12

Turn = tuple[str, float, float]  # what it was, seconds by the clock, seconds of this thread's work


def play(artist: Artist) -> Steps[None]:
    """A run with every panel open that shows its results, and then all of them looked at."""
    spent: dict[str, list[Turn]] = {"timer": [], "panels": []}
    artist.pump.tick = timed(artist.pump.tick, "tick", spent["timer"])
    artist.unfold(*OPEN)
    for panel in (cls for cls in bpy.types.Panel.__subclasses__() if cls.__name__.startswith("PATINA_PT")):
        panel.draw = as_draw(timed(panel.draw, panel.__name__, spent["panels"]))
    artist.set()
    artist.inputs.prompt = artist.plan["prompt"]
    yield from artist.sidebar.open()
    idle, running = Beats(), Beats()
    resting, working = idle.beat, running.beat  # Blender knows a timer again by the very same object
    bpy.app.timers.register(resting)
    for _ in range(IDLE_REDRAWS):  # what drawing the window takes this machine when nothing is made
        yield from artist.sidebar.redraw()
    bpy.app.timers.unregister(resting)
    bpy.app.timers.register(working)
    yield from artist.press("patina.generate")
    yield from until(lambda: artist.state.job, "a run to begin", 5)
    yield from until(lambda: not artist.state.job, "the results", RUN_S)
    bpy.app.timers.unregister(working)
    artist.note_engine()
    assert not artist.state.message, f"the run failed: {artist.state.message} {artist.state.details}"
    for index in range(len(artist.state.results)):  # their pictures come in, and four of each side by side
        bpy.ops.patina.select(index=index)
        yield from artist.sidebar.redraw()
    past = bpy.context.window_manager.patina_history
    yield from until(lambda: len(past.results), "the history", 10)
    yield from artist.picture("stalls")
    pauses = {"idle": idle.late_s, "run": running.late_s}
    (artist.pictures / "stalls.json").write_text(json.dumps({"turns": spent, "pauses": pauses}))


class Beats:
    """A timer's beats, and by how many seconds each was late.

    Whatever the thread does makes it late: the add-on's own work, textures on their way to the driver,
    handlers, and drawing the window, which a software driver makes the most of.
    """

    def __init__(self) -> None:
        self.late_s: list[float] = []
        self._due: float | None = None

    def beat(self) -> float:
        now = time.perf_counter()
        if self._due is not None:
            self.late_s.append(max(now - self._due, 0.0))
        self._due = time.perf_counter() + BEAT_S
        return BEAT_S


def timed(function: Callable[..., T], name: str, turns: list[Turn]) -> Callable[..., T]:
    """The function, noting what each call takes."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> T:
        began, worked = time.perf_counter(), time.thread_time()
        try:
            return function(*args, **kwargs)
        finally:
            turns.append((name, time.perf_counter() - began, time.thread_time() - worked))

    return call


def as_draw(function: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """The function with a panel's two arguments by name: Blender counts them."""

    def draw(self: Any, context: Any) -> None:
        function(self, context)

    return draw
