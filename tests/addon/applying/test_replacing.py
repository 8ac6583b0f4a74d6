"""Other maps for the material that is there; what stays the artist's."""

from __future__ import annotations

import bpy
import pytest
from mathutils import Vector

from tests.addon.applying.cube import apply, ours, second_cube, select_faces, undone
from tests.addon.support import MAPS


def test_replacing_changes_the_maps_and_nothing_else(cube, using, finished):
    other = second_cube()
    material = apply()
    cube.active_material = material
    tree = material.node_tree
    mine = tree.nodes.new("ShaderNodeHueSaturation")
    texture, bsdf = ours(material, "basecolor"), ours(material, "Principled")
    tree.links.new(texture.outputs["Color"], mine.inputs["Color"])
    tree.links.new(mine.outputs["Color"], bsdf.inputs["Base Color"])
    texture.location = Vector((-3000, 77))
    ours(material, "Mapping").inputs["Scale"].default_value = (5, 5, 5)
    places = {node.name: tuple(node.location) for node in tree.nodes}
    using.apply_as = "REPLACE"
    bpy.ops.patina.select(index=1)
    assert apply() == material == cube.active_material == other.active_material
    for name in MAPS:
        assert ours(material, name).image.filepath.endswith(f"bricks_v2_{name}.png")
    assert {node.name: tuple(node.location) for node in tree.nodes} == places
    assert bsdf.inputs["Base Color"].links[0].from_node == mine
    assert tuple(ours(material, "Mapping").inputs["Scale"].default_value) == (5, 5, 5)
    assert material.name == "Red bricks 2"


def test_replacing_keeps_a_name_that_the_artist_gave(using):
    material = apply()
    material.name = "Wall"
    using.apply_as = "REPLACE"
    bpy.ops.patina.select(index=1)
    assert apply().name == "Wall"


def test_the_relief_follows_the_new_result(finished, using):
    finished.inputs.tile_size = 2.0
    material = apply()
    object.__setattr__(finished.session.results[1], "relief", 0.1)
    using.apply_as = "REPLACE"
    bpy.ops.patina.select(index=1)
    apply()
    assert ours(material, "Displacement").inputs["Scale"].default_value == pytest.approx(0.2)


def test_a_glow_comes_and_goes_with_its_map(finished, using):
    material = apply()
    bsdf = ours(material, "Principled")
    socket = bsdf.inputs[finished.package.compat.emission_socket()]
    using.apply_as = "REPLACE"
    finished.finish_run(prompt="lava", maps=(*MAPS, "emission"))
    apply()
    assert socket.links[0].from_node == ours(material, "emission")
    assert bsdf.inputs["Emission Strength"].default_value == 4.0
    finished.finish_run()
    apply()
    assert not socket.links
    assert bsdf.inputs["Emission Strength"].default_value == 0.0


def test_maps_can_be_replaced_in_edit_mode_whatever_is_selected(cube, using):
    material = apply()
    select_faces(cube)
    using.apply_as = "REPLACE"
    bpy.ops.patina.select(index=1)
    assert apply() == material
    assert ours(material, "ao").image.filepath.endswith("bricks_v2_ao.png")


def test_replacing_is_one_undo_step(using):
    apply()
    using.apply_as = "REPLACE"
    bpy.ops.patina.select(index=1)
    before = set(bpy.data.images.keys())
    undone(bpy.ops.patina.apply)
    material = bpy.data.objects["Cube"].active_material
    assert ours(material, "basecolor").image.filepath.endswith("bricks_v1_basecolor.png")
    assert set(bpy.data.images.keys()) == before


def test_a_second_apply_of_the_same_result_keeps_the_artists_nodes(cube):
    material = apply()
    mine = material.node_tree.nodes.new("ShaderNodeHueSaturation")
    material.node_tree.links.new(mine.outputs["Color"], ours(material, "Principled").inputs["Base Color"])
    ours(material, "ao").location.x = -900
    second_cube()
    assert apply() == material
    assert ours(material, "Principled").inputs["Base Color"].links[0].from_node == mine
    assert ours(material, "ao").location.x == -900


def test_a_second_apply_keeps_a_shader_that_the_artist_put_in_place_of_ours(cube):
    apply()
    tree = cube.active_material.node_tree
    tree.nodes.remove(tree.nodes["Patina Principled"])
    own = tree.nodes.new("ShaderNodeBsdfToon")
    tree.links.new(own.outputs[0], tree.nodes["Patina Output"].inputs["Surface"])
    apply()
    assert cube.active_material.node_tree == tree
    assert tree.nodes["Patina Output"].inputs["Surface"].links[0].from_node == own


def test_a_material_that_has_none_of_our_nodes_any_more_is_left_to_the_artist(cube):
    apply()
    tree = cube.active_material.node_tree
    tree.nodes.clear()
    tree.nodes.new("ShaderNodeBsdfToon")
    apply()
    assert cube.active_material.node_tree != tree
    assert [node.type for node in tree.nodes] == ["BSDF_TOON"]
