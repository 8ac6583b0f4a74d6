"""The library with the real engine behind it: one process serves the tests of this file in turn."""

from __future__ import annotations

import sys
from pathlib import Path

import bpy
import pytest

from tests.addon.support import write_png

PATIENCE_S = 300.0  # importing torch on two busy cores


@pytest.fixture
def blender(running):
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    return running


@pytest.fixture
def library(blender):
    return sys.modules["patina.shelf"].library


def wait(blender, library):
    blender.until(lambda: not library.busy and not library._again, PATIENCE_S)
    assert library.message == ""


def test_from_a_folder_to_a_material(blender, library, tmp_path):
    """Indexed, found by words, its missing maps estimated, applied."""
    for name in ("red_wall", "blue_wall"):
        write_png(tmp_path / f"{name}.png", "basecolor" if name == "red_wall" else "normal_gl")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    assert bpy.ops.patina.library_add(directory=str(tmp_path)) == {"FINISHED"}
    wait(blender, library)
    assert library.folders == [str(tmp_path)]
    assert {found.name for found in library.results} == {"red_wall", "blue_wall"}
    assert any("broken.png" in note for note in library.notes)
    assert all(Path(found.thumbnail).is_file() for found in library.results)

    bpy.context.window_manager.patina_library.text = "red bricks"
    bpy.ops.patina.library_search()
    wait(blender, library)
    assert library.results[0].score > library.results[1].score
    bpy.ops.patina.library_choose(key=library.results[0].key)
    found = library.chosen()
    assert found.labels(6)

    bpy.ops.patina.library_make_maps()
    wait(blender, library)
    bpy.ops.patina.library_apply()
    material = bpy.data.objects["Cube"].active_material
    maps = {node.label for node in material.node_tree.nodes if node.type == "TEX_IMAGE"}
    assert {"Base Color", "Normal", "Roughness", "Metallic", "Displacement"} <= maps

    bpy.ops.patina.library_more_like()
    wait(blender, library)
    assert found.key not in [other.key for other in library.results]


def test_a_run_is_in_the_library_and_begins_from_it(blender, library):
    inputs = blender.inputs
    inputs.prompt, inputs.size, inputs.variations, inputs.steps = "red bricks", "128", 1, 1
    inputs.judge_views, inputs.cutouts, inputs.proposals = 2, 2, 1
    bpy.ops.patina.generate()
    blender.until(lambda: not blender.state.job, PATIENCE_S)
    assert blender.state.message == ""
    made = blender.state.results[0].basecolor
    for _ in range(50):  # it is entered beside whatever else goes on
        bpy.ops.patina.library_open()
        wait(blender, library)
        if made in [found.key for found in library.results]:
            break
    bpy.ops.patina.library_choose(key=made)
    found = library.chosen()
    assert found.lacking == ()
    bpy.ops.patina.library_use(kind="START")
    bpy.ops.patina.library_use(kind="PICTURE")
    assert bpy.context.scene.patina_start.path == str(found.sidecar())
    bpy.ops.patina.generate()
    blender.until(lambda: not blender.state.job, PATIENCE_S)
    assert blender.state.message == ""
    assert blender.state.results[0].basecolor != made
