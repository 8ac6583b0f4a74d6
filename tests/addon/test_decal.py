"""Decals: results with an outline, which their materials leave out."""

from __future__ import annotations

import bpy
import pytest

from tests.addon.support import MAPS


@pytest.fixture
def decal(blender):
    blender.finish_run(2, "golden leaf", (*MAPS, "alpha"))
    bpy.context.view_layer.objects.active = bpy.data.objects["Cube"]
    assert bpy.ops.patina.apply() == {"FINISHED"}
    return bpy.data.objects["Cube"].active_material


def principled(material):
    return next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")


def test_the_outline_is_the_materials_alpha(decal):
    (link,) = principled(decal).inputs["Alpha"].links
    assert link.from_node.label == "Alpha"
    assert link.from_node.image.filepath.endswith("_alpha.png")
    assert link.from_node.image.colorspace_settings.is_data
    assert link.from_node.inputs["Vector"].links, "the outline lies elsewhere than the colours"
    assert decal.blend_method == "HASHED"  # an old name for what EEVEE does by itself from 4.2 on


def test_what_is_outside_is_seen_through(decal):
    """Rendered: an outline that is black everywhere leaves nothing of the cube."""
    outline = principled(decal).inputs["Alpha"].links[0].from_node.image
    outline.pixels.foreach_set([0.0, 0.0, 0.0, 1.0] * (outline.size[0] * outline.size[1]))
    scene = bpy.context.scene
    scene.render.engine, scene.cycles.samples, scene.cycles.device = "CYCLES", 1, "CPU"
    scene.render.resolution_x = scene.render.resolution_y = 16
    scene.render.film_transparent = True
    path = bpy.app.tempdir + "decal.png"
    scene.render.filepath = path
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(path)
    assert max(list(image.pixels)[3::4]) == 0.0


def test_another_variation_without_an_outline_covers_everything(blender, decal):
    blender.finish_run(1, "golden leaf")
    assert bpy.ops.patina.compare(index=0) == {"FINISHED"}
    socket = principled(decal).inputs["Alpha"]
    assert not socket.links
    assert socket.default_value == 1.0
    assert "Patina alpha" not in decal.node_tree.nodes


def test_a_decal_takes_the_place_of_a_plain_variation(blender):
    bpy.context.view_layer.objects.active = bpy.data.objects["Cube"]
    blender.finish_run(1, "oak")
    bpy.ops.patina.apply()
    blender.finish_run(1, "oak", (*MAPS, "alpha", "emission"))
    assert bpy.ops.patina.compare(index=0) == {"FINISHED"}
    material = bpy.data.objects["Cube"].active_material
    assert len(principled(material).inputs["Alpha"].links) == 1
