"""The node set that Apply leaves, on objects of every kind."""

from __future__ import annotations

import math

import bpy
import pytest

from tests.addon.support import MAPS, draw

LABELS = ["Ambient Occlusion", "Base Color", "Metallic", "Roughness", "Displacement", "Normal"]


@pytest.fixture(autouse=True)
def cube(finished):
    assert finished.session.results
    item = bpy.data.objects["Cube"]
    bpy.context.view_layer.objects.active = item
    item.select_set(True)
    return item


def apply(**options):
    inputs = bpy.context.scene.patina
    for name, value in options.items():
        setattr(inputs, name, value)
    assert bpy.ops.patina.apply() == {"FINISHED"}
    return bpy.context.active_object.active_material


def node(material, kind):
    found = [item for item in material.node_tree.nodes if item.bl_idname == kind]
    assert len(found) == 1, f"{len(found)} of {kind}"
    return found[0]


def texture(material, label):
    return next(item for item in material.node_tree.nodes if item.label == label and item.type == "TEX_IMAGE")


def source(socket):
    """Node and output that feed a socket; None for none."""
    return (socket.links[0].from_node, socket.links[0].from_socket.name) if socket.links else None


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


def test_a_relief_in_metres_is_what_bump_and_displacement_get():
    """Whatever the tile size, until it is left to the result again; the normal map shows the result's own."""
    using = bpy.context.scene.patina_using
    using.use_depth, using.depth = True, 0.3
    material = apply(tile_size=2.0, displacement="REAL")
    displacement = node(material, "ShaderNodeDisplacement")
    assert displacement.inputs["Scale"].default_value == pytest.approx(0.3)
    material = apply(tile_size=5.0, displacement="BUMP", normal_strength=0.5)
    assert node(material, "ShaderNodeBump").inputs["Distance"].default_value == pytest.approx(0.3 * 0.5)
    using.use_depth = False
    material = apply(tile_size=5.0)
    assert node(material, "ShaderNodeBump").inputs["Distance"].default_value == pytest.approx(0.2 * 0.5)


def test_a_relief_in_metres_outlasts_other_maps():
    """Those of another variation, by the arrows or by Replace Maps, until it is left to the result again."""
    using = bpy.context.scene.patina_using
    using.use_depth, using.depth = True, 0.3
    material = apply(tile_size=2.0, displacement="REAL")

    def depth():
        return node(material, "ShaderNodeDisplacement").inputs["Scale"].default_value

    assert bpy.ops.patina.compare(step=1) == {"FINISHED"}
    assert depth() == pytest.approx(0.3)
    using.apply_as = "REPLACE"
    apply()
    assert depth() == pytest.approx(0.3)
    assert bpy.ops.patina.set_tile_size(tile_size=4.0) == {"FINISHED"}
    assert bpy.ops.patina.compare(step=1) == {"FINISHED"}
    assert depth() == pytest.approx(0.6), "set anew with the tile size, it stays so"
    using.apply_as, using.use_depth = "NEW", False
    material = apply()
    assert depth() == pytest.approx(0.04 * 2.0)
    bpy.ops.patina.set_tile_size(tile_size=4.0)
    depth_socket = node(material, "ShaderNodeDisplacement").inputs["Scale"]
    depth_socket.default_value = 1.0
    assert bpy.ops.patina.compare(step=1) == {"FINISHED"}
    assert depth() == pytest.approx(0.04 * 4.0)


def test_the_relief_in_metres_is_in_the_panel_where_it_counts():
    def shown():
        layout = draw(bpy.types.PATINA_PT_material)
        deep = [text for text in layout.texts() if text.startswith("Relief: ")]
        return "depth" in layout.properties(), len(deep)

    inputs, using = bpy.context.scene.patina, bpy.context.scene.patina_using
    assert shown() == (False, 1)
    inputs.displacement = "REAL"
    assert shown() == (True, 1)
    using.use_depth = True
    assert shown() == (True, 0)
    inputs.displacement = "OFF"
    assert shown() == (False, 1)


def method(material):
    return getattr(material, "displacement_method", None) or material.cycles.displacement_method


def test_the_relief_is_made_once():
    """By the normal map, by bump or by displacement: two of them would make it twice as deep."""
    seen = {}
    for way in ("OFF", "BUMP", "REAL"):
        material = apply(displacement=way)
        bsdf, output = node(material, "ShaderNodeBsdfPrincipled"), node(material, "ShaderNodeOutputMaterial")
        normal = source(bsdf.inputs["Normal"])
        seen[way] = (normal and normal[0].type, bool(output.inputs["Displacement"].links), method(material))
    assert seen == {
        "OFF": ("NORMAL_MAP", False, "BUMP"),
        "BUMP": ("BUMP", False, "BUMP"),
        "REAL": (None, True, "BOTH"),
    }


def test_apply_is_one_undo_step():
    """One Ctrl-Z takes back material and images, and nothing that was done before."""
    bpy.ops.ed.undo_push(message="before")
    bpy.context.scene.patina.seed = 5
    bpy.ops.ed.undo_push(message="seed")
    before = set(bpy.data.materials.keys()), set(bpy.data.images.keys())
    names = [item.name for item in bpy.data.objects["Cube"].material_slots]
    apply()
    bpy.ops.ed.undo_push(message="Apply")  # the window's event loop pushes it after an operator with UNDO
    assert len(bpy.data.materials) == len(before[0]) + 1
    bpy.ops.ed.undo()
    assert (set(bpy.data.materials.keys()), set(bpy.data.images.keys())) == before
    assert [item.name for item in bpy.data.objects["Cube"].material_slots] == names
    assert bpy.context.scene.patina.seed == 5
    bpy.ops.ed.redo()
    assert len(bpy.data.materials) == len(before[0]) + 1


def test_operators_that_change_the_scene_ask_for_undo_and_no_other_does():
    undo = set()
    for name in dir(bpy.ops.patina):
        cls = getattr(bpy.types, f"PATINA_OT_{name}")
        if "UNDO" in cls.bl_options:
            undo.add(name)
    presets = {f"{verb}_preset" for verb in ("choose", "follow", "save", "delete", "import")}
    library = {"library_use", "library_mark_asset", "library_apply", "source_clear"}
    tuning = {"set_tile_size", "set_relief", "subdivide", "show_active"}
    files = {"pack_textures", "copy_textures", "mark_asset"}
    others = {
        "shuffle_seed",
        "apply_remedy",
        "compare",
        "compare_swap",
        "history_reuse",
        "use_words",
        "live_on_object",
    }
    assert undo == {"apply", *others, *presets, *library, *tuning, *files}


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


@pytest.mark.parametrize(
    "kind", ["curve.primitive_bezier_circle_add", "object.text_add", "object.metaball_add"]
)
def test_other_objects_get_the_material_too(kind):
    module, name = kind.split(".")
    getattr(getattr(bpy.ops, module), name)()
    assert apply() is not None
    assert source(node(apply(), "ShaderNodeMapping").inputs["Vector"])[1] == "Object"


def test_all_selected_objects_get_it_and_lights_are_passed_over():
    bpy.ops.mesh.primitive_uv_sphere_add()
    sphere, cube, light = bpy.context.active_object, bpy.data.objects["Cube"], bpy.data.objects["Light"]
    for item in (cube, light):
        item.select_set(True)
    material = apply()
    assert sphere.active_material == cube.active_material == material


def test_an_object_that_has_materials_keeps_the_others(cube):
    kept = bpy.data.materials.new("kept")
    cube.data.materials.append(kept)
    cube.active_material_index = 0
    material = apply()
    assert [slot.material for slot in cube.material_slots] == [material, kept]


def test_an_empty_mesh_does_not_stop_apply():
    item = bpy.data.objects.new("empty mesh", bpy.data.meshes.new("empty"))
    bpy.context.collection.objects.link(item)
    bpy.context.view_layer.objects.active = item
    item.select_set(True)
    assert apply() is not None


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
