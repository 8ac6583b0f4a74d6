"""What each panel draws in each state, checked by the RNA of the Blender that runs."""

from __future__ import annotations

import builtins
import io
import os
import re

import bpy
import pytest

from tests.addon.support import ROOT, Layout, draw

PANELS = [
    "PATINA_PT_main",
    "PATINA_PT_history",
    "PATINA_PT_settings",
    "PATINA_PT_material",
    "PATINA_PT_engine",
]

STATES = {
    "stopped": {"state": "stopped"},
    "missing": {"state": "missing", "message": "The engine is not installed: there is no Python at /x."},
    "starting": {"state": "starting", "job": True, "status": "Starting the engine"},
    "ready": {"state": "ready", "version": "0.1.0", "device": "cpu"},
    "busy": {"state": "busy", "job": True, "progress": 0.4, "status": "Step 4 of 10, 3 s left"},
    "showing": {"state": "busy", "job": True, "progress": 0.6, "live": 4, "status": "Step 6 of 10"},
    "cancelling": {"state": "busy", "job": True, "cancelling": True, "status": "Cancelling"},
    "failed": {
        "state": "failed",
        "message": "The engine crashed.",
        "log_tail": "one line\nanother line " * 9,
    },
    "refused": {"state": "ready", "message": "Too large.", "setting": "width", "value": "512"},
}


pytestmark = pytest.mark.usefixtures("blender")


@pytest.fixture(params=STATES)
def state(request, blender):
    for name, value in STATES[request.param].items():
        setattr(blender.state, name, value)
    return request.param


@pytest.fixture(params=[False, True], ids=["no results", "results"])
def results(request, blender):
    if request.param:
        blender.finish_run(variations=3)
        blender.session.warnings = ["This prompt is not one that the starter pack knows."]
        blender.package.pump.mirror()
    return request.param


def main():
    return draw(bpy.types.PATINA_PT_main)


@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.usefixtures("results", "state")
def test_every_panel_draws_in_every_state(panel):
    layout = draw(getattr(bpy.types, panel))
    assert layout.calls
    for text in layout.texts():
        assert "None" not in text


def test_a_calm_panel_has_one_button_and_no_message():
    layout = main()
    assert layout.operators() == ["patina.shuffle_seed", "patina.generate"]
    shown = ["prompt", "negative", "size", "tile", "variations", "quality", "seed", "lock_seed", "show_live"]
    assert layout.properties() == shown
    assert not [name for name, _ in layout.calls if name == "box"]


def test_generate_becomes_progress_and_cancel(blender):
    for name, value in STATES["busy"].items():
        setattr(blender.state, name, value)
    layout = main()
    assert layout.operators().index("patina.cancel") < layout.operators().index("patina.generate")
    assert "Add to Queue" in layout.texts()
    assert "patina.cancel" in layout.operators()
    assert "Step 4 of 10, 3 s left" in layout.texts()


def test_a_failure_offers_restart_and_the_log(blender):
    for name, value in STATES["failed"].items():
        setattr(blender.state, name, value)
    layout = main()
    assert {"patina.restart_engine", "patina.copy_log", "patina.dismiss"} <= set(layout.operators())
    assert any("one line" in text for text in layout.texts())


def test_a_missing_engine_leads_to_the_preferences(blender):
    for name, value in STATES["missing"].items():
        setattr(blender.state, name, value)
    assert "patina.open_preferences" in main().operators()


def test_a_remedy_is_a_button_that_says_what_it_does(blender):
    for name, value in STATES["refused"].items():
        setattr(blender.state, name, value)
    assert "Set Width to 512" in main().texts()


def test_results_are_a_grid_to_choose_from_and_apply(blender):
    blender.finish_run(variations=3)
    layout = main()
    assert layout.operators().count("patina.select") == 3
    assert "patina.apply" in layout.operators()
    assert [text for text in layout.texts() if ":" in text] == ["1:  0.90", "2:  0.45", "3:  0.30"]
    chosen = [given["depress"] for _, given in layout.calls if isinstance(given, dict) and "depress" in given]
    assert chosen == [True, False, False]


def test_every_cell_says_whether_it_is_seamless(blender):
    blender.finish_run(variations=3)
    icons = main().calls
    assert [given.get("icon") for name, given in icons if name == "label"].count("MESH_GRID") == 3
    for result, seam in zip(blender.state.results, (1.0, 1.25, 1.26), strict=True):
        result.seam = seam
    icons = main().calls
    assert [given.get("icon") for name, given in icons if name == "label"].count("MESH_GRID") == 2


def test_custom_sizes_show_width_and_height(blender):
    blender.inputs.size = "CUSTOM"
    assert {"width", "height"} <= set(main().properties())


def test_sub_panels_start_closed():
    for name in PANELS[1:]:
        panel = getattr(bpy.types, name)
        assert "DEFAULT_CLOSED" in panel.bl_options
        assert panel.bl_parent_id == "PATINA_PT_main"
    for name in PANELS:
        panel = getattr(bpy.types, name)
        assert (panel.bl_space_type, panel.bl_region_type, panel.bl_category) == ("VIEW_3D", "UI", "Patina")


def test_long_messages_are_wrapped(blender):
    layout = Layout()
    blender.package.panels.text.paragraph(layout, bpy.context, "word " * 60)
    assert 3 <= len(layout.texts()) < 60
    assert " ".join(layout.texts()).split() == ["word"] * 60


def test_preferences_draw():
    layout = Layout()
    preferences = bpy.context.preferences.addons["patina"].preferences
    cls = type(preferences)

    class Stand:
        def __getattr__(self, name):
            return getattr(preferences, name)

        bl_rna = preferences.bl_rna

    stand = Stand()
    stand.layout = layout
    cls.draw(stand, bpy.context)
    assert {"device", "results_folder", "engine_root", "engine_python"} <= set(layout.properties())
    manifest = (ROOT / "addon" / "blender_manifest.toml").read_text()
    version = re.search(r'^version = "(.+)"', manifest, re.MULTILINE)[1]
    assert f"Patina {version}" in layout.texts()
    assert not [text for text in layout.texts() if bpy.app.version_string in text]
    assert "Open the Guide" in layout.texts()


def test_the_layout_that_records_refuses_what_blender_refuses(blender):
    """The net has no hole where it matters."""
    layout = Layout()
    for wrong in (
        lambda: layout.prop(blender.inputs, "no_such_property"),
        lambda: layout.operator("patina.no_such_operator"),
        lambda: layout.label(text="x", icon="NO_SUCH_ICON"),
        lambda: layout.label(texts="x"),
        lambda: layout.no_such_function(1),
        lambda: setattr(layout, "no_such", 1),
    ):
        with pytest.raises((AttributeError, TypeError, KeyError)):
            wrong()


def test_drawing_and_polling_leave_the_disk_alone(blender, results, monkeypatch):
    """Both happen with every redraw, and a disk may be asleep or far away."""
    bpy.context.view_layer.objects.active = bpy.data.objects["Cube"]
    bpy.context.scene.patina_start.source = "OBJECT"
    panels = [getattr(bpy.types, name) for name in dir(bpy.types) if name.startswith("PATINA_PT_")]
    polls = [getattr(bpy.ops.patina, name).poll for name in dir(bpy.ops.patina)]

    def everything():
        for panel in panels:
            if panel.poll(bpy.context) if hasattr(panel, "poll") else True:
                draw(panel)
        return [poll() for poll in polls]

    everything()
    while blender.timers.queue:  # what was drawn first has things made ready
        blender.timers.turn()
    asked = []
    for module, name in ((os, "stat"), (os, "lstat"), (os, "scandir"), (os, "listdir"), (io, "open")):
        monkeypatch.setattr(module, name, lambda path, *_, **__: asked.append(path))
    monkeypatch.setattr(builtins, "open", io.open)
    everything()
    monkeypatch.undo()
    assert not asked
