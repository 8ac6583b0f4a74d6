"""Apply in Edit Mode, to the selected faces."""

from __future__ import annotations

import bpy
import pytest

from tests.addon.applying.cube import apply, ours, second_cube, select_faces, undone


def faces(item):
    """The materials of an object's faces, by name."""
    if item.mode == "EDIT":
        item.update_from_editmode()
    return [item.data.materials[polygon.material_index] for polygon in item.data.polygons]


def test_selected_faces_get_a_slot_of_their_own(cube):
    before = cube.active_material
    select_faces(cube, 0, 3)
    bpy.ops.patina.apply()
    bpy.ops.object.mode_set(mode="OBJECT")
    new = cube.material_slots[1].material
    assert [slot.material for slot in cube.material_slots] == [before, new]
    assert [polygon.material_index for polygon in cube.data.polygons] == [1, 0, 0, 1, 0, 0]


def test_the_other_faces_of_a_mesh_without_slots_stay_bare(cube):
    cube.data.materials.clear()
    select_faces(cube, 2)
    bpy.ops.patina.apply()
    assert [material is not None for material in faces(cube)] == [False, False, True, False, False, False]


def test_faces_of_all_objects_in_edit_mode_get_it(cube):
    other = second_cube()
    cube.select_set(True)
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.patina.apply()
    assert set(faces(cube)) == set(faces(other)) == {other.active_material}


def test_a_tile_has_the_same_size_on_faces_as_on_the_object(cube):
    """While a mesh is edited, its UV map is elsewhere."""
    scale = ours(apply(), "Mapping").inputs["Scale"].default_value[0]
    select_faces(cube, 0)
    bpy.ops.patina.apply()
    assert ours(cube.active_material, "Mapping").inputs["Scale"].default_value[0] == pytest.approx(scale)


def test_applying_to_faces_is_one_undo_step(cube):
    materials = set(bpy.data.materials.keys())
    select_faces(cube, 0)
    undone(bpy.ops.patina.apply)
    cube = bpy.data.objects["Cube"]
    assert set(bpy.data.materials.keys()) == materials
    assert len(cube.material_slots) == 1
    assert cube.mode == "EDIT"
    assert {material.name for material in faces(cube)} == {"Material"}
