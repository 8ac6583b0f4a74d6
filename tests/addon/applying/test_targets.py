"""Who gets the material, what stands in the way, and the button against it."""

from __future__ import annotations

import bpy
import pytest

from tests.addon.applying.cube import apply, node, second_cube, select_faces, source
from tests.addon.support import draw, with_linked_mesh


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


def refused():
    """The sentence for a grey Apply, and the buttons that the panel offers against it."""
    assert not bpy.ops.patina.apply.poll()
    with pytest.raises(RuntimeError) as caught:
        bpy.ops.patina.apply()
    layout = draw(bpy.types.PATINA_PT_main)
    box = [name for name, _ in layout.calls].index("box")
    buttons = [given["text"] for name, given in layout.calls[box:] if name == "operator"]
    return str(caught.value), buttons[:-1]


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


def test_a_linked_mesh_is_not_touched_but_its_object_gets_the_material(tmp_path):
    local = with_linked_mesh(tmp_path)
    before = local.data.materials[0]
    material = apply()
    assert (local.material_slots[0].link, local.material_slots[0].material) == ("OBJECT", material)
    assert local.data.materials[0] == before


def test_a_linked_object_is_refused_in_words(tmp_path):
    bpy.data.libraries.write(str(tmp_path / "library.blend"), {bpy.data.objects["Cube"]})
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (_, wanted):
        wanted.objects = ["Cube"]
    theirs = wanted.objects[0]
    bpy.context.collection.objects.link(theirs)
    bpy.ops.object.select_all(action="DESELECT")
    theirs.select_set(True)
    bpy.context.view_layer.objects.active = theirs
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
