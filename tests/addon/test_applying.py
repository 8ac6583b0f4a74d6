"""Apply to whom and as what; what stays the artist's; what stands in the way and the button against it."""

from __future__ import annotations

import sys

import bmesh
import bpy
import pytest
from mathutils import Vector

from tests.addon.support import MAPS, draw


@pytest.fixture(autouse=True)
def cube(finished):
    assert finished.session.results
    item = bpy.data.objects["Cube"]
    bpy.context.view_layer.objects.active = item
    item.select_set(True)
    return item


@pytest.fixture
def using():
    return bpy.context.scene.patina_using


def apply():
    assert bpy.ops.patina.apply() == {"FINISHED"}
    return bpy.context.active_object.active_material


def ours(material, role):
    return material.node_tree.nodes["Patina " + role]


def undone(action):
    """Run an operator as one step, and take it back."""
    bpy.ops.ed.undo_push(message="before")
    action()
    bpy.ops.ed.undo_push(message="after")
    bpy.ops.ed.undo()


def select_faces(item, *indices):
    bpy.context.tool_settings.mesh_select_mode = (False, False, True)
    bpy.ops.object.mode_set(mode="EDIT")
    mesh = bmesh.from_edit_mesh(item.data)
    mesh.faces.ensure_lookup_table()
    for face in mesh.faces:
        face.select_set(False)
    for index in indices:
        mesh.faces[index].select_set(True)
    mesh.select_flush_mode()
    bmesh.update_edit_mesh(item.data)


def faces(item):
    """The materials of an object's faces, by name."""
    if item.mode == "EDIT":
        item.update_from_editmode()
    return [item.data.materials[polygon.material_index] for polygon in item.data.polygons]


def second_cube():
    bpy.ops.mesh.primitive_cube_add(location=(4, 0, 0))
    return bpy.context.active_object


def refused():
    """The sentence for a grey Apply, and the buttons that the panel offers against it."""
    assert not bpy.ops.patina.apply.poll()
    with pytest.raises(RuntimeError) as caught:
        bpy.ops.patina.apply()
    layout = draw(bpy.types.PATINA_PT_main)
    box = [name for name, _ in layout.calls].index("box")
    buttons = [given["text"] for name, given in layout.calls[box:] if name == "operator"]
    return str(caught.value), buttons[:-1]


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


def test_only_the_active_object_if_so_chosen(cube, using):
    other = second_cube()
    cube.select_set(True)
    using.target = "ACTIVE"
    material = apply()
    assert other.active_material == material != cube.active_material


def test_an_active_object_that_is_not_selected_is_left_alone(cube):
    other = second_cube()
    other.select_set(False)
    cube.select_set(True)
    before = other.active_material
    assert bpy.ops.patina.apply() == {"FINISHED"}
    assert (cube.active_material is not None, other.active_material) == (True, before)


def test_those_who_share_the_mesh_are_told_of(cube, capfd):
    bpy.context.collection.objects.link(cube.copy())
    bpy.data.objects["Cube.001"].select_set(False)
    apply()
    assert bpy.data.objects["Cube.001"].active_material == cube.active_material
    assert "1 other object that shares" in capfd.readouterr().out


@pytest.fixture
def linked(tmp_path):
    """An object whose mesh belongs to another file, and an object that does itself."""
    bpy.data.libraries.write(str(tmp_path / "library.blend"), {bpy.data.objects["Cube"]})
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (_, wanted):
        wanted.meshes, wanted.objects = ["Cube"], ["Cube"]
    mesh = wanted.meshes[0]
    local = bpy.data.objects.new("local", mesh)
    for item in (local, wanted.objects[0]):
        bpy.context.collection.objects.link(item)
    bpy.ops.object.select_all(action="DESELECT")
    return local, wanted.objects[0]


def test_a_linked_mesh_is_not_touched_but_its_object_gets_the_material(linked):
    local, _ = linked
    bpy.context.view_layer.objects.active = local
    local.select_set(True)
    before = local.data.materials[0]
    material = apply()
    assert (local.material_slots[0].link, local.material_slots[0].material) == ("OBJECT", material)
    assert local.data.materials[0] == before


def test_a_linked_object_is_refused_in_words(linked):
    _, theirs = linked
    bpy.context.view_layer.objects.active = theirs
    theirs.select_set(True)
    assert "linked from another file" in refused()[0]


def test_a_light_is_refused_alone_and_mentioned_among_others(cube, capfd):
    bpy.data.objects["Light"].select_set(True)
    apply()
    assert "Light can have no surface material" in capfd.readouterr().out
    cube.select_set(False)
    bpy.context.view_layer.objects.active = bpy.data.objects["Light"]
    assert "Light can have no surface material" in refused()[0]


def test_a_volume_is_refused_as_no_surface_shows_on_it(cube):
    fog = bpy.data.objects.new("Fog", bpy.data.volumes.new("Fog"))
    bpy.context.collection.objects.link(fog)
    cube.select_set(False)
    fog.select_set(True)
    bpy.context.view_layer.objects.active = fog
    assert "Fog can have no surface material" in refused()[0]


def test_nothing_selected_is_said():
    bpy.ops.object.select_all(action="DESELECT")
    bpy.context.view_layer.objects.active = None
    assert "Select an object" in refused()[0]


def press(settings_of):
    """Press the remedy's button as the panel would."""
    module, name = settings_of.operator.split(".")
    if name == "context_set_enum":  # needs a window to find the scene from; what it does is what is tested
        path, value = settings_of.settings["data_path"], settings_of.settings["value"]
        owner, _, attribute = path.rpartition(".")
        setattr(bpy.context.path_resolve(owner), attribute, value)
    else:
        getattr(getattr(bpy.ops, module), name)(**settings_of.settings)


@pytest.mark.parametrize("trouble", ["mode", "hidden", "no uv", "no faces", "nothing to replace"])
def test_each_refusal_has_a_button_that_removes_it(cube, using, finished, trouble):
    if trouble == "mode":
        bpy.ops.object.mode_set(mode="SCULPT")
    elif trouble == "hidden":
        cube.hide_set(True)
    elif trouble == "no uv":
        cube.data.uv_layers.remove(cube.data.uv_layers[0])
        finished.inputs.mapping = "UV"
    elif trouble == "no faces":
        select_faces(cube)
    else:
        using.apply_as = "REPLACE"
    expected = {
        "mode": "Go to Object Mode",
        "hidden": "Show It",
        "no uv": "Use Box Mapping",
        "no faces": "Select All Faces",
        "nothing to replace": "Apply as New Material",
    }
    sentence, buttons = refused()
    assert buttons[0] == expected[trouble], sentence
    package = finished.package
    press(package.remedies.refusal(package.targets.check, bpy.context).remedy)
    assert bpy.ops.patina.apply.poll()
    assert apply() is not None


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


@pytest.mark.parametrize("gone", ["Principled", "Output"])
def test_the_relief_can_be_changed_without_our_shader_or_output(cube, gone):
    apply()
    tree = cube.active_material.node_tree
    tree.nodes.remove(tree.nodes[f"Patina {gone}"])
    for means in ("BUMP", "REAL", "NORMAL"):
        assert bpy.ops.patina.set_relief(means=means) == {"FINISHED"}


@pytest.mark.parametrize("mapping", ["AUTO", "BOX"])
def test_an_object_that_is_scaled_to_nothing_can_be_tuned_afterwards(cube, finished, mapping):
    cube.scale = (0, 0, 0)
    bpy.context.view_layer.update()
    finished.inputs.mapping = mapping
    apply()
    assert bpy.ops.patina.set_tile_size(tile_size=2.0) == {"FINISHED"}
    assert sys.modules["patina.tuning"].tile_size(cube.active_material) == pytest.approx(2.0)


@pytest.mark.parametrize("letter", ["煉", "Щ", "🧱", "x"])
def test_a_long_prompt_in_any_script_leaves_the_rank_in_the_name(blender, cube, letter):
    blender.finish_run(prompt=letter * 100)
    apply()
    assert cube.active_material.name.endswith(" 1")
    bpy.ops.patina.compare(step=1)
    assert cube.active_material.name.endswith(" 2")


def test_stretch_and_rotation_are_in_the_mapping_node(using, finished):
    using.scale, using.rotation = (2, 1, 1), 0.5
    finished.inputs.mapping = "UV"
    material = apply()
    place = ours(material, "Mapping")
    assert tuple(place.inputs["Scale"].default_value) == (0.5, 1, 1)
    assert tuple(place.inputs["Rotation"].default_value) == pytest.approx((0, 0, 0.5))
    assert ours(material, "Principled").inputs["Normal"].links[0].from_node == ours(material, "Bump")


def modifiers(item):
    return [modifier for modifier in item.modifiers if modifier.type == "SUBSURF"]


@pytest.mark.parametrize("kind", ["NONE", "PLAIN", "ADAPTIVE"])
def test_a_mesh_is_subdivided_on_request_only_and_it_is_said(cube, using, finished, kind, capfd):
    bpy.ops.preferences.addon_enable(module="cycles")
    finished.inputs.displacement, using.subdivide = "REAL", kind
    apply()
    said = capfd.readouterr().out
    assert len(modifiers(cube)) == (kind != "NONE")
    assert ("subdivision" in said) == (kind != "NONE")
    if kind == "PLAIN":
        modifier = modifiers(cube)[0]
        assert (modifier.subdivision_type, modifier.levels, modifier.render_levels) == ("SIMPLE", 7, 8)
    if kind == "ADAPTIVE":
        adaptive = getattr(modifiers(cube)[0], "use_adaptive_subdivision", None)
        assert adaptive or cube.cycles.use_adaptive_subdivision
        assert adaptive or bpy.context.scene.cycles.feature_set == "EXPERIMENTAL"
        assert adaptive or "experimental features" in said


def test_a_subdivision_of_the_artists_is_left_as_it_is(cube, using, finished, capfd):
    own = cube.modifiers.new("own", "SUBSURF")
    finished.inputs.displacement, using.subdivide = "REAL", "PLAIN"
    apply()
    assert modifiers(cube) == [own]
    assert own.levels == 1
    assert "already" in capfd.readouterr().out


def test_the_subdivision_goes_with_the_same_undo(using, finished):
    finished.inputs.displacement, using.subdivide = "REAL", "PLAIN"
    undone(bpy.ops.patina.apply)
    assert not modifiers(bpy.data.objects["Cube"])


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
