"""The history without an engine: results that lie there from earlier days, always the same ones."""

from __future__ import annotations

import bpy

from tests.addon.results_on_disk import write_run
from tests.gui.artist import REDRAW_S, Artist
from tests.gui.guikit import Steps, until

RUNS = {"2026-01-02_100000_1/001_wet_moss": "wet moss", "2026-01-03_100000_2/001_red_bricks": "red bricks"}


def play(artist: Artist) -> Steps[None]:
    """Two prompts, the older one looked at."""
    folder = artist.pictures.parent / "earlier"
    for place, prompt in RUNS.items():
        write_run(folder / place, 3, prompt=prompt)
    artist.preferences.results_folder = str(folder)
    artist.unfold("PATINA_PT_history")
    yield from artist.sidebar.open()
    bpy.ops.patina.history_refresh()
    past = bpy.context.window_manager.patina_history
    newest_first = list(reversed(RUNS.values()))
    yield from until(lambda: [item.name for item in past.prompts] == newest_first, "both prompts", 20)
    past.active = 1
    artist.sidebar.area.tag_redraw()
    yield from until(lambda: past.results and "moss" in past.results[0].key, "the older results", 10)
    yield REDRAW_S
    yield from artist.picture("past")
    artist.preferences.property_unset("results_folder")
    artist.unfold()
