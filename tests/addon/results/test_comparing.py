"""Results compared on the object."""

from __future__ import annotations

from pathlib import Path

import bpy
import pytest

from tests.addon.results.runs import panel
from tests.addon.support import MAPS, write_png


def textures(item):
    return {
        node.label: Path(bpy.path.abspath(node.image.filepath)).name
        for node in item.active_material.node_tree.nodes
        if node.type == "TEX_IMAGE"
    }


def test_comparing_swaps_the_maps_of_the_material_that_is_there(chosen):
    cube = bpy.data.objects["Cube"]
    bpy.ops.patina.apply()
    material, nodes = cube.active_material, len(cube.active_material.node_tree.nodes)
    assert set(textures(cube).values()) == {f"red_bricks_v1_{name}.png" for name in MAPS}
    bpy.ops.ed.undo_push(message="applied")
    assert bpy.ops.patina.compare(step=1) == {"FINISHED"}
    bpy.ops.ed.undo_push(message="compared")
    cube = bpy.data.objects["Cube"]
    assert cube.active_material == material
    assert len(material.node_tree.nodes) == nodes
    assert all("_v2_" in name for name in textures(cube).values())
    assert chosen.state.selected == 1
    assert bpy.ops.ed.undo() == {"FINISHED"}
    assert all("_v1_" in name for name in textures(bpy.data.objects["Cube"]).values())
    assert bpy.ops.patina.compare(step=-1) == {"FINISHED"}
    assert chosen.state.selected == 0
    assert bpy.ops.patina.compare(index=1) == {"FINISHED"}
    assert all("_v2_" in name for name in textures(bpy.data.objects["Cube"]).values())


def test_a_click_swaps_where_that_was_chosen(chosen):
    assert "patina.compare" not in panel().operators()
    with pytest.raises(RuntimeError, match="material from Patina"):
        bpy.ops.patina.compare()
    bpy.ops.patina.apply()
    assert panel().operators().count("patina.compare") == 2
    assert panel().operators().count("patina.select") == 2
    bpy.context.window_manager.patina_queue.on_object = True
    assert "patina.select" not in panel().operators()


def test_comparing_two_results_of_different_runs(chosen):
    """Remember one, choose another, swap; what is chosen goes along, with the other results of its run."""
    bpy.ops.patina.apply()
    material = bpy.data.objects["Cube"].active_material
    first = chosen.session.chosen
    assert "patina.compare_swap" not in panel().operators()
    assert bpy.ops.patina.compare_with() == {"FINISHED"}
    with pytest.raises(RuntimeError, match="Choose another result"):
        bpy.ops.patina.compare_swap()
    assert "Swap with 1: red bricks" in panel().texts()
    chosen.finish_run(variations=3, prompt="moss")
    bpy.ops.patina.select(index=2)
    second = chosen.session.chosen
    seen = []
    for _ in range(3):
        assert bpy.ops.patina.compare_swap() == {"FINISHED"}
        seen.append((material["patina_result"], chosen.session.chosen.key, len(chosen.state.results)))
    assert seen == [(second.key, second.key, 3), (first.key, first.key, 2), (second.key, second.key, 3)]
    assert bpy.data.objects["Cube"].active_material == material
    assert "Swap with 1: red bricks" in panel().texts()
    assert bpy.ops.patina.compare_end() == {"FINISHED"}
    assert not bpy.ops.patina.compare_swap.poll()
    assert "patina.compare_with" in panel().operators()


def test_a_swap_is_one_undo_step(chosen):
    bpy.ops.patina.apply()
    bpy.ops.patina.compare_with()
    bpy.ops.patina.select(index=1)
    bpy.ops.ed.undo_push(message="chosen")
    bpy.ops.patina.compare_swap()
    bpy.ops.ed.undo_push(message="swapped")
    assert all("_v2_" in name for name in textures(bpy.data.objects["Cube"]).values())
    assert bpy.ops.ed.undo() == {"FINISHED"}
    assert all("_v1_" in name for name in textures(bpy.data.objects["Cube"]).values())
    assert bpy.ops.patina.compare_swap() == {"FINISHED"}
    assert all("_v2_" in name for name in textures(bpy.data.objects["Cube"]).values())


def test_a_swap_without_files_leaves_the_material(chosen):
    bpy.ops.patina.apply()
    bpy.ops.patina.compare_with()
    bpy.ops.patina.select(index=1)
    chosen.session.chosen.files["roughness"].unlink()
    with pytest.raises(RuntimeError, match="gone"):
        bpy.ops.patina.compare_swap()
    assert all("_v1_" in name for name in textures(bpy.data.objects["Cube"]).values())


def test_comparing_with_a_variation_that_has_other_maps(chosen):
    cube = bpy.data.objects["Cube"]
    bpy.ops.patina.apply()
    result = chosen.session.results[1]
    path = result.files["height"].with_name("red_bricks_v2_emission.png")
    write_png(path, "emission")
    result.files["emission"] = path
    assert bpy.ops.patina.compare(index=1) == {"FINISHED"}
    assert len(textures(cube)) == 7
    assert bpy.ops.patina.compare(index=0) == {"FINISHED"}
    assert len(textures(cube)) == 6
