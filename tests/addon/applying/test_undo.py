"""Which operators are undo steps, and that Apply is one."""

from __future__ import annotations

import bpy

from tests.addon.applying.cube import apply


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
