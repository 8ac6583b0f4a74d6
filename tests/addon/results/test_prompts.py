"""The last prompts."""

from __future__ import annotations

import bpy

from tests.addon.results.runs import press, runs
from tests.addon.support import draw


def test_last_prompts_can_be_picked_and_outlive_blender(blender, small_engine):
    small_engine()
    blender.inputs.negative = "cracks"
    press(blender, "oak", "moss", "oak")
    blender.until(lambda: not blender.state.job and not runs())
    assert draw(bpy.types.PATINA_MT_prompts).texts()[:2] == ["oak", "moss"]
    bpy.ops.preferences.addon_disable(module="patina")
    bpy.ops.preferences.addon_enable(module="patina")
    assert draw(bpy.types.PATINA_MT_prompts).texts()[:2] == ["oak", "moss"]
    assert draw(bpy.types.PATINA_MT_negatives).texts()[0] == "cracks"
    assert bpy.ops.patina.use_words(field="prompt", words="moss") == {"FINISHED"}
    assert blender.inputs.prompt == "moss"
    assert bpy.ops.patina.use_words(field="seed", words="1") == {"CANCELLED"}


def test_a_damaged_file_of_prompts_is_no_obstacle(blender):
    path = blender.package.prompts.path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{")
    bpy.ops.preferences.addon_disable(module="patina")
    bpy.ops.preferences.addon_enable(module="patina")
    assert draw(bpy.types.PATINA_MT_prompts).texts() == ["Nothing yet"]
    path.unlink()
