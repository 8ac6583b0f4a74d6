"""The node set that Apply leaves: wired, laid out, lit, and built anew."""

from __future__ import annotations

import math

import bpy
import pytest

from tests.addon.applying.cube import LABELS, apply, node, source, texture
from tests.addon.support import MAPS


def test_the_maps_are_wired_as_node_wrangler_wires_them():
    material = apply()
    bsdf = node(material, "ShaderNodeBsdfPrincipled")
    output = node(material, "ShaderNodeOutputMaterial")
    normal, displacement = node(material, "ShaderNodeNormalMap"), node(material, "ShaderNodeDisplacement")
    assert source(output.inputs["Surface"]) == (bsdf, "BSDF")
    for label in ("Base Color", "Metallic", "Roughness"):
        assert source(bsdf.inputs[label]) == (texture(material, label), "Color")
    assert source(normal.inputs["Color"]) == (texture(material, "Normal"), "Color")
    assert source(bsdf.inputs["Normal"]) == (normal, "Normal")
    assert source(displacement.inputs["Height"]) == (texture(material, "Displacement"), "Color")
    assert not texture(material, "Ambient Occlusion").outputs["Color"].links
    assert all(link.is_valid for link in material.node_tree.links)


def emission(material):
    """The Principled BSDF's input, whatever this version calls it, and its strength."""
    inputs = node(material, "ShaderNodeBsdfPrincipled").inputs
    return inputs["Emission Color" if "Emission Color" in inputs else "Emission"], inputs["Emission Strength"]


def test_lava_glows(finished):
    """Where a result has the map: linked, as colour, below the others, and strong enough to be seen."""
    finished.finish_run(prompt="lava", maps=(*MAPS, "emission"))
    material = apply()
    colour, strength = emission(material)
    image_node = texture(material, colour.name)
    assert source(colour) == (image_node, "Color")
    assert strength.default_value == 4.0
    assert image_node.image.filepath.endswith("bricks_v1_emission.png")
    assert not image_node.image.colorspace_settings.is_data
    assert source(image_node.inputs["Vector"])[0] == node(material, "NodeReroute")
    assert image_node.parent.label == "Textures"
    lowest = texture(material, "Normal")
    assert image_node.location.y == lowest.location.y - 280


def test_what_has_no_emission_map_does_not_glow():
    """Results from before there was one have none either: their files are the six."""
    material = apply()
    colour, strength = emission(material)
    assert source(colour) is None
    assert strength.default_value * max(colour.default_value[:3]) == 0
    assert len([item for item in material.node_tree.nodes if item.type == "TEX_IMAGE"]) == len(LABELS)


def test_a_material_that_is_built_anew_stops_glowing(finished):
    """Nothing of the old nodes stays when a result is applied again without its emission map."""
    finished.finish_run(prompt="lava", maps=(*MAPS, "emission"))
    first = apply()
    del finished.session.chosen.files["emission"]
    again = apply()
    assert again == first
    assert source(emission(again)[0]) is None


def test_the_nodes_lie_as_node_wrangler_lays_them():
    material = apply()
    bsdf = node(material, "ShaderNodeBsdfPrincipled")

    def place(item):
        x, y = item.location if not item.parent else item.location + item.parent.location
        return round(x - bsdf.location.x), round(y - bsdf.location.y)

    for row, label in enumerate(LABELS):
        assert place(texture(material, label)) == (-550, 200 - 280 * row)
    assert place(node(material, "ShaderNodeNormalMap")) == (-250, 200 - 280 * 5)
    assert place(node(material, "ShaderNodeDisplacement")) == (100, -700)
    assert place(node(material, "ShaderNodeMapping")) == (-1050, 0)
    assert place(node(material, "ShaderNodeTexCoord")) == (-1250, 0)
    frames = {item.label for item in material.node_tree.nodes if item.type == "FRAME"}
    assert frames == {"Mapping", "Textures"}
    assert all(texture(material, label).parent.label == "Textures" for label in LABELS)


def test_only_the_base_colour_is_colour():
    material = apply()
    for label in LABELS:
        image = texture(material, label).image
        assert image.colorspace_settings.is_data == (label != "Base Color"), label
        assert image.colorspace_settings.name == ("sRGB" if label == "Base Color" else "Non-Color")
        assert image.has_data or image.size[0] == 16
    assert (
        texture(material, "Displacement").image.depth == 16
        or texture(material, "Displacement").image.is_float
    )


def test_every_texture_repeats_and_is_mapped():
    material = apply()
    mapping = node(material, "ShaderNodeMapping")
    coordinates = node(material, "ShaderNodeTexCoord")
    reroute = node(material, "NodeReroute")
    assert source(mapping.inputs["Vector"]) == (coordinates, "UV")
    assert source(reroute.inputs[0]) == (mapping, "Vector")
    for label in LABELS:
        item = texture(material, label)
        assert (item.extension, item.projection) == ("REPEAT", "FLAT")
        assert source(item.inputs["Vector"])[0] == reroute


def test_no_value_is_left_to_a_versions_default():
    """Displacement's scale is 1 up to 4.4 and 0.01 from 4.5 on, Bump's distance 1 and 0.001."""
    material = apply(tile_size=2.0, normal_strength=0.7)
    displacement = node(material, "ShaderNodeDisplacement")
    assert displacement.inputs["Scale"].default_value == pytest.approx(0.04 * 2.0)
    assert displacement.inputs["Midlevel"].default_value == 0.5
    assert node(material, "ShaderNodeNormalMap").inputs["Strength"].default_value == pytest.approx(0.7)
    material = apply(displacement="BUMP")
    bump = node(material, "ShaderNodeBump")
    assert bump.inputs["Distance"].default_value == pytest.approx(0.04 * 2.0 * 0.7)
    assert bump.inputs["Strength"].default_value == 1.0


def test_applying_again_builds_the_same_material_anew(cube):
    first = apply()
    count = len(bpy.data.materials), len(bpy.data.images), len(first.node_tree.nodes)
    again = apply(tile_size=3.0)
    assert again == first
    assert (len(bpy.data.materials), len(bpy.data.images), len(again.node_tree.nodes)) == count
    assert len(cube.material_slots) == 1


def test_another_variation_is_another_material():
    first = apply()
    bpy.ops.patina.select(index=1)
    second = apply()
    assert second != first
    assert texture(second, "Base Color").image.filepath.endswith("bricks_v2_basecolor.png")
    assert texture(first, "Base Color").image.filepath.endswith("bricks_v1_basecolor.png")


@pytest.mark.parametrize("letter", ["煉", "Щ", "🧱", "x"])
def test_a_long_prompt_in_any_script_leaves_the_rank_in_the_name(blender, cube, letter):
    blender.finish_run(prompt=letter * 100)
    apply()
    assert cube.active_material.name.endswith(" 1")
    bpy.ops.patina.compare(step=1)
    assert cube.active_material.name.endswith(" 2")


def test_a_missing_file_is_said_and_nothing_is_changed(cube, finished):
    finished.session.chosen.files["roughness"].unlink()
    before = len(bpy.data.materials), len(bpy.data.images), cube.active_material
    with pytest.raises(RuntimeError, match="gone"):
        bpy.ops.patina.apply()
    assert (len(bpy.data.materials), cube.active_material) == (before[0], before[2])


def test_renders_in_cycles(tmp_path):
    """The nodes are not only linked but make a picture: not black, and not the pink of missing images."""
    bpy.ops.preferences.addon_enable(module="cycles")
    apply()
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising = 2, False
    scene.render.resolution_x = scene.render.resolution_y = 32
    scene.render.resolution_percentage = 100
    scene.render.image_settings.file_format = "PNG"
    scene.render.filepath = str(tmp_path / "render.png")
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(scene.render.filepath)
    pixels = list(image.pixels)
    red, green, blue = pixels[4 * (32 * 16 + 16) :][:3]
    assert all(map(math.isfinite, pixels))
    assert red > 0.1
    assert red > 1.3 * green > green > 0.5 * blue  # brick red; a missing image would be pink
