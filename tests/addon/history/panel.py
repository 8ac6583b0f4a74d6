"""The history's panel, drawn, and what it lists."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

import bpy

from tests.addon.support import Layout, draw


def look(blender):
    """Draw the panel until it has what it asked for."""
    shown = bpy.context.window_manager.patina_history
    draw(bpy.types.PATINA_PT_history)
    blender.until(lambda: not blender.timers.queue, 20)
    assert not shown.scanning
    return draw(bpy.types.PATINA_PT_history)


def history():
    return bpy.context.window_manager.patina_history


def keys():
    return [item.key for item in history().results]


def asked(operator, key=""):
    """What the dialog says before it deletes; nothing is deleted yet."""
    asking = SimpleNamespace(key=key, said=(), report=None)
    asking.doomed = partial(operator.doomed, asking)
    manager = SimpleNamespace(invoke_props_dialog=lambda *_, **named: {"RUNNING_MODAL"})
    assert operator.invoke(asking, SimpleNamespace(window_manager=manager), None) == {"RUNNING_MODAL"}
    asking.layout = Layout()
    operator.draw(asking, bpy.context)
    return asking.layout.texts()
