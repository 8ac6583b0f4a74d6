"""What can be changed on a material after it was applied."""

from __future__ import annotations

import sys

import bpy
import pytest

from tests.addon.applying.cube import apply, ours, second_cube, undone
from tests.addon.support import draw


def test_the_depth_is_shown_in_metres_before_applying(finished):
    finished.inputs.tile_size = 0.5
    assert "Relief: 2 cm deep" in draw(bpy.types.PATINA_PT_material).texts()


def test_the_panel_shows_the_nodes_own_values(finished):
    assert not bpy.types.PATINA_PT_edit.poll(bpy.context)
    finished.inputs.tile_size = 0.5
    material = apply()
    assert bpy.types.PATINA_PT_edit.poll(bpy.context)
    layout = draw(bpy.types.PATINA_PT_edit)
    shown = {given["data"] for name, given in layout.calls if name == "prop"}
    place, normal = ours(material, "Mapping"), ours(material, "Normal Map")
    for socket in (place.inputs["Scale"], place.inputs["Rotation"], normal.inputs["Strength"]):
        assert socket in shown
    assert {"50 cm", "Relief: 2 cm deep"} <= set(layout.texts())
    material.use_fake_user = True
    assert not any("users" in text for text in draw(bpy.types.PATINA_PT_edit).texts())
    second_cube().active_material = material
    assert "Changes show on all its 2 users" in draw(bpy.types.PATINA_PT_edit).texts()


def test_a_tile_size_set_later_changes_pattern_and_relief(finished):
    finished.inputs.tile_size = 0.5
    material = apply()
    scale = ours(material, "Mapping").inputs["Scale"].default_value[0]
    bpy.ops.patina.set_tile_size(tile_size=2.0)
    assert ours(material, "Mapping").inputs["Scale"].default_value[0] == pytest.approx(scale / 4)
    assert ours(material, "Displacement").inputs["Scale"].default_value == pytest.approx(0.08)
    assert finished.package.tuning.tile_size(material) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("operator", "arguments"),
    [
        ("set_tile_size", {"tile_size": 3.0}),
        ("set_relief", {"means": "REAL"}),
        ("subdivide", {"kind": "PLAIN"}),
    ],
)
def test_each_change_afterwards_is_one_undo_step(finished, operator, arguments):
    def state():
        item = bpy.data.objects["Cube"]
        material = item.active_material
        links = sorted((link.from_node.name, link.to_socket.name) for link in material.node_tree.links)
        return finished.package.tuning.tile_size(material), links, len(item.modifiers)

    apply()
    before = state()
    undone(lambda: getattr(bpy.ops.patina, operator)(**arguments))
    assert state() == before
    bpy.ops.ed.redo()
    assert state() != before


def test_the_means_of_relief_can_be_changed_there_and_back(finished):
    finished.inputs.normal_strength = 0.5
    material = apply()
    for means in ("BUMP", "REAL", "BUMP", "NORMAL"):
        bpy.ops.patina.set_relief(means=means)
        assert finished.package.tuning.means(material) == means
    assert ours(material, "Normal Map").inputs["Strength"].default_value == pytest.approx(0.5)


def test_turning_a_normal_map_is_warned_of_with_a_button():
    material = apply()
    assert "Use Bump" not in draw(bpy.types.PATINA_PT_edit).texts()
    ours(material, "Mapping").inputs["Rotation"].default_value[2] = 1.0
    assert "Use Bump" in draw(bpy.types.PATINA_PT_edit).texts()


def test_a_material_without_its_nodes_is_no_longer_ours(cube):
    material = apply()
    material.node_tree.nodes.clear()
    assert not bpy.types.PATINA_PT_edit.poll(bpy.context)
    assert not bpy.ops.patina.set_tile_size.poll()
    assert apply() == material  # built anew
    assert ours(material, "basecolor").image is not None


@pytest.mark.parametrize("mapping", ["AUTO", "BOX"])
def test_an_object_that_is_scaled_to_nothing_can_be_tuned_afterwards(cube, finished, mapping):
    cube.scale = (0, 0, 0)
    bpy.context.view_layer.update()
    finished.inputs.mapping = mapping
    apply()
    assert bpy.ops.patina.set_tile_size(tile_size=2.0) == {"FINISHED"}
    assert sys.modules["patina.tuning"].tile_size(cube.active_material) == pytest.approx(2.0)
