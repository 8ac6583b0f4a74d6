"""The history's panel and buttons in a real Blender, with results on disk and no engine."""

from __future__ import annotations

import json
import shutil
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import bpy
import pytest

from tests.addon.results_on_disk import write_run
from tests.addon.support import Layout, draw, write_png


@pytest.fixture
def past(blender):
    """Two prompts of earlier sessions on disk, and the history's panel opened."""
    root = blender.folder / "results"
    write_run(root / "2026-01-01_100000_1" / "001_moss", 3, prompt="wet moss", preset="stone", tile="x")
    write_run(root / "2026-01-02_100000_2" / "001_red_bricks", 2)
    for path in root.rglob("*.png"):
        write_png(path, path.stem.split("_v")[1].split("_", 1)[1])
    look(blender)
    return blender


def look(blender):
    """Draw the panel until it has what it asked for."""
    shown = bpy.context.window_manager.patina_history
    draw(bpy.types.PATINA_PT_history)
    blender.until(lambda: not blender.timers.queue, 20)
    assert not shown.scanning
    return draw(bpy.types.PATINA_PT_history)


def history():
    return bpy.context.window_manager.patina_history


def keys():
    return [item.key for item in history().results]


def test_nothing_is_looked_for_before_someone_looks(blender):
    assert not blender.timers.queue
    draw(bpy.types.PATINA_PT_main)
    assert not blender.timers.queue
    draw(bpy.types.PATINA_PT_history)
    assert len(blender.timers.queue) == 1
    for _ in range(20):
        draw(bpy.types.PATINA_PT_history)  # as when the mouse moves: must not put the tick off
    blender.until(lambda: not blender.timers.queue, 5)
    assert blender.session.engine.pid is None
    draw(bpy.types.PATINA_PT_history)
    assert not blender.timers.queue, "an idle panel keeps the timer running"


def test_earlier_sessions_are_there_by_prompt(past):
    assert [(item.name, item.count) for item in history().prompts] == [("red bricks", 2), ("wet moss", 3)]
    layout = look(past)
    assert layout.operators().count("patina.history_show") == 2
    assert "5 results" in layout.texts()


def test_another_prompt_is_shown_when_it_is_clicked(past):
    history().active = 1
    look(past)
    assert len(keys()) == 3
    assert all("moss" in key for key in keys())


def test_the_active_prompt_stays_when_a_newer_one_comes(past):
    history().active = 1
    look(past)
    write_run(past.folder / "results" / "2026-01-03_100000_3" / "001_oak", prompt="oak")
    assert bpy.ops.patina.history_refresh() == {"FINISHED"}
    look(past)
    assert [item.name for item in history().prompts] == ["oak", "red bricks", "wet moss"]
    assert history().active == 2
    assert "moss" in keys()[0]


def test_search_and_starred_only(past):
    history().search = "moss"
    look(past)
    assert [item.name for item in history().prompts] == ["red bricks", "wet moss"]  # the first avoids moss
    history().search = "stone"
    look(past)
    assert [item.name for item in history().prompts] == ["wet moss"]
    assert bpy.ops.patina.star(key=keys()[1]) == {"FINISHED"}
    history().search, history().starred_only = "", True
    look(past)
    assert [(item.name, item.count) for item in history().prompts] == [("wet moss", 1)]
    assert history().results[0].starred
    history().search = "no such thing"
    assert "patina.history_show" not in look(past).operators()


def test_pages_of_a_prompt_with_many_results(past):
    for run in range(5):
        write_run(past.folder / "results" / "2026-01-04_100000_4" / f"{run:03}_oak", 4, prompt="oak")
    bpy.ops.patina.history_refresh()
    history().active = 0
    look(past)
    history().active = [item.name for item in history().prompts].index("oak")
    look(past)
    first = keys()
    assert (len(first), history().pages) == (12, 2)
    assert bpy.ops.patina.history_page(step=1) == {"FINISHED"}
    look(past)
    assert len(keys()) == 8
    assert not set(first) & set(keys())


def test_a_result_of_the_past_is_a_result_like_any_other(past):
    assert bpy.ops.patina.history_show(key=keys()[1]) == {"FINISHED"}
    assert [result.rank for result in past.state.results] == [1, 2]
    assert past.state.selected == 1
    cube = bpy.data.objects["Cube"]
    bpy.context.view_layer.objects.active = cube
    assert bpy.ops.patina.apply() == {"FINISHED"}
    images = [node.image for node in cube.active_material.node_tree.nodes if node.type == "TEX_IMAGE"]
    assert {Path(image.filepath).parent.name for image in images} == {"001_red_bricks"}


def test_all_settings_come_back(past):
    inputs = past.inputs
    inputs.steps, inputs.cutouts, inputs.use_relief = 99, 50, True
    history().active = 1
    look(past)
    assert bpy.ops.patina.history_reuse(key=keys()[0]) == {"FINISHED"}
    assert (inputs.prompt, inputs.negative, inputs.preset) == ("wet moss", "moss", "stone")
    assert (inputs.seed, inputs.size, inputs.tile, inputs.variations) == (77, "512", "x", 2)
    assert (inputs.steps, inputs.use_relief, inputs.lock_seed) == (33, False, True)
    sent = past.package.properties.run_settings(inputs)
    asked = json.loads(Path(keys()[0]).read_text())["settings"]
    preset = past.package.presets.load_all()["stone"].settings
    for name, value in sent.items():
        assert asked[name] == value, name
    left = set(past.package.properties.ADVANCED) & set(asked) - set(sent)  # to who gives the same
    assert {"cutouts", "keep"} <= left
    for name in left - {"coarse"}:
        assert asked[name] == preset.get(name, getattr(inputs, name)), name
    assert past.package.properties.set_by_quality(inputs)["coarse"] is asked["coarse"] is True


def test_what_the_panel_cannot_have_is_said(past):
    sidecar = write_run(past.folder / "results" / "x" / "001_x", 1, preset="gone", seed=2**52, mask="/a.png")[
        0
    ]
    assert bpy.ops.patina.history_reuse(key=str(sidecar)) == {"FINISHED"}
    assert set(past.package.reuse.take(past.inputs, json.loads(sidecar.read_text())["settings"])) == {
        "mask",
        "preset",
        "seed",
    }


def test_the_two_buttons_for_a_clicked_result_say_that_none_is(past):
    def greyed(layout):
        return "patina_unclicked" in [given["name"] for call, given in layout.calls if call == POINTER]

    def reason():
        with bpy.context.temp_override(patina_unclicked=history()):
            assert bpy.ops.patina.history_reuse.poll() is False
            with pytest.raises(RuntimeError, match="Click one of these results first"):
                bpy.ops.patina.history_delete(key=keys()[0])

    assert greyed(look(past))
    reason()
    bpy.ops.patina.history_show(key=keys()[0])
    layout = look(past)
    assert not greyed(layout)
    assert not [value for name, value in layout.calls if name == "enabled"], "greyed without words"
    assert bpy.ops.patina.history_reuse.poll()


POINTER = "context_pointer_set"


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


def asked(operator, key=""):
    """What the dialog says before it deletes; nothing is deleted yet."""
    asking = SimpleNamespace(key=key, said=(), report=None)
    asking.doomed = partial(operator.doomed, asking)
    manager = SimpleNamespace(invoke_props_dialog=lambda *_, **named: {"RUNNING_MODAL"})
    assert operator.invoke(asking, SimpleNamespace(window_manager=manager), None) == {"RUNNING_MODAL"}
    asking.layout = Layout()
    operator.draw(asking, bpy.context)
    return asking.layout.texts()


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


def test_disabling_in_mid_scan(blender):
    write_run(blender.folder / "results" / "a" / "001_x")
    draw(bpy.types.PATINA_PT_history)
    assert blender.timers.queue
    bpy.ops.preferences.addon_disable(module="patina")
    assert not blender.timers.queue
    bpy.ops.preferences.addon_enable(module="patina")
    bpy.context.preferences.addons["patina"].preferences.results_folder = str(blender.folder / "results")
    look(blender)
    assert len(keys()) == 2
