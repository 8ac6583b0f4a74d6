"""The history's panel and buttons in a real Blender, with results on disk and no engine."""

from __future__ import annotations

import json
from pathlib import Path

import bpy
import pytest

from tests.addon.results_on_disk import write_run
from tests.addon.support import draw, write_png


@pytest.fixture
def past(blender):
    """Two prompts of earlier sessions on disk, and the history's panel opened."""
    root = blender.folder / "results"
    write_run(root / "2026-01-01_100000_1" / "001_moss", 3, prompt="wet moss", preset="stone", tile="x")
    write_run(root / "2026-01-02_100000_2" / "001_red_bricks", 2)
    for path in root.rglob("*.png"):
        write_png(path, path.stem.split("_v")[1].split("_", 1)[1])
    look(blender)
    return blender


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


def test_nothing_is_looked_for_before_someone_looks(blender):
    assert not blender.timers.queue
    draw(bpy.types.PATINA_PT_main)
    assert not blender.timers.queue
    draw(bpy.types.PATINA_PT_history)
    assert len(blender.timers.queue) == 1
    for _ in range(20):
        draw(bpy.types.PATINA_PT_history)  # as when the mouse moves: must not put the tick off
    blender.until(lambda: not blender.timers.queue, 5)
    assert blender.session.engine.pid is None
    draw(bpy.types.PATINA_PT_history)
    assert not blender.timers.queue, "an idle panel keeps the timer running"


def test_earlier_sessions_are_there_by_prompt(past):
    assert [(item.name, item.count) for item in history().prompts] == [("red bricks", 2), ("wet moss", 3)]
    layout = look(past)
    assert layout.operators().count("patina.history_show") == 2
    assert "5 results" in layout.texts()


def test_another_prompt_is_shown_when_it_is_clicked(past):
    history().active = 1
    look(past)
    assert len(keys()) == 3
    assert all("moss" in key for key in keys())


def test_the_active_prompt_stays_when_a_newer_one_comes(past):
    history().active = 1
    look(past)
    write_run(past.folder / "results" / "2026-01-03_100000_3" / "001_oak", prompt="oak")
    assert bpy.ops.patina.history_refresh() == {"FINISHED"}
    look(past)
    assert [item.name for item in history().prompts] == ["oak", "red bricks", "wet moss"]
    assert history().active == 2
    assert "moss" in keys()[0]


def test_search_and_starred_only(past):
    history().search = "moss"
    look(past)
    assert [item.name for item in history().prompts] == ["red bricks", "wet moss"]  # the first avoids moss
    history().search = "stone"
    look(past)
    assert [item.name for item in history().prompts] == ["wet moss"]
    assert bpy.ops.patina.star(key=keys()[1]) == {"FINISHED"}
    history().search, history().starred_only = "", True
    look(past)
    assert [(item.name, item.count) for item in history().prompts] == [("wet moss", 1)]
    assert history().results[0].starred
    history().search = "no such thing"
    assert "patina.history_show" not in look(past).operators()


def test_pages_of_a_prompt_with_many_results(past):
    for run in range(5):
        write_run(past.folder / "results" / "2026-01-04_100000_4" / f"{run:03}_oak", 4, prompt="oak")
    bpy.ops.patina.history_refresh()
    history().active = 0
    look(past)
    history().active = [item.name for item in history().prompts].index("oak")
    look(past)
    first = keys()
    assert (len(first), history().pages) == (12, 2)
    assert bpy.ops.patina.history_page(step=1) == {"FINISHED"}
    look(past)
    assert len(keys()) == 8
    assert not set(first) & set(keys())


def test_a_result_of_the_past_is_a_result_like_any_other(past):
    assert bpy.ops.patina.history_show(key=keys()[1]) == {"FINISHED"}
    assert [result.rank for result in past.state.results] == [1, 2]
    assert past.state.selected == 1
    cube = bpy.data.objects["Cube"]
    bpy.context.view_layer.objects.active = cube
    assert bpy.ops.patina.apply() == {"FINISHED"}
    images = [node.image for node in cube.active_material.node_tree.nodes if node.type == "TEX_IMAGE"]
    assert {Path(image.filepath).parent.name for image in images} == {"001_red_bricks"}


def test_all_settings_come_back(past):
    inputs = past.inputs
    inputs.steps, inputs.cutouts, inputs.use_relief = 99, 50, True
    history().active = 1
    look(past)
    assert bpy.ops.patina.history_reuse(key=keys()[0]) == {"FINISHED"}
    assert (inputs.prompt, inputs.negative, inputs.preset) == ("wet moss", "moss", "stone")
    assert (inputs.seed, inputs.size, inputs.tile, inputs.variations) == (77, "512", "x", 2)
    assert (inputs.steps, inputs.use_relief, inputs.lock_seed) == (33, False, True)
    sent = past.package.properties.run_settings(inputs)
    asked = json.loads(Path(keys()[0]).read_text())["settings"]
    preset = past.package.presets.load_all()["stone"].settings
    for name, value in sent.items():
        assert asked[name] == value, name
    left = set(past.package.properties.ADVANCED) & set(asked) - set(sent)  # to who gives the same
    assert {"cutouts", "keep"} <= left
    for name in left - {"coarse"}:
        assert asked[name] == preset.get(name, getattr(inputs, name)), name
    assert past.package.properties.set_by_quality(inputs)["coarse"] is asked["coarse"] is True


def test_what_the_panel_cannot_have_is_said(past):
    sidecar = write_run(past.folder / "results" / "x" / "001_x", 1, preset="gone", seed=2**52, mask="/a.png")[
        0
    ]
    assert bpy.ops.patina.history_reuse(key=str(sidecar)) == {"FINISHED"}
    assert set(past.package.reuse.take(past.inputs, json.loads(sidecar.read_text())["settings"])) == {
        "mask",
        "preset",
        "seed",
    }


def test_deleting_one(past):
    key = keys()[0]
    bpy.ops.patina.history_show(key=key)
    assert bpy.ops.patina.history_delete(key=key) == {"FINISHED"}
    assert len(past.state.results) == 1, "a deleted result can still be applied"
    look(past)
    assert not Path(key).exists()
    assert len(keys()) == 1


def test_what_the_file_uses_is_not_deleted(past):
    key = keys()[0]
    bpy.ops.patina.history_show(key=key)
    bpy.context.view_layer.objects.active = bpy.data.objects["Cube"]
    bpy.ops.patina.apply()
    with pytest.raises(RuntimeError, match="uses this result"):
        bpy.ops.patina.history_delete(key=key)
    bpy.ops.patina.star(key=keys()[1])
    assert bpy.ops.patina.history_delete_unstarred() == {"FINISHED"}
    look(past)
    left = sorted(path.name for path in (past.folder / "results").rglob("*.json"))
    assert left == ["red_bricks_v1.json", "red_bricks_v2.json", "summary.json"]


def test_a_file_brings_no_history_of_its_own(past, tmp_path):
    path = tmp_path / "other.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    bpy.ops.patina.star(key=keys()[0])
    look(past)
    bpy.ops.wm.open_mainfile(filepath=str(path))
    look(past)
    assert [item.name for item in history().prompts] == ["red bricks", "wet moss"]
    assert history().results[0].starred
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    look(past)
    assert len(keys()) == 2


def test_disabling_in_mid_scan(blender):
    write_run(blender.folder / "results" / "a" / "001_x")
    draw(bpy.types.PATINA_PT_history)
    assert blender.timers.queue
    bpy.ops.preferences.addon_disable(module="patina")
    assert not blender.timers.queue
    bpy.ops.preferences.addon_enable(module="patina")
    bpy.context.preferences.addons["patina"].preferences.results_folder = str(blender.folder / "results")
    look(blender)
    assert len(keys()) == 2
