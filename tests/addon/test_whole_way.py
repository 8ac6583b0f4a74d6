"""The whole way with the real engine and real networks: one process serves the tests of this file in turn."""

from __future__ import annotations

import time
from pathlib import Path

import bpy
import pytest

from tests.addon.support import draw, wait_gone

READY_S = 180.0  # importing torch on two busy cores


@pytest.fixture
def blender(running):
    """A fresh file, and nothing going on."""
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    if running.state.job:
        bpy.ops.patina.cancel()
        running.until(lambda: not running.state.job)
    return running


@pytest.fixture
def ask(blender):
    """Set up a small run and press Generate."""
    inputs = blender.inputs
    inputs.prompt, inputs.size, inputs.variations, inputs.steps = "red bricks", "128", 2, 2
    inputs.judge_views, inputs.cutouts, inputs.proposals, inputs.lock_seed = 2, 2, 1, True

    def press(**settings):
        for name, value in settings.items():
            setattr(inputs, name, value)
        assert bpy.ops.patina.generate() == {"FINISHED"}

    return press


def test_from_a_prompt_to_a_material(blender, ask):
    cube = bpy.data.objects["Cube"]
    ask(seed=5)
    assert blender.state.job
    seen = []
    blender.until(lambda: seen.append(blender.state.progress) or not blender.state.job, READY_S)
    assert blender.state.message == ""
    assert seen == sorted(seen)
    assert len({value for value in seen if 0 < value < 1}) >= 2
    assert [result.rank for result in blender.state.results] == [1, 2]
    scores = [result.judge_score for result in blender.state.results]
    assert scores == sorted(scores, reverse=True)
    assert Path(blender.state.results[0].basecolor).is_relative_to(blender.folder / "results")
    assert blender.state.state == "ready"
    assert blender.state.version
    layout = draw(bpy.types.PATINA_PT_main)
    assert "patina.apply" in layout.operators()
    bpy.context.view_layer.objects.active = cube
    assert bpy.ops.patina.apply() == {"FINISHED"}
    images = [node.image for node in cube.active_material.node_tree.nodes if node.type == "TEX_IMAGE"]
    assert len(images) == 6
    assert {tuple(image.size) for image in images} == {(128, 128)}
    # The engine stays, and the next run needs no start.
    pid = blender.session.engine.pid
    ask(seed=6)
    blender.until(lambda: not blender.state.job)
    assert (blender.state.message, blender.session.engine.pid) == ("", pid)
    first = Path(images[0].filepath)
    assert first.is_file(), "a new run took away the files of the one before"


def test_generating_touches_no_scene_data(blender, ask):
    def content():
        return {
            name: sorted(getattr(bpy.data, name).keys())
            for name in ("materials", "images", "objects", "meshes", "textures", "node_groups")
        }

    before = content()
    ask()
    blender.until(lambda: not blender.state.job, READY_S)
    assert blender.state.results
    assert content() == before


def test_live_pictures_arrive(blender, ask):
    """Icons are numbered only where there is a window; their pixels are there without one."""
    ask(steps=30)
    blender.until(lambda: blender.state.live or not blender.state.job, READY_S)
    assert blender.state.live >= 1, blender.state.message
    icons = blender.package.images._collection
    icon = icons["live 0"]
    assert tuple(icon.image_size) == (128, 128)
    pixels = list(icon.image_pixels[:4000])
    assert len(set(pixels)) > 10
    draw(bpy.types.PATINA_PT_main)
    bpy.ops.patina.cancel()
    blender.until(lambda: not blender.state.job)


def test_cancel_in_mid_job_and_go_on(blender, ask):
    ask(steps=40)
    blender.until(lambda: blender.state.progress > 0.15 or not blender.state.job, READY_S)
    pid = blender.session.engine.pid
    start = time.monotonic()
    assert bpy.ops.patina.cancel() == {"FINISHED"}
    assert not bpy.ops.patina.cancel.poll()
    assert blender.state.status == "Cancelling"
    blender.until(lambda: not blender.state.job, 30)
    assert time.monotonic() - start < 15
    assert (blender.state.message, blender.state.state) == ("", "ready")
    assert blender.session.engine.pid == pid
    assert bpy.ops.patina.generate.poll()
    kept, folder = [item.key for item in blender.state.results], blender.session.folder
    assert len(kept) == 2
    assert "Stopped after step" in blender.state.warnings
    assert "patina.resume" in draw(bpy.types.PATINA_PT_main).operators()
    before = Path(kept[0]).read_bytes()
    assert bpy.ops.patina.resume() == {"FINISHED"}
    blender.until(lambda: not blender.state.job, READY_S)
    assert (blender.state.message, blender.state.warnings) == ("", "")
    assert blender.session.folder == folder
    assert [item.key for item in blender.state.results] == kept
    assert Path(kept[0]).read_bytes() != before
    assert "patina.resume" not in draw(bpy.types.PATINA_PT_main).operators()
    with pytest.raises(RuntimeError, match="not cancelled"):
        bpy.ops.patina.resume()


def test_what_the_engine_refuses_comes_with_its_sentence(blender, ask, monkeypatch):
    honest = blender.package.properties.run_settings
    monkeypatch.setattr(
        blender.package.properties, "run_settings", lambda inputs: {**honest(inputs), "steps": 999_999}
    )
    ask()
    blender.until(lambda: not blender.state.job, READY_S)
    assert "steps" in blender.state.message
    assert (blender.state.setting, blender.state.value) == ("steps", "5000")
    assert "Set Steps to 5000" in draw(bpy.types.PATINA_PT_main).texts()
    assert bpy.ops.patina.apply_remedy() == {"FINISHED"}
    assert blender.inputs.steps == 5000
    assert blender.state.message == ""


def test_loading_a_file_in_mid_job_keeps_the_run(blender, ask, tmp_path):
    path = tmp_path / "other.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    ask(steps=20)
    blender.until(lambda: blender.state.progress > 0.1 or not blender.state.job, READY_S)
    pid = blender.session.engine.pid
    bpy.ops.wm.open_mainfile(filepath=str(path))
    assert blender.state.job
    assert draw(bpy.types.PATINA_PT_main).operators().count("patina.cancel") == 1
    assert all(blender.timers.persistent.values())
    blender.until(lambda: not blender.state.job)
    assert blender.session.engine.pid == pid
    assert len(blender.state.results) == 2
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    assert len(blender.state.results) == 2


def test_disabling_in_mid_job_leaves_no_process(blender, ask):
    ask(steps=5000)
    blender.until(lambda: blender.state.progress > 0.15 or not blender.state.job, READY_S)
    pid = blender.session.engine.pid
    bpy.ops.preferences.addon_disable(module="patina")
    wait_gone(pid)
    assert not blender.timers.queue
