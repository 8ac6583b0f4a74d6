"""How textures lie on objects: by the UV map, from six sides, in their real size."""

from __future__ import annotations

import bpy
import pytest

from tests.addon.applying.cube import LABELS, apply, node, ours, source, texture


def test_an_object_without_uvs_is_projected_on_from_six_sides(cube):
    mesh = cube.data
    while mesh.uv_layers:
        mesh.uv_layers.remove(mesh.uv_layers[0])
    material = apply(tile_size=0.5)
    mapping = node(material, "ShaderNodeMapping")
    assert source(mapping.inputs["Vector"])[1] == "Object"
    assert tuple(mapping.inputs["Scale"].default_value) == (2.0, 2.0, 2.0)
    for label in LABELS:
        item = texture(material, label)
        assert (item.projection, round(item.projection_blend, 2)) == ("BOX", 0.25)
    # No UV map, no tangents: a normal map would light it from nowhere.
    assert source(node(material, "ShaderNodeBsdfPrincipled").inputs["Normal"])[0].type == "BUMP"
    assert len(mesh.uv_layers) == 0


def test_uvs_that_are_all_in_one_point_count_as_none(cube):
    layer = cube.data.uv_layers.active
    layer.data.foreach_set("uv", [0.5] * (2 * len(cube.data.loops)))
    assert source(node(apply(), "ShaderNodeMapping").inputs["Vector"])[1] == "Object"


def test_uv_maps_are_left_as_they_are(cube):
    layer = cube.data.uv_layers.active
    before = [tuple(item.uv) for item in layer.data]
    apply()
    assert [tuple(item.uv) for item in cube.data.uv_layers.active.data] == before
    assert len(cube.data.uv_layers) == 1


def repeats(material):
    return node(material, "ShaderNodeMapping").inputs["Scale"].default_value[0]


def test_a_tile_has_its_real_size_whatever_the_uv_map():
    """A plane of 2 m with a full UV square holds two tiles of 1 m a side; scaled to 6 m, six."""
    bpy.ops.mesh.primitive_plane_add(size=2)
    plane = bpy.context.active_object
    assert repeats(apply(tile_size=1.0)) == pytest.approx(2)
    plane.scale = (3, 3, 3)
    bpy.context.view_layer.update()
    assert repeats(apply()) == pytest.approx(6)
    for corner in plane.data.uv_layers.active.data:
        corner.uv = corner.uv * 0.5
    assert repeats(apply()) == pytest.approx(12)


def test_the_uv_map_can_be_used_as_it_is():
    assert repeats(apply(mapping="UV", tile_size=0.1)) == 1


def test_box_projection_can_be_chosen():
    material = apply(mapping="BOX")
    assert source(node(material, "ShaderNodeMapping").inputs["Vector"])[1] == "Object"


def test_a_dense_mesh_is_measured_by_a_sample(finished, monkeypatch):
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=60, y_subdivisions=60, size=2)
    exact = repeats(apply())
    monkeypatch.setattr(finished.package.mapping, "SAMPLES", 100)
    assert repeats(apply()) == pytest.approx(exact, rel=0.05)
    assert exact == pytest.approx(2, rel=1e-3)


def test_stretch_and_rotation_are_in_the_mapping_node(using, finished):
    using.scale, using.rotation = (2, 1, 1), 0.5
    finished.inputs.mapping = "UV"
    material = apply()
    place = ours(material, "Mapping")
    assert tuple(place.inputs["Scale"].default_value) == (0.5, 1, 1)
    assert tuple(place.inputs["Rotation"].default_value) == pytest.approx((0, 0, 0.5))
    assert ours(material, "Principled").inputs["Normal"].links[0].from_node == ours(material, "Bump")
