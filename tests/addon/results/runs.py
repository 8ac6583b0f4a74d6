"""Runs that are pressed for, and the panel that shows them."""

from __future__ import annotations

import bpy

from tests.addon.support import draw


def press(blender, *prompts):
    for prompt in prompts:
        blender.inputs.prompt = prompt
        assert bpy.ops.patina.generate() == {"FINISHED"}


def panel():
    return draw(bpy.types.PATINA_PT_main)


def runs():
    return [(run.title, run.preset) for run in bpy.context.window_manager.patina_queue.runs]
