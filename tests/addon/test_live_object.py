"""A run shown on an object while it goes on: lent, filled, and always given back."""

from __future__ import annotations

import sys

import bpy
import pytest

from tests.addon.link.fake import TALK
from tests.addon.support import with_linked_mesh

ENGINE = """
import pathlib
here = pathlib.Path(__file__).parent
for method, id, params in requests():
    if method == "initialize":
        greet(id)
        ready()
    elif method == "generate":
        job = id
        path = here / "preview.rgba"
        path.write_bytes(bytes([255, 0, 51, 255]) * 64 * 32)
        for variation in (0, 1):
            tell("job/preview", job=id, variation=variation, file=str(path), width=64, height=32)
    elif method == "cancel":
        answer(id, cancelled=True)
        refuse(job, "Cancelled.", "cancelled")
"""


@pytest.fixture
def running(blender, tmp_path, monkeypatch):
    """A run that has not shown anything yet, and a cube with a material of its own."""
    package = tmp_path / "root" / "engine"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(TALK + ENGINE)
    monkeypatch.setenv("PATINA_ENGINE_ROOT", str(package.parent))
    monkeypatch.setenv("PATINA_ENGINE_PYTHON", sys.executable)
    bpy.context.view_layer.objects.active = bpy.data.objects["Cube"]
    blender.inputs.prompt = "oak"
    bpy.ops.ed.undo_push(message="before")
    assert bpy.ops.patina.generate() == {"FINISHED"}
    return blender


def lend():
    assert bpy.ops.patina.live_on_object() == {"FINISHED"}
    bpy.ops.ed.undo_push(message="lent")


def shown():
    return bpy.context.window_manager.patina_queue.live_on_object


def material():
    return bpy.data.objects["Cube"].active_material.name


def assert_given_back():
    assert material() == "Material"
    assert not [block.name for block in (*bpy.data.materials, *bpy.data.images) if "Live" in block.name]
    assert not [key for item in bpy.data.objects for key in item.keys() if key.startswith("patina_")]  # noqa: SIM118
    assert not shown()


def end(blender):
    bpy.ops.patina.cancel()
    blender.until(lambda: not blender.state.job)


def test_the_picture_is_filled_and_taken_back_when_the_run_is_over(running):
    lend()
    assert (material(), shown()) == ("Patina Live", True)
    running.until(lambda: running.state.live == 2)
    image = bpy.data.images["Patina Live"]
    assert tuple(image.size) == (64, 32)
    assert list(image.pixels[:4]) == pytest.approx([1, 0, 0.2, 1], abs=0.01)
    assert image.packed_file is None
    end(running)
    assert_given_back()


def test_pressing_again_takes_it_back(running):
    lend()
    assert bpy.ops.patina.live_on_object() == {"FINISHED"}
    assert_given_back()
    assert running.state.job
    end(running)


def next_of_queue(blender):
    bpy.ops.patina.generate()
    first = blender.session.queue.running
    bpy.ops.patina.cancel()
    blender.until(lambda: blender.session.queue.running not in (None, first))
    blender.until(lambda: blender.state.live == 2)


def test_the_next_run_of_the_queue_is_not_shown_where_that_was_not_asked_for(running):
    lend()
    bpy.context.scene.patina_using.show_live = False
    next_of_queue(running)
    assert running.state.job
    assert_given_back()
    end(running)


def test_the_next_run_of_the_queue_is_shown_while_that_is_asked_for(running):
    lend()
    next_of_queue(running)
    assert (material(), shown()) == ("Patina Live", True)
    assert len([block for block in bpy.data.materials if "Live" in block.name]) == 1
    end(running)
    assert_given_back()


def test_what_was_asked_for_beforehand_is_shown_by_every_run(running):
    end(running)
    bpy.context.scene.patina_using.show_live = True
    bpy.ops.ed.undo_push(message="asked")
    for _ in range(2):
        assert bpy.ops.patina.generate() == {"FINISHED"}
        assert (material(), shown()) == ("Patina Live", True)
        running.until(lambda: running.state.live == 2)
        assert tuple(bpy.data.images["Patina Live"].size) == (64, 32)
        end(running)
        assert_given_back()


def test_undo_takes_back_what_generate_has_lent(running):
    end(running)
    bpy.context.scene.patina_using.show_live = True
    bpy.ops.ed.undo_push(message="asked")
    bpy.ops.patina.generate()
    assert material() == "Patina Live"
    assert bpy.ops.ed.undo() == {"FINISHED"}
    assert material() == "Material"
    running.until(lambda: running.state.live == 2)
    end(running)
    assert_given_back()
    bpy.ops.patina.generate()
    assert (material(), shown()) == ("Patina Live", True)
    end(running)


def test_without_an_object_a_run_begins_all_the_same(running):
    end(running)
    bpy.context.scene.patina_using.show_live = True
    bpy.context.view_layer.objects.active = bpy.data.objects["Light"]
    assert bpy.ops.patina.generate() == {"FINISHED"}
    assert not shown()
    end(running)


def test_the_button_turns_it_off_for_the_runs_that_follow(running):
    lend()
    assert bpy.context.scene.patina_using.show_live
    assert bpy.ops.patina.live_on_object() == {"FINISHED"}
    assert not bpy.context.scene.patina_using.show_live
    next_of_queue(running)
    assert_given_back()
    end(running)


def test_undo_in_mid_job_takes_it_off_and_redo_brings_nothing_back_that_stays(running):
    lend()
    assert bpy.ops.ed.undo() == {"FINISHED"}
    assert material() == "Material"
    running.until(lambda: running.state.live == 2)
    end(running)
    assert_given_back()
    bpy.ops.ed.redo()
    running.until(lambda: "Patina Live" not in bpy.data.materials, 10)
    assert_given_back()


def test_undoing_back_to_a_step_in_which_it_was_lent(running):
    lend()
    end(running)
    assert_given_back()
    bpy.data.objects["Cube"].location.x = 1
    bpy.ops.ed.undo_push(message="moved")
    bpy.ops.ed.undo()
    running.until(lambda: "Patina Live" not in bpy.data.materials, 10)
    assert_given_back()


def test_a_file_is_saved_without_it(running, tmp_path):
    lend()
    path = tmp_path / "saved.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    end(running)
    bpy.ops.wm.open_mainfile(filepath=str(path))
    assert_given_back()


def test_loading_a_file_in_mid_job(running):
    lend()
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    running.until(lambda: running.state.live == 2)
    end(running)
    assert_given_back()


def test_an_object_without_slots_has_none_afterwards(running):
    cube = bpy.data.objects["Cube"]
    cube.data.materials.clear()
    lend()
    assert material() == "Patina Live"
    end(running)
    assert len(cube.material_slots) == 0


def test_disabling_in_mid_job_gives_it_back(running):
    lend()
    bpy.ops.preferences.addon_disable(module="patina")
    assert material() == "Material"
    assert "Patina Live" not in bpy.data.images


def test_it_needs_a_run_and_an_object(running):
    bpy.context.view_layer.objects.active = bpy.data.objects["Light"]
    with pytest.raises(RuntimeError, match="Select an object"):
        bpy.ops.patina.live_on_object()
    end(running)
    with pytest.raises(RuntimeError, match="Nothing is running"):
        bpy.ops.patina.live_on_object()


def test_it_is_there_again_after_saving(running, tmp_path):
    lend()
    running.until(lambda: running.state.live == 2)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "saved.blend"))
    assert (material(), shown()) == ("Patina Live", True)
    assert tuple(bpy.data.images["Patina Live"].size) == (64, 32)
    end(running)
    assert_given_back()


def test_a_saving_that_fails_does_not_end_it(running, tmp_path):
    lend()
    with pytest.raises(RuntimeError):
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "no folder" / "saved.blend"))
    assert (material(), shown()) == ("Patina Live", True)
    end(running)
    assert_given_back()


def test_what_shares_the_mesh_keeps_its_material_when_the_object_is_deleted(running):
    cube = bpy.data.objects["Cube"]
    twin = cube.copy()
    bpy.context.collection.objects.link(twin)
    lend()
    bpy.data.objects.remove(cube)
    end(running)
    assert twin.active_material.name == "Material"


def test_an_object_that_is_joined_to_another_brings_its_own_material(running):
    cube = bpy.data.objects["Cube"]
    lend()
    bpy.ops.mesh.primitive_plane_add()
    plane = bpy.context.active_object
    plane.data.materials.append(bpy.data.materials.new("Own"))
    cube.select_set(True)
    bpy.ops.object.join()
    end(running)
    assert [slot.name for slot in plane.material_slots] == ["Own", "Material"]


@pytest.mark.parametrize("bare", [False, True], ids=["with a slot", "bare"])
def test_what_is_applied_meanwhile_stays(running, bare):
    cube = bpy.data.objects["Cube"]
    if bare:
        cube.data.materials.clear()
    lend()
    running.finish_run()
    cube.select_set(True)
    assert bpy.ops.patina.apply() == {"FINISHED"}
    end(running)
    assert material() == "Red bricks 1"
    assert not shown()


def test_the_next_run_begins_from_the_objects_own_material(running):
    running.finish_run()
    bpy.data.objects["Cube"].select_set(True)
    bpy.ops.patina.apply()
    lend()
    running.until(lambda: running.state.live == 2)
    bpy.context.scene.patina_start.source = "OBJECT"
    starting = sys.modules["patina.starting"]
    assert starting.name_of(bpy.context.scene, bpy.data.objects["Cube"]) == "bricks_v1_basecolor.png"
    end(running)


def test_a_linked_mesh_is_left_alone(running, tmp_path):
    item = with_linked_mesh(tmp_path)
    own = item.active_material
    lend()
    assert item.active_material.name == "Patina Live"
    assert item.data.materials[0] == own
    end(running)
    assert (item.active_material, item.material_slots[0].link) == (own, "DATA")
    assert not item.keys()


def test_a_render_keeps_material_and_picture_to_its_end(running, monkeypatch):
    lend()
    with monkeypatch.context() as patch:
        patch.setattr(sys.modules["patina.compat"], "is_rendering", lambda: True)
        running.until(lambda: running.state.live == 2)
        end(running)
        assert material() == "Patina Live"
        assert tuple(bpy.data.images["Patina Live"].size) == (16, 16)
    running.until(lambda: material() == "Material", 5)
    assert_given_back()
