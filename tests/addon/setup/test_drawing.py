"""Panel and preferences in every state of the engine."""

from __future__ import annotations

import shlex
import sys

import bpy
import pytest

from tests.addon.link.fake import TALK
from tests.addon.setup.drawn import main, preferences_layout
from tests.addon.support import draw


def test_a_press_on_generate_says_what_is_missing_once(blender, setup, shown):
    blender.inputs.prompt = "moss"
    with pytest.raises(RuntimeError, match="not installed yet"):
        bpy.ops.patina.generate()
    assert blender.state.state == "missing"
    layout = main()
    assert layout.operators().count("patina.install_engine") == 1
    assert not [text for text in layout.texts() if "not installed yet" in text]


STATES = {
    "ready": {},
    "missing": {"state": "missing", "problem": "The engine is not installed yet."},
    "no file": {"state": "missing", "problem": "No.", "source": "", "installed": False, "offline": True},
    "incomplete": {"state": "incomplete", "problem": "No.", "installed": True},
    "installing": {"state": "missing", "running": True, "progress": 0.4, "text": "Downloading: 1 of 2 MB"},
    "stopping": {"state": "missing", "running": True, "cancelling": True, "text": "Stopping"},
    "failed": {"state": "incomplete", "problem": "No.", "message": "The disk is full."},
    "damaged": {
        "state": "incomplete",
        "installed": True,
        "message": "3 files are damaged. Repair the engine.",
    },
}


@pytest.mark.parametrize("state", STATES)
def test_panel_and_preferences_draw_in_every_state(blender, chosen, state):
    shown = bpy.context.window_manager.patina_setup
    shown.source = "/somewhere/patina-engine-9.zip"
    for name, value in STATES[state].items():
        setattr(shown, name, value)
    for layout in (main(), preferences_layout(chosen), draw(bpy.types.PATINA_PT_engine)):
        assert layout.calls
        assert not [text for text in layout.texts() if "None" in text]
    running = STATES[state].get("running", False)
    assert ("patina.cancel_install" in main().operators()) is running
    assert ("Installing" in draw(bpy.types.PATINA_PT_engine).texts()) is running
    calm = state == "ready"
    assert ("patina.install_engine" in main().operators()) is not (calm or running)


def test_every_preference_explains_itself(chosen):
    for item in chosen.bl_rna.properties:
        if item.identifier not in {"rna_type", "bl_idname"}:
            assert item.description and not item.description.endswith("."), item.identifier


def test_a_crash_keeps_what_was_finished(blender, chosen, tmp_path):
    script = tmp_path / "dies.py"
    script.write_text(TALK + "for method, id, params in requests():\n    os._exit(3)\n")
    blender.finish_run(variations=2)
    chosen.engine_command = f"{shlex.quote(sys.executable)} {shlex.quote(str(script))}"
    blender.inputs.prompt = "moss"
    bpy.ops.patina.generate()
    blender.until(lambda: not blender.state.job, 20)
    assert blender.state.state == "failed"
    layout = main()
    assert {"patina.restart_engine", "patina.copy_log", "patina.apply"} <= set(layout.operators())
    assert len(blender.state.results) == 2
