"""The queue's panel while a run goes on: further runs, cancelling, a crash, another file, undo."""

from __future__ import annotations

import os
import signal

import bpy

from tests.addon.results.runs import panel, press, runs


def test_generate_queues_while_a_run_goes_on(blender, small_engine):
    asked = small_engine()
    blender.inputs.preset = "stone"
    press(blender, "slow", "moss", "oak")
    label = blender.package.presets.load_all()["stone"].label
    assert runs() == [("moss", label), ("oak", label)]
    blender.until(lambda: blender.state.progress > 0)
    layout = panel()
    assert {"patina.queue_clear", "patina.queue_remove", "patina.cancel"} <= set(layout.operators())
    assert [text for text in layout.texts() if text.startswith("2 waiting, ")]
    assert f"moss ({label})" in layout.texts()
    assert layout.texts().count(f"slow ({label})") == 1, "above the bar alone"
    assert layout.operators().count("patina.cancel") == 1
    assert layout.texts().index(f"slow ({label})") < layout.texts().index(f"moss ({label})")
    number = bpy.context.window_manager.patina_queue.runs[0].number
    assert bpy.ops.patina.queue_remove(number=number) == {"FINISHED"}
    assert runs() == [("oak", label)]
    bpy.ops.patina.cancel()
    blender.until(lambda: not blender.state.job)
    assert [params["prompt"] for _, params in asked()] == ["slow", "oak"]
    assert runs() == []
    assert "patina.queue_clear" not in panel().operators()


def test_cancelling_all(blender, small_engine):
    asked = small_engine()
    assert not bpy.ops.patina.cancel_all.poll()
    press(blender, "slow", "moss", "oak")
    blender.until(lambda: blender.state.progress > 0)
    assert "patina.cancel_all" in panel().operators()
    assert bpy.ops.patina.cancel_all() == {"FINISHED"}
    assert runs() == []
    assert bpy.ops.patina.cancel_all() == {"FINISHED"}  # pressed twice
    blender.until(lambda: not blender.state.job)
    assert [params["prompt"] for _, params in asked()] == ["slow"]
    assert blender.state.message == ""


def test_an_engine_killed_with_a_queue_loses_nothing(blender, small_engine):
    asked = small_engine()
    press(blender, "slow one", "moss", "oak")
    blender.until(lambda: blender.state.progress > 0)
    os.kill(blender.session.engine.pid, signal.SIGKILL)
    blender.until(lambda: blender.state.state == "failed", 10)
    assert [title for title, _ in runs()] == ["moss", "oak", "slow one"]
    layout = panel()
    assert {"patina.queue_retry", "patina.queue_go_on", "patina.restart_engine"} <= set(layout.operators())
    assert bpy.ops.patina.restart_engine() == {"FINISHED"}
    blender.until(lambda: not blender.state.job and len(asked()) == 3)
    assert [title for title, _ in runs()] == ["slow one"]
    assert bpy.ops.patina.queue_retry(number=blender.session.queue.lost[0].run.number) == {"FINISHED"}
    assert runs() == []
    blender.until(lambda: len(asked()) == 4)
    assert asked()[3][1]["prompt"] == "slow one"
    first, again = asked()[0][1], asked()[3][1]
    assert {**first, "folder": ""} == {**again, "folder": ""}
    assert first["folder"] != again["folder"]


def test_going_on_without_the_run_that_failed(blender, small_engine):
    asked = small_engine()
    press(blender, "slow", "moss")
    blender.until(lambda: blender.state.progress > 0)
    os.kill(blender.session.engine.pid, signal.SIGKILL)
    blender.until(lambda: blender.state.state == "failed", 10)
    assert bpy.ops.patina.queue_go_on() == {"FINISHED"}
    blender.until(lambda: not blender.state.job)
    assert asked()[-1][1]["prompt"] == "moss"
    assert bpy.ops.patina.queue_clear() == {"FINISHED"}
    assert runs() == []
    assert not bpy.ops.patina.queue_clear.poll()


def test_loading_a_file_in_mid_job_keeps_the_queue(blender, small_engine, tmp_path):
    asked = small_engine()
    path = tmp_path / "other.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    press(blender, "slow", "moss")
    blender.until(lambda: blender.state.progress > 0)
    bpy.ops.wm.open_mainfile(filepath=str(path))
    assert [title for title, _ in runs()] == ["moss"]
    assert blender.state.job
    bpy.ops.patina.cancel()
    blender.until(lambda: not blender.state.job)
    assert asked()[-1][1]["prompt"] == "moss"


def test_a_file_saved_in_mid_job_opens_calm_afterwards(blender, small_engine, tmp_path):
    small_engine()
    press(blender, "slow")
    blender.until(lambda: blender.state.progress > 0)
    path = str(tmp_path / "in_mid_job.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    assert blender.state.job, "the run was lost with its own file"
    bpy.ops.patina.cancel()
    blender.until(lambda: not blender.state.job)
    bpy.ops.wm.open_mainfile(filepath=path)
    assert not blender.state.job
    assert blender.inputs.prompt == "slow"
    assert "patina.cancel" not in panel().operators()


def test_undo_in_mid_job_keeps_run_and_queue(blender, small_engine):
    asked = small_engine()
    bpy.ops.ed.undo_push(message="before")
    press(blender, "slow", "moss")
    bpy.data.objects["Cube"].location.x = 3
    bpy.ops.ed.undo_push(message="moved")
    blender.until(lambda: blender.state.progress > 0)
    assert bpy.ops.ed.undo() == {"FINISHED"}
    assert bpy.data.objects["Cube"].location.x == 0
    assert blender.state.job
    assert [title for title, _ in runs()] == ["moss"]
    assert blender.state.progress > 0
    bpy.ops.patina.cancel()
    blender.until(lambda: not blender.state.job)
    assert asked()[-1][1]["prompt"] == "moss"
    assert bpy.ops.ed.redo() == {"FINISHED"}
    assert bpy.data.objects["Cube"].location.x == 3
    panel()


def test_disabling_with_a_queue_ends_everything(blender, small_engine):
    small_engine()
    press(blender, "slow", "moss")
    blender.until(lambda: blender.state.progress > 0)
    bpy.ops.preferences.addon_disable(module="patina")
    assert not blender.timers.queue
    bpy.ops.preferences.addon_enable(module="patina")
    assert runs() == []
    assert not blender.state.job
