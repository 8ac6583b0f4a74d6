"""Two Blenders at once on one results folder and one library, one of them killed in mid-run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import bpy

from tests.addon.support import draw, engine_python, gone, wait_gone

PATIENCE_S = 300.0  # two engines that import torch on two busy cores


def test_nothing_is_lost_or_mixed_up_and_one_killed_in_mid_run_leaves_what_it_had(running, tmp_path):
    told = tmp_path / "told"
    told.touch()
    results = running.folder / "results"
    command = [
        sys.executable,
        Path(__file__).with_name("second_blender.py"),
        tmp_path / "blender",
        results,
        told,
    ]
    environment = {**os.environ, "PATINA_ENGINE_PYTHON": str(engine_python())}  # PATINA_HOME is the same
    inputs = running.inputs
    inputs.size, inputs.variations, inputs.steps = "128", 2, 2
    inputs.judge_views, inputs.cutouts, inputs.proposals = 2, 2, 1
    with subprocess.Popen(list(map(str, command)), env=environment) as second:
        try:
            for prompt in ("red bricks", "oak planks"):
                inputs.prompt = prompt
                bpy.ops.patina.generate()
            running.until(lambda: not running.state.job, PATIENCE_S)
            running.until(lambda: "RUNNING" in told.read_text() or second.poll() is not None, PATIENCE_S)
            assert "RUNNING" in told.read_text(), "the second Blender ended early"
            pid = int(told.read_text().split()[-1])
            assert pid != running.session.engine.pid
            assert not gone(pid)
        finally:
            second.kill()
    wait_gone(pid)  # its engine ends by itself
    assert running.state.message == ""

    past = running.package.history_view.history
    draw(bpy.types.PATINA_PT_history)
    running.until(lambda: past.begun and not past.busy)
    found = {group.prompt: group.entries for group in past.groups()}
    assert {prompt: len(entries) for prompt, entries in found.items()} == {
        "red bricks": 2, "oak planks": 2, "green moss": 1,
    }  # fmt: skip
    assert past.damaged == 0
    sessions = {entry.run[0] for entries in found.values() for entry in entries}
    assert len(sessions) == 2

    everything = {entry.result.key for entries in found.values() for entry in entries}
    library = sys.modules["patina.shelf"].library
    for _ in range(50):  # results are entered beside whatever else goes on
        bpy.ops.patina.library_open()
        running.until(lambda: not library.busy)
        if len(library.results) == len(everything):
            break
    assert {texture.key for texture in library.results} == everything

    assert bpy.ops.patina.history_show(key=found["green moss"][0].key) == {"FINISHED"}
    bpy.context.view_layer.objects.active = bpy.data.objects["Cube"]
    assert bpy.ops.patina.apply() == {"FINISHED"}
    inputs.prompt = "grey slate"
    bpy.ops.patina.generate()
    running.until(lambda: not running.state.job)
    assert (running.state.message, len(running.state.results)) == ("", 2)
