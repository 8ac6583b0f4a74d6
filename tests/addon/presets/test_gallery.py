"""Presets as an artist meets them: what ships, chosen from pictures, and what they set."""

from __future__ import annotations

from types import SimpleNamespace

import bpy

from tests.addon.presets.files import choices, refresh, shown, stored, write
from tests.addon.support import ROOT, draw


def test_every_shipped_preset_but_plain_does_what_an_artist_expects_of_one():
    """It adds words, keeps something away, and says how to run and how the material lies."""
    lacking = {
        (file.stem, part)
        for file in (ROOT / "presets").glob("*.json")
        for part in ("templates", "negative", "settings", "material")
        if not stored(ROOT / "presets", file.stem)[part]
    }
    assert lacking == {("plain", "negative"), ("plain", "settings"), ("plain", "material")}


def test_there_are_presets_in_every_group_each_with_a_picture(blender, own):
    presets = blender.package.presets
    assert len(presets.load_all()) >= 25
    assert presets.broken() == []
    headings = presets.in_groups()
    assert {
        "Stone",
        "Wood",
        "Metal",
        "Fabric",
        "Ground",
        "Organic",
        "Man-Made",
        "Stylised",
        "Fantastic",
    } <= set(headings)
    for preset in presets.load_all().values():
        assert preset.group in presets.GROUPS, preset.id
        assert preset.description, preset.id
        assert preset.picture, f"{preset.id} has no picture: python -m engine thumbnails {preset.id}"


def test_no_preset_of_ours_can_be_taken_for_a_users(blender):
    assert not [path for path in (ROOT / "presets").glob("*.json") if path.stem.startswith("my_")]


def test_the_gallery_offers_every_preset_and_choosing_one_sets_it(blender, own):
    write(own, "oak")
    refresh(blender)
    layout = draw(bpy.types.PATINA_PT_gallery)
    assert layout.operators().count("patina.choose_preset") == len(choices(blender))
    assert {"Yours", "Stone", "Oak", "Masonry"} <= set(layout.texts())
    assert bpy.ops.patina.choose_preset(preset="lava") == {"FINISHED"}
    assert blender.inputs.preset == "lava"
    assert bpy.ops.patina.choose_preset(preset="no_such") == {"CANCELLED"}
    assert blender.inputs.preset == "lava"
    tooltip = bpy.types.PATINA_OT_choose_preset.description
    assert "glows" in tooltip(bpy.context, SimpleNamespace(preset="lava"))


def test_the_panel_names_the_preset(blender, own):
    blender.inputs.preset = "lava"
    layout = draw(bpy.types.PATINA_PT_main)
    assert "Lava" in layout.texts()
    assert "PATINA_PT_gallery" in [given.get("panel") for name, given in layout.calls if name == "popover"]
    (picture,) = [given for name, given in layout.calls if name == "template_icon_view"]
    assert (picture["data"], picture["property"]) == (blender.inputs, "preset")


def test_a_preset_sets_the_material_until_the_artist_does(blender, own):
    write(own, "oak", material={"normal_strength": 2.5, "displacement": "BUMP"})
    refresh(blender)
    blender.inputs.preset = "my_oak"
    value = blender.package.choice.material_value
    assert value(blender.inputs, "normal_strength") == 2.5
    assert value(blender.inputs, "displacement") == "BUMP"
    assert value(blender.inputs, "tile_size") == 1.0
    assert any("Relief By to Bump" in text for text in shown(bpy.types.PATINA_PT_material))
    blender.inputs.normal_strength = 1.0
    assert value(blender.inputs, "normal_strength") == 1.0
    assert bpy.ops.patina.follow_preset() == {"FINISHED"}
    assert value(blender.inputs, "normal_strength") == 2.5
    assert not bpy.ops.patina.follow_preset.poll()


def test_the_settings_say_which_relief_the_preset_chooses(blender, own):
    blender.inputs.preset = "bark"
    assert "The preset sets Relief to 0.06" in shown(bpy.types.PATINA_PT_settings)[0]
    blender.inputs.use_relief = True
    assert "sets Relief" not in shown(bpy.types.PATINA_PT_settings)[0]


def test_apply_takes_the_material_settings_of_the_preset(finished, own):
    write(own, "oak", material={"normal_strength": 2.5})
    refresh(finished)
    finished.inputs.preset = "my_oak"
    cube = bpy.data.objects["Cube"]
    bpy.context.view_layer.objects.active = cube
    assert bpy.ops.patina.apply() == {"FINISHED"}
    node = next(n for n in cube.active_material.node_tree.nodes if n.type == "NORMAL_MAP")
    assert node.inputs["Strength"].default_value == 2.5
