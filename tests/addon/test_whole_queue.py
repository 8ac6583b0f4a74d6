"""Queue, refine and history with the real engine: one process serves the tests of this file in turn."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import bpy
import pytest

from tests.addon.support import draw

READY_S = 180.0  # importing torch on two busy cores


@pytest.fixture
def blender(running):
    """A fresh file, a small run set up, and nothing going on."""
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    running.session.queue.clear()
    if running.state.job:
        bpy.ops.patina.cancel()
        running.until(lambda: not running.state.job)
    inputs = running.inputs
    inputs.size, inputs.variations, inputs.steps = "128", 2, 2
    inputs.judge_views, inputs.cutouts, inputs.proposals = 2, 2, 1
    return running


def press(blender, prompt, **settings):
    for name, value in {"prompt": prompt, **settings}.items():
        setattr(blender.inputs, name, value)
    assert bpy.ops.patina.generate() == {"FINISHED"}


def history(blender):
    past = blender.package.history_view.history
    draw(bpy.types.PATINA_PT_history)
    blender.until(lambda: past.begun and not past.busy)
    return {group.prompt: len(group.entries) for group in past.groups()}


def test_queue_refine_and_history(blender):
    press(blender, "red bricks", seed=3)
    press(blender, "grey slate", seed=4)
    bpy.ops.patina.generate()
    assert len(bpy.context.window_manager.patina_queue.runs) == 2
    blender.until(lambda: not blender.state.job, 2 * READY_S)
    assert blender.state.message == ""
    assert history(blender) == {"red bricks": 2, "grey slate": 4}
    sidecar = blender.session.chosen.sidecar
    assert sidecar.is_file()
    for scale in (1, 2):
        assert bpy.ops.patina.refine(scale=scale) == {"FINISHED"}
    assert len(bpy.context.window_manager.patina_queue.runs) == 1
    blender.until(lambda: not blender.state.job)
    assert blender.state.message == ""
    settings = json.loads(blender.session.chosen.sidecar.read_text())["settings"]
    assert (settings["width"], settings["image"], settings["variations"]) == (256, str(sidecar), 1)
    assert history(blender) == {"red bricks": 2, "grey slate": 6}
    bpy.context.view_layer.objects.active = bpy.data.objects["Cube"]
    assert bpy.ops.patina.apply() == {"FINISHED"}
    assert bpy.data.objects["Cube"].active_material.name.startswith("Grey slate")


def test_reused_settings_give_the_same_picture_again(blender):
    press(blender, "red bricks", seed=3, steps=3, temperature=0.7)
    blender.until(lambda: not blender.state.job, READY_S)
    first = blender.session.chosen
    inputs = blender.inputs
    inputs.lock_seed = False
    inputs.prompt, inputs.seed, inputs.steps, inputs.temperature, inputs.size = "x", 9, 9, 2.0, "256"
    assert bpy.ops.patina.history_reuse(key=str(first.sidecar)) == {"FINISHED"}
    assert bpy.ops.patina.generate() == {"FINISHED"}
    blender.until(lambda: not blender.state.job)
    again = blender.session.chosen
    assert again.key != first.key
    assert Path(again.key).read_bytes() == Path(first.key).read_bytes()


def test_an_engine_killed_with_a_queue(blender):
    press(blender, "oak planks", steps=5000)
    press(blender, "moss", steps=1)
    blender.until(lambda: blender.state.progress > 0.15 or not blender.state.job, READY_S)
    os.kill(blender.session.engine.pid, signal.SIGKILL)
    blender.until(lambda: blender.state.state == "failed", 10)
    assert [run.title for run in bpy.context.window_manager.patina_queue.runs] == ["moss", "oak planks"]
    assert not blender.state.job
    assert "killed" in blender.state.message
    assert "patina.restart_engine" in draw(bpy.types.PATINA_PT_main).operators()
    assert bpy.ops.patina.restart_engine() == {"FINISHED"}
    assert blender.state.message == ""
    blender.until(lambda: not blender.state.job, READY_S)
    assert [result.rank for result in blender.state.results] == [1, 2]
    assert blender.session.chosen.prompt == "moss"
    assert [run.title for run in bpy.context.window_manager.patina_queue.runs] == ["oak planks"]
    assert history(blender)["moss"] == 2
