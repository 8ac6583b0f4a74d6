"""What a scene keeps of its preset while files come, go and break."""

from __future__ import annotations

import array

import bpy

from tests.addon.presets.files import BROKEN, choices, refresh, shown, write
from tests.addon.support import draw


def test_what_blender_stores_for_a_preset_is_no_other_number_as_a_float(blender):
    """The buttons of template_icon_view hand it on as a C float: a larger number came back as another."""
    items = blender.inputs.bl_rna.properties["preset"].enum_items
    numbers = [item.value for item in items]
    assert array.array("f", numbers).tolist() == numbers
    assert len(set(numbers)) == len(numbers) == len(choices(blender))


def test_a_scene_keeps_its_preset_when_others_come_and_go(blender, own, tmp_path):
    write(own, "oak")
    write(own, "ash", label="Ash")
    refresh(blender)
    blender.inputs.preset = "my_oak"
    path = tmp_path / "scene.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    (own / "ash.json").unlink()
    write(own, "birch", label="Birch")
    assert bpy.ops.patina.refresh_presets() == {"FINISHED"}
    assert blender.inputs.preset == "my_oak"
    bpy.ops.wm.open_mainfile(filepath=str(path))
    assert blender.inputs.preset == "my_oak"
    assert bpy.context.window_manager.patina_gallery.message == ""


def test_a_scene_whose_preset_is_gone_gets_plain_and_a_message(blender, own, tmp_path):
    write(own, "oak")
    refresh(blender)
    blender.inputs.preset = "my_oak"
    path = tmp_path / "scene.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    (own / "oak.json").unlink()
    blender.inputs.preset = "stone"
    refresh(blender)
    assert bpy.context.window_manager.patina_gallery.message == ""
    bpy.ops.wm.open_mainfile(filepath=str(path))
    assert blender.inputs.preset == "plain"
    assert "Plain is used" in shown(bpy.types.PATINA_PT_main)[0]
    blender.inputs.preset = "lava"  # by its picture, which is no operator
    assert "Plain is used" not in shown(bpy.types.PATINA_PT_main)[0]
    bpy.ops.patina.choose_preset(preset="stone")
    assert "Plain is used" not in shown(bpy.types.PATINA_PT_main)[0]


def test_enabling_again_finds_what_came_meanwhile(blender, own):
    bpy.ops.preferences.addon_disable(module="patina")
    write(own, "oak")
    bpy.ops.preferences.addon_enable(module="patina")
    assert "my_oak" in choices(blender)


def test_broken_files_are_shown_with_the_reason_and_cannot_be_chosen(blender, own):
    for name, text in BROKEN.items():
        (own / f"{name}.json").write_text(text)
    (own / "not_utf8.json").write_bytes(b"\xff")
    write(own, "oak")
    refresh(blender)
    assert {name for name in choices(blender) if name.startswith("my_")} == {"my_oak"}
    words = " ".join(draw(bpy.types.PATINA_PT_gallery).texts())
    for name, reason in (
        ("typo", "stepz"),
        ("beyond", "between 0 and 5000"),
        ("hole", "none"),
        ("future", "format"),
    ):
        assert f"{name}.json" in words
        assert reason in words
    assert words.count(".json") == len(BROKEN) + 1
    assert bpy.ops.patina.refresh_presets() == {"FINISHED"}
