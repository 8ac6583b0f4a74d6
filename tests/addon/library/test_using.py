"""Textures of the library put to use: as material, as asset, as what the next run begins from."""

from __future__ import annotations

import itertools
from pathlib import Path

import bpy
import pytest

from tests.addon.library.desk import choose, module, panels, press
from tests.addon.support import with_linked_mesh, write_png

FULL = ("basecolor", "normal", "roughness", "metallic", "height", "ao")


SETS = {
    "picture": ("basecolor",),
    "full": FULL,
    "packed": ("basecolor", "arm", "normal"),
    "gloss": ("basecolor", "gloss", "bump"),
    "glowing": (*FULL, "emission", "alpha"),
}


@pytest.fixture
def use(blender, library, desk, texture):
    """A library of one texture, chosen."""

    def use(roles, **more):
        press("library_open")
        desk.answer(results=[texture(roles=roles, **more)], textures=1, folders=[], labels={})
        return choose(library)

    return use


def linked(material):
    """Inputs of the Principled BSDF and the output that something is linked to."""
    return {
        link.to_socket.name
        for link in material.node_tree.links
        if link.to_node.type in ("BSDF_PRINCIPLED", "OUTPUT_MATERIAL")
    }


@pytest.mark.parametrize("displacement", ["OFF", "BUMP", "REAL"])
@pytest.mark.parametrize("kind", SETS)
def test_whatever_maps_are_there_become_a_material(use, blender, kind, displacement):
    use(SETS[kind])
    blender.inputs.displacement = displacement
    assert press("library_apply") == {"FINISHED"}
    material = bpy.data.objects["Cube"].active_material
    sockets = linked(material)
    assert "Base Color" in sockets
    assert ("Roughness" in sockets) == (kind != "picture")
    assert ("Metallic" in sockets) == (kind in ("full", "packed", "glowing"))
    assert ("Alpha" in sockets) == (kind == "glowing")
    reliefs = {"Normal", "Displacement"} & sockets
    assert len(reliefs) == (0 if kind == "picture" else 1)
    for node in material.node_tree.nodes:
        if node.type == "TEX_IMAGE":
            colours = ("Base Color", module("compat").emission_socket())
            assert node.image.colorspace_settings.is_data == (node.label not in colours)


def test_a_relief_in_metres_is_what_a_texture_gets(use, blender):
    use(FULL)
    using = bpy.context.scene.patina_using
    blender.inputs.displacement, blender.inputs.tile_size = "REAL", 2.0
    deep = []
    for using.use_depth in (False, True):
        using.depth = 0.3
        press("library_apply")
        tree = bpy.data.objects["Cube"].active_material.node_tree
        deep += [node.inputs["Scale"].default_value for node in tree.nodes if node.type == "DISPLACEMENT"]
    assert deep == pytest.approx([0.02 * 2.0, 0.3])


def test_a_normal_map_of_directx_is_turned(use):
    use(("basecolor", "normal"), directx=True)
    press("library_apply")
    nodes = {node.type for node in bpy.data.objects["Cube"].active_material.node_tree.nodes}
    assert {"MATH", "NORMAL_MAP"} <= nodes


def wiring(material):
    """Nodes, links and the values that our nodes were given, less where they lie."""
    tree = material.node_tree
    links = {
        (link.from_node.name, link.from_socket.identifier, link.to_node.name, link.to_socket.identifier)
        for link in tree.links
    }
    shader = tree.nodes["Patina Principled"].inputs
    return {node.name for node in tree.nodes}, links, round(shader["Emission Strength"].default_value, 3)


@pytest.mark.parametrize("before", [*SETS, "directx"])
def test_a_texture_that_has_changed_gets_the_nodes_of_a_new_one(use, blender, before):
    """Such as a normal map that is OpenGL's by now, or roughness where there was gloss."""

    def wired(*kinds):
        for kind in kinds:
            use(SETS.get(kind, FULL), directx=kind == "directx")
            press("library_apply")
        material = bpy.data.objects["Cube"].active_material
        found = wiring(material)
        bpy.data.materials.remove(material)
        return found

    for blender.inputs.displacement, after in itertools.product(("OFF", "BUMP", "REAL"), SETS):
        assert wired(before, after) == wired(after), (blender.inputs.displacement, after)


def test_what_the_artist_takes_from_a_turned_normal_map_takes_the_map_itself_later(use):
    use(FULL, directx=True)
    press("library_apply")
    tree = bpy.data.objects["Cube"].active_material.node_tree
    own = tree.nodes.new("ShaderNodeGamma")
    tree.links.new(tree.nodes["Patina Normal Joined"].outputs[0], own.inputs["Color"])
    use(FULL)
    press("library_apply")
    for node in (own, tree.nodes["Patina Normal Map"]):
        assert node.inputs["Color"].links[0].from_node.name == "Patina normal_gl"


def test_applied_again_it_is_the_same_material(use):
    use(FULL)
    press("library_apply")
    first = bpy.data.objects["Cube"].active_material.name
    press("library_apply")
    assert bpy.data.objects["Cube"].active_material.name == first
    assert [m.get("patina_library") for m in bpy.data.materials].count(None) == len(bpy.data.materials) - 1


def test_a_linked_mesh_is_not_touched_but_its_object_gets_the_texture(use, tmp_path):
    item = with_linked_mesh(tmp_path)
    own = item.active_material
    use(("basecolor",))
    press("library_apply")
    assert item.active_material != own
    assert item.data.materials[0] == own


def test_estimated_maps_fill_what_is_missing(use, desk, library, tmp_path):
    found = use(("basecolor", "roughness"))
    assert found.lacking == ("normal", "metallic", "height")
    press("library_make_maps")
    method, params = desk.last
    assert (method, params["picture"]) == ("maps", found.key)
    assert Path(params["folder"]).is_relative_to(params["history"])
    made = {}
    for name in ("basecolor", "normal_gl", "roughness", "metallic", "height", "ao"):
        made[name] = f"made_{name}.png"
        write_png(tmp_path / made[name], name)
    desk.answer(folder=str(tmp_path), files=made)
    press("library_apply")
    material = bpy.data.objects["Cube"].active_material
    images = {n.label: Path(n.image.filepath).name for n in material.node_tree.nodes if n.type == "TEX_IMAGE"}
    assert images["Base Color"] == "mossy_wall_basecolor.png"
    assert images["Roughness"] == "mossy_wall_roughness.png"
    assert images["Normal"] == "made_normal_gl.png"


def test_a_file_that_is_gone_is_said_and_changes_nothing(use):
    use(("basecolor",)).main.unlink()
    before = bpy.data.objects["Cube"].active_material
    for name, more in (("library_apply", {}), ("library_mark_asset", {}), ("library_use", {"kind": "START"})):
        with pytest.raises(RuntimeError, match="is gone"):
            press(name, **more)
    assert bpy.data.objects["Cube"].active_material == before


def test_a_material_becomes_an_asset_with_its_tags(use, monkeypatch):
    use(FULL)
    assert press("library_mark_asset") == {"FINISHED"}
    (asset,) = [material for material in bpy.data.materials if material.asset_data]
    assert [tag.name for tag in asset.asset_data.tags] == ["moss"]
    again = []
    monkeypatch.setattr(module("assets"), "render_thumbnail", again.append)  # it takes three seconds
    press("library_mark_asset")
    assert [tag.name for tag in asset.asset_data.tags] == ["moss"]
    assert again == [asset]


def test_a_texture_starts_the_next_run_and_is_a_picture_prompt(use, blender):
    found = use(("basecolor",))
    run_settings = module("properties").run_settings
    assert not {"image", "pictures"} & set(run_settings(blender.inputs))
    press("library_use", kind="START")
    press("library_use", kind="PICTURE")
    press("library_use", kind="PICTURE")  # once is enough
    settings = run_settings(blender.inputs)
    assert (settings["image"], settings["strength"], settings["start"]) == (found.key, 0.5, "auto")
    assert settings["pictures"] == [{"path": found.key, "weight": 1.0, "aligned": False}]
    press("source_clear", index=0)
    press("source_clear")
    assert not {"image", "pictures"} & set(run_settings(blender.inputs))


def test_a_result_of_patina_starts_with_all_its_maps(use, blender):
    found = use(("basecolor",))
    sidecar = found.main.with_name("mossy_wall.json")
    sidecar.write_text('{"relief": 0.11}')
    press("library_use", kind="START")
    assert module("properties").run_settings(blender.inputs)["image"] == str(sidecar)
    assert found.relief() == 0.11
    sidecar.write_text("[" * 100_000)
    assert found.relief() == 0.02


def test_nothing_chosen_leaves_the_buttons_grey(filled):
    for name in (
        "library_apply",
        "library_mark_asset",
        "library_use",
        "library_more_like",
        "library_make_maps",
    ):
        assert not getattr(bpy.ops.patina, name).poll()


def test_what_is_chosen_lasts_over_a_new_file(use):
    use(("basecolor",))
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    module("shelf").turn()
    assert bpy.ops.patina.library_apply.poll()
    for layout in panels():
        assert layout.calls
