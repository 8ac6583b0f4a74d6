"""The library in a window: a folder of textures indexed, searched by words, one of them put on the cube."""

from __future__ import annotations

import bpy

from tests.gui.artist import Artist
from tests.gui.guikit import Steps, until

WAIT_S = 300.0
PANELS = ("PATINA_PT_library", "PATINA_PT_sources", "PATINA_PT_library_folders")


def play(artist: Artist) -> Steps[None]:
    """As an artist does it, but for the file browser: adding the folder is one call of its operator."""
    shelf = artist.module("shelf")
    artist.unfold(*PANELS)
    yield from artist.sidebar.open()
    yield from artist.picture("library empty")
    bpy.ops.patina.library_add(directory=artist.plan["textures"])
    yield from until(lambda: shelf.library.progress > 0, "progress", WAIT_S)
    artist.note_engine()
    yield from artist.picture("library indexing")
    yield from until(lambda: not shelf.turn() and shelf.library.known, "the index", WAIT_S)
    assert not shelf.library.message, shelf.library.message
    assert all(shelf.icon(found) for found in shelf.library.shown()), "no icons"
    yield from artist.picture("library found")

    bpy.context.window_manager.patina_library.text = artist.plan["words"]
    yield from artist.press("patina.library_search", across=(0.83,))
    yield from until(lambda: shelf.library.title == "Best first" and not shelf.turn(), "results", WAIT_S)
    scores = [found.score for found in shelf.library.results]
    assert scores == sorted(scores, reverse=True)
    yield from artist.press("patina.library_choose")
    yield from until(lambda: shelf.library.chosen() is not None, "a chosen texture", 5)
    yield from artist.picture("library")

    bpy.ops.patina.library_apply()
    cube = bpy.data.objects["Cube"]
    assert cube.active_material.get("patina_library") == shelf.library.selected
    artist.sidebar.area.spaces.active.shading.color_type = "TEXTURE"
    yield from artist.picture("library applied")
    artist.unfold()
