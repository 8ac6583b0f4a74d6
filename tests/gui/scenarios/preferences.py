"""The add-on's preferences, where Blender shows them."""

from __future__ import annotations

import bpy

from tests.gui.artist import Artist
from tests.gui.guikit import Steps, take_picture, until


def play(artist: Artist) -> Steps[None]:
    """Open them by the button that the panel's message has, and unfold what Blender shows folded."""
    before = len(bpy.context.window_manager.windows)
    bpy.ops.patina.open_preferences()
    windows = bpy.context.window_manager.windows
    yield from until(lambda: len(windows) > before, "the window of preferences", 10)
    assert bpy.context.preferences.active_section == "ADDONS"
    yield 0.5
    with bpy.context.temp_override(window=windows[-1]):
        bpy.ops.wm.window_close()
    area = artist.sidebar.area
    area.type = "PREFERENCES"  # in full: without a window manager the window of its own stays small
    yield from until(lambda: area.type == "PREFERENCES", "preferences in the large window", 5)
    yield from artist.pointer.move((area.x + area.width // 3, area.y + 40))  # or a tooltip is in the way
    for _ in range(3):
        area.tag_redraw()
        yield 0.5
    take_picture(artist.pictures / "preferences.png")
    area.type = "VIEW_3D"
    yield 0.3
