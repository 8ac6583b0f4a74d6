"""Two runs, the second of them queued; a star; the first one again from the history."""

from __future__ import annotations

import bpy

from tests.gui.artist import REDRAW_S, RUN_S, Artist
from tests.gui.guikit import Steps, until

QUICK = {"size": "128", "variations": 2, "steps": 32}  # longer than it takes to find a button


def play(artist: Artist) -> Steps[None]:
    """Two runs, the second of them queued; a star; the first one again from the history."""
    artist.unfold("PATINA_PT_history")
    for name, value in QUICK.items():
        setattr(artist.inputs, name, value)
    yield from artist.sidebar.open()
    for prompt in ("red bricks", "grey slate"):
        artist.inputs.prompt = prompt
        yield from artist.press("patina.generate")
    queue = bpy.context.window_manager.patina_queue
    yield from until(lambda: len(queue.runs) == 1, "a run in the queue", 10)
    yield from until(lambda: artist.state.live and artist.state.progress > 0.3, "live pictures", RUN_S)
    artist.note_engine()
    yield from artist.picture("queue")
    yield from until(lambda: not artist.state.job and not len(queue.runs), "both runs", RUN_S)
    yield REDRAW_S
    star = 'patina.star(key="")'
    places = yield from artist.sidebar.find(
        star, across=(0.81,)
    )  # at the row's end, and away from the scroll bar
    yield from artist.pointer.click(places[star])
    yield from until(lambda: artist.state.results[0].starred, "a star", 5)
    yield from artist.picture("chosen")
    past = bpy.context.window_manager.patina_history
    newest = ["grey slate", "red bricks"]
    yield from until(lambda: [item.name for item in past.prompts][:2] == newest, "both prompts", 10)
    past.active = 1
    artist.sidebar.area.tag_redraw()
    yield from until(lambda: past.results and "red_bricks" in past.results[0].key, "the older results", 10)
    yield from artist.press("patina.history_show(", across=(0.2,))
    yield from until(lambda: "red_bricks" in artist.state.results[0].key, "the older results above", 5)
    yield from artist.picture("history")
    artist.unfold()
