"""Results deleted from the history, and those that are kept because something uses them."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import bpy
import pytest

from tests.addon.history.panel import asked, keys, look


def test_deleting_one(past):
    key = keys()[0]
    bpy.ops.patina.history_show(key=key)
    assert bpy.ops.patina.compare_with() == {"FINISHED"}
    assert bpy.ops.patina.history_delete(key=key) == {"FINISHED"}
    assert len(past.state.results) == 1, "a deleted result can still be applied"
    assert past.session.marked is None, "a deleted result can still be compared with"
    look(past)
    assert not Path(key).exists()
    assert len(keys()) == 1


def test_what_is_compared_with_loses_only_what_is_deleted(past):
    bpy.ops.patina.history_show(key=keys()[1])
    bpy.ops.patina.compare_with()
    assert bpy.ops.patina.history_delete(key=keys()[0]) == {"FINISHED"}
    marked = past.session.marked
    assert (len(marked.results), marked.result.rank) == (1, 2)


def test_what_the_file_uses_is_not_deleted(past):
    key = keys()[0]
    bpy.ops.patina.history_show(key=key)
    bpy.context.view_layer.objects.active = bpy.data.objects["Cube"]
    bpy.ops.patina.apply()
    with pytest.raises(RuntimeError, match="uses this result"):
        bpy.ops.patina.history_delete(key=key)
    bpy.ops.patina.star(key=keys()[1])
    assert bpy.ops.patina.history_delete_unstarred() == {"FINISHED"}
    look(past)
    left = sorted(path.name for path in (past.folder / "results").rglob("*.json"))
    assert left == ["red_bricks_v1.json", "red_bricks_v2.json", "summary.json"]


def test_where_the_file_uses_all_unstarred_results_that_is_said(past):
    use_first(past)
    assert bpy.ops.patina.history_delete_unstarred() == {"FINISHED"}
    look(past)
    said = []
    operator = operators().PATINA_OT_history_delete_unstarred
    asking = SimpleNamespace(report=lambda _, words: said.append(words))
    asking.doomed = partial(operator.doomed, asking)
    asking.execute = partial(operator.execute, asking)
    assert operator.invoke(asking, bpy.context, None) == {"CANCELLED"}
    assert said == ["The open file uses all results without a star: none is deleted"]
    assert len(list((past.folder / "results").rglob("*_v?.json"))) == 1


def use_first(past):
    """Put the first result on the cube. Returns its key."""
    key = keys()[0]
    bpy.ops.patina.history_show(key=key)
    bpy.context.view_layer.objects.active = bpy.data.objects["Cube"]
    assert bpy.ops.patina.apply() == {"FINISHED"}
    return key


def assert_kept(past, key):
    """Neither way of deleting takes the result."""
    with pytest.raises(RuntimeError, match="uses this result"):
        bpy.ops.patina.history_delete(key=key)
    assert bpy.ops.patina.history_delete_unstarred() == {"FINISHED"}
    look(past)
    left = [path.name for path in (past.folder / "results").rglob("*.json")]
    assert sorted(left) == [Path(key).name, "summary.json"]
    assert Path(key.replace(".json", "_basecolor.png")).is_file()


def test_what_a_saved_file_elsewhere_uses_is_not_deleted(past, tmp_path):
    """Its images are named as seen from its own folder: //../results/…."""
    (tmp_path / "scenes").mkdir()
    path = str(tmp_path / "scenes" / "wall.blend")
    key = use_first(past)
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.file.make_paths_relative()
    assert all(image.filepath.startswith("//..") for image in bpy.data.images if image.filepath)
    assert_kept(past, key)


def test_what_is_named_through_a_link_is_not_deleted(past, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "results", target_is_directory=True)
    key = use_first(past)
    for image in bpy.data.images:
        image.filepath = image.filepath.replace(str(tmp_path / "results"), str(tmp_path / "link"))
    assert any("link" in Path(image.filepath).parts for image in bpy.data.images)
    assert_kept(past, key)


def test_what_a_linked_library_uses_is_not_deleted(past, tmp_path):
    """Its images are named as seen from the library, which lies elsewhere than the file."""
    (tmp_path / "library" / "deep").mkdir(parents=True)
    library = str(tmp_path / "library" / "deep" / "walls.blend")
    key = use_first(past)
    bpy.ops.wm.save_as_mainfile(filepath=library)
    bpy.ops.file.make_paths_relative()
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    with bpy.data.libraries.load(library, link=True) as (there, here):
        here.objects = [name for name in there.objects if name == "Cube"]
    assert [image for image in bpy.data.images if image.library is not None]
    look(past)
    assert_kept(past, key)


def test_before_deleting_numbers_are_said_and_what_becomes_of_other_files(past):
    bpy.ops.patina.star(key=keys()[1])
    use_first(past)
    moss = past.folder / "results" / "2026-01-01_100000_1" / "001_moss"
    for picture in moss.glob("*_basecolor.png"):
        picture.write_bytes(bytes(2_000_000))
    words = asked(operators().PATINA_OT_history_delete_unstarred)
    assert words[0] == "3 results, 6 MB"  # the starred one stays, and the one that is used
    assert "Other .blend files that use them lose their textures" in words
    words = asked(operators().PATINA_OT_history_delete, str(moss / "wet_moss_v1.json"))
    assert words[0] == "1 result, 2 MB"
    assert len(list((past.folder / "results").rglob("*_v?.json"))) == 5


@pytest.mark.usefixtures("blender")
def test_the_dialog_that_asks_is_one_that_this_blender_has():
    called = {}
    manager = SimpleNamespace(invoke_props_dialog=lambda operator, **named: called.update(named))
    sys.modules["patina.compat"].ask(None, manager, "Delete")
    known = bpy.types.WindowManager.bl_rna.functions["invoke_props_dialog"].parameters
    assert set(called) <= set(known.keys())
    assert ("confirm_text" in called) == (bpy.app.version >= (4, 1, 0))


def operators():
    return sys.modules["patina.operators.history"]
