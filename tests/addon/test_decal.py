"""Decals: results with an outline, which their materials leave out."""

from __future__ import annotations

import os

import bpy
import pytest

from tests.addon.support import MAPS, write_png


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


def test_what_is_outside_is_seen_through(blender, tmp_path):
    """Rendered: an outline that is black everywhere leaves nothing of the cube."""
    blender.finish_run(1, "golden leaf", (*MAPS, "alpha"))
    write_png(blender.session.chosen.files["alpha"], "metallic")
    bpy.context.view_layer.objects.active = bpy.data.objects["Cube"]
    assert bpy.ops.patina.apply() == {"FINISHED"}
    bpy.ops.preferences.addon_enable(module="cycles")
    scene = bpy.context.scene
    scene.render.engine, scene.cycles.samples, scene.cycles.device = "CYCLES", 1, "CPU"
    scene.cycles.use_denoising = False
    scene.render.resolution_x = scene.render.resolution_y = 16
    scene.render.film_transparent = True
    scene.render.image_settings.file_format, scene.render.image_settings.color_mode = "PNG", "RGBA"
    scene.render.filepath = str(tmp_path / "decal.png")
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(scene.render.filepath)
    assert max(list(image.pixels)[3::4]) == 0.0
    write_png(blender.session.chosen.files["alpha"], "alpha")
    os.utime(blender.session.chosen.files["alpha"], ns=(0, 10**18))
    bpy.ops.patina.apply()
    bpy.ops.render.render(write_still=True)
    image.reload()
    assert max(list(image.pixels)[3::4]) == 1.0


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
