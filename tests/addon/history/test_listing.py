"""The history's panel in a real Blender: prompts, search, pages, and a result taken up again."""

from __future__ import annotations

import json
from pathlib import Path

import bpy
import pytest

from tests.addon.history.panel import history, keys, look
from tests.addon.results_on_disk import write_run
from tests.addon.support import draw


def test_nothing_is_looked_for_before_someone_looks(blender):
    assert not blender.timers.queue
    for _ in range(2):
        draw(bpy.types.PATINA_PT_main)
        blender.until(lambda: not blender.timers.queue, 5)  # a turn for the prompts of earlier Blenders
        assert not blender.package.history_view.history.begun
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


def test_the_two_buttons_for_a_clicked_result_say_that_none_is(past):
    def greyed(layout):
        return "patina_unclicked" in [given["name"] for call, given in layout.calls if call == POINTER]

    def reason():
        with bpy.context.temp_override(patina_unclicked=history()):
            assert bpy.ops.patina.history_reuse.poll() is False
            with pytest.raises(RuntimeError, match="Click one of these results first"):
                bpy.ops.patina.history_delete(key=keys()[0])

    assert greyed(look(past))
    reason()
    bpy.ops.patina.history_show(key=keys()[0])
    layout = look(past)
    assert not greyed(layout)
    assert not [value for name, value in layout.calls if name == "enabled"], "greyed without words"
    assert bpy.ops.patina.history_reuse.poll()


POINTER = "context_pointer_set"


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
