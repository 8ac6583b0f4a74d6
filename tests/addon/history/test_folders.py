"""Where the history looks for results."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import bpy

from tests.addon.history.panel import history, keys, look
from tests.addon.results_on_disk import write_run


def test_results_go_where_no_version_of_blender_takes_them_with_it(blender, tmp_path):
    """And those that went into the folder of a version, this one's and older ones', are still found."""
    bpy.context.preferences.addons["patina"].preferences.results_folder = ""
    new = blender.package.preferences.results_folder()
    assert new == tmp_path / "home" / "results"
    assert new.parent == blender.package.paths.own_presets().parent
    before = blender.package.compat.writable_folder() / "results"
    assert Path(bpy.utils.user_resource("DATAFILES")) in before.parents
    try:
        write_run(new / "2026-01-02_100000_2" / "001_new", 1, prompt="new")
        write_run(before / "2026-01-01_100000_1" / "001_old", 1, prompt="old")
        look(blender)
        assert [item.name for item in history().prompts] == ["new", "old"]
    finally:
        shutil.rmtree(before)
    chosen = tmp_path / "chosen"
    bpy.context.preferences.addons["patina"].preferences.results_folder = str(chosen)
    write_run(chosen / "2026-01-03_100000_2" / "001_chosen", 1, prompt="chosen")
    assert bpy.ops.patina.history_refresh() == {"FINISHED"}
    look(blender)
    assert [item.name for item in history().prompts] == ["chosen", "new"]


def test_a_folder_named_twice_is_searched_once(blender, tmp_path):
    home = tmp_path / "home" / "results"
    home.mkdir(parents=True)
    (tmp_path / "link").symlink_to(home, target_is_directory=True)
    bpy.context.preferences.addons["patina"].preferences.results_folder = str(tmp_path / "link")
    folders = sys.modules["patina.history_view"]._folders()
    assert folders[0] == tmp_path / "link"
    assert home not in folders


def test_the_chosen_folder_stays_first_where_a_later_one_is_the_same(blender, tmp_path):
    before = sys.modules["patina.compat"].writable_folder() / "results"
    before.mkdir(parents=True)
    (tmp_path / "link").symlink_to(before, target_is_directory=True)
    bpy.context.preferences.addons["patina"].preferences.results_folder = str(tmp_path / "link")
    try:
        folders = sys.modules["patina.history_view"]._folders()
    finally:
        before.rmdir()
    assert folders[:2] == [tmp_path / "link", tmp_path / "home" / "results"]
    assert before not in folders


def test_a_file_brings_no_history_of_its_own(past, tmp_path):
    path = tmp_path / "other.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    bpy.ops.patina.star(key=keys()[0])
    look(past)
    bpy.ops.wm.open_mainfile(filepath=str(path))
    look(past)
    assert [item.name for item in history().prompts] == ["red bricks", "wet moss"]
    assert history().results[0].starred
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    look(past)
    assert len(keys()) == 2
