"""Generate, the pump, and every kind of trouble, with engines of a few lines; and how the real one ends."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace

import bpy
import pytest

from tests.addon.link.fake import TALK
from tests.addon.support import ROOT, draw, engine_python, gone, wait_gone


@pytest.fixture
def ask(blender):
    """Set up a small run and press Generate."""
    inputs = blender.inputs
    inputs.prompt, inputs.size, inputs.variations, inputs.steps = "red bricks", "128", 2, 2
    inputs.judge_views, inputs.cutouts = 2, 2

    def press(**settings):
        for name, value in settings.items():
            setattr(inputs, name, value)
        assert bpy.ops.patina.generate() == {"FINISHED"}

    return press


@pytest.fixture
def small_engine(tmp_path, monkeypatch):
    """Another engine in place of the real one: a few lines that know the protocol."""

    def use(body):
        package = tmp_path / "root" / "engine"
        package.mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").write_text("")
        (package / "__main__.py").write_text(TALK + textwrap.dedent(body))
        monkeypatch.setenv("PATINA_ENGINE_ROOT", str(package.parent))
        monkeypatch.setenv("PATINA_ENGINE_PYTHON", sys.executable)

    return use


def test_no_engine_outlives_a_blender_that_quits_while_it_starts(tmp_path):
    script = f"""
import os
import shutil
os.environ["BLENDER_USER_RESOURCES"] = {str(tmp_path)!r}
os.makedirs({str(tmp_path)!r} + "/scripts/addons")
os.symlink({str(ROOT / "addon")!r}, {str(tmp_path)!r} + "/scripts/addons/patina")
import bpy, sys, time
bpy.ops.preferences.addon_enable(module="patina")
bpy.context.scene.patina.prompt = "moss"
bpy.context.scene.patina.steps = 5000
bpy.ops.patina.generate()
pump = sys.modules["patina.pump"]
end = time.monotonic() + 30
while not pump.session.engine.facts.version and time.monotonic() < end:
    pump.tick()
    time.sleep(0.02)
print("ENGINE", pump.session.engine.pid, bpy.context.window_manager.patina.state, flush=True)
os._exit(0)
"""
    environment = {**os.environ, "PATINA_ENGINE_PYTHON": str(engine_python())}
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment
    ) as child:
        line = next(line for line in child.stdout if line.startswith("ENGINE"))
        child.wait(60)
    assert line.split()[2] == "starting"
    wait_gone(int(line.split()[1]))


def test_a_clean_exit_with_a_running_engine_is_clean(tmp_path):
    """No crash, no hang, no process: what a person does who closes Blender in mid-run."""
    script = f"""
import os
import shutil
os.environ["BLENDER_USER_RESOURCES"] = {str(tmp_path)!r}
os.makedirs({str(tmp_path)!r} + "/scripts/addons")
os.symlink({str(ROOT / "addon")!r}, {str(tmp_path)!r} + "/scripts/addons/patina")
import bpy, sys
bpy.ops.preferences.addon_enable(module="patina")
bpy.context.scene.patina.prompt = "moss"
bpy.ops.patina.generate()
pump = sys.modules["patina.pump"]
assert bpy.app.timers.is_registered(pump.tick)
print("ENGINE", pump.session.engine.pid, flush=True)
"""
    environment = {**os.environ, "PATINA_ENGINE_PYTHON": str(engine_python())}
    done = subprocess.run(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE, text=True, env=environment, timeout=60, check=False,
    )  # fmt: skip
    pid = next(line for line in done.stdout.splitlines() if line.startswith("ENGINE")).split()[1]
    assert done.returncode == 0
    wait_gone(int(pid))


def test_generate_needs_a_prompt(blender):
    blender.inputs.prompt = "  "
    assert not bpy.ops.patina.generate.poll()
    with pytest.raises(RuntimeError, match="Describe a surface first"):
        bpy.ops.patina.generate()


def test_a_missing_engine_is_a_calm_state_with_a_way_out(blender, ask, monkeypatch):
    monkeypatch.setenv("PATINA_ENGINE_PYTHON", "/nowhere/python")
    with pytest.raises(RuntimeError, match="not installed"):
        ask()
    assert blender.state.state == "missing"
    assert "patina.open_preferences" in draw(bpy.types.PATINA_PT_main).operators()
    blender.timers.turn()
    blender.until(lambda: not blender.timers.queue, 5)


def test_the_timer_hurries_only_while_there_is_something_to_see(blender, ask, small_engine):
    small_engine(
        """
        for method, id, params in requests():
            if method == "initialize":
                greet(id); ready()
            elif method == "generate":
                job = id
                tell("job/progress", job=id, phase="guide", step=1, total=4, loss=None, seconds_left=200.0)
            elif method == "cancel":
                answer(id, cancelled=True)
                refuse(job, "Cancelled.", "cancelled")
        """
    )
    assert not blender.timers.queue
    ask()
    blender.until(lambda: blender.state.progress > 0)
    assert blender.state.status == "Step 1 of 4, 3 min left"
    assert len(blender.timers.queue) == 1
    assert set(blender.timers.intervals) == {0.05}
    bpy.ops.patina.cancel()
    blender.until(lambda: not blender.state.job)
    assert blender.timers.intervals[-1] == 1.0
    blender.session.engine.stop()
    blender.until(lambda: not blender.timers.queue, 10)


def test_a_cancelled_run_shows_what_it_kept(blender, ask, small_engine):
    """The results of the step at which it stopped, and a note that it did."""
    small_engine(
        """
        for method, id, params in requests():
            if method == "initialize":
                greet(id); ready()
            elif method == "generate":
                job, folder = id, params["folder"]
                tell("job/progress", job=id, phase="guide", step=3, total=12, loss=None)
            elif method == "cancel":
                answer(id, cancelled=True)
                maps = ("basecolor", "normal_gl", "roughness", "metallic", "height", "ao")
                variation = {"rank": 1, "judge_score": 0.5, "guide_score": 0.4, "seam": 0.8, "seed": 7,
                             "relief": 0.05, "files": {name: name + ".png" for name in maps}}
                summary = {"prompt": "moss", "settings": {"steps": 12}, "warnings": [],
                           "variations": [variation]}
                os.makedirs(folder, exist_ok=True)
                json.dump(summary, open(os.path.join(folder, "summary.json"), "w"))
                refuse(job, "Cancelled.", "cancelled", folder=folder, stopped_at=3)
        """
    )
    ask()
    blender.until(lambda: blender.state.progress > 0)
    bpy.ops.patina.cancel()
    blender.until(lambda: not blender.state.job)
    (kept,) = blender.session.results
    assert (kept.seed, kept.files["basecolor"].name) == (7, "basecolor.png")
    assert blender.session.warnings == ["Stopped after step 3 of 12: this is what there was."]
    assert blender.state.message == ""
    blender.session.engine.stop()
    blender.until(lambda: not blender.timers.queue, 10)


def test_a_bug_in_a_tick_is_a_message_and_not_a_bar_that_never_moves(blender, ask, small_engine, monkeypatch):
    small_engine("time.sleep(600)")
    ask()
    pid = blender.session.engine.pid
    monkeypatch.setattr(blender.session, "poll", lambda: 1 / 0)
    blender.until(lambda: not blender.state.job, 5)
    monkeypatch.undo()
    assert blender.state.message
    blender.until(lambda: gone(pid), 5)


def test_an_answer_that_lacks_something_is_a_message(blender, ask, small_engine):
    small_engine(
        """
        for method, id, params in requests():
            if method == "initialize":
                greet(id); ready()
            else:
                answer(id, folder=params["folder"], prompt="x", variations=[{"rank": 1}])
        """
    )
    ask()
    blender.until(lambda: not blender.state.job)
    assert "lacks" in blender.state.message
    assert len(blender.state.results) == 0


def test_the_log_can_be_copied(blender, ask, small_engine):
    small_engine("print('why it failed', file=sys.stderr); sys.exit(4)")
    ask()
    blender.until(lambda: blender.state.state == "failed")
    assert blender.state.log_tail == "why it failed"
    text = sys.modules["patina.operators.engine"].report()
    assert "why it failed" in text
    assert "code 4" in text
    assert bpy.app.version_string in text
    assert bpy.ops.patina.copy_log() == {"FINISHED"}
    assert bpy.ops.patina.dismiss() == {"FINISHED"}
    assert blender.state.message == ""


def test_selecting_a_variation(finished):
    assert bpy.ops.patina.select(index=1) == {"FINISHED"}
    assert finished.state.selected == 1
    assert finished.session.chosen.rank == 2
    assert bpy.ops.patina.select(index=9) == {"CANCELLED"}
    assert finished.state.selected == 1


def test_shuffling_draws_another_seed(blender):
    seeds = set()
    for _ in range(5):
        assert bpy.ops.patina.shuffle_seed() == {"FINISHED"}
        seeds.add(blender.inputs.seed)
    assert len(seeds) == 5


@pytest.mark.parametrize(
    ("operator", "reason"),
    [("cancel", "Nothing is running"), ("apply", "Generate a material first")],
)
def test_a_grey_button_says_why(blender, operator, reason):
    assert not getattr(bpy.ops.patina, operator).poll()
    with pytest.raises(RuntimeError, match=reason):
        getattr(bpy.ops.patina, operator)()


def test_apply_says_what_to_select(finished):
    light = bpy.data.objects["Light"]
    for item in bpy.context.selected_objects:
        item.select_set(False)
    bpy.context.view_layer.objects.active = light
    with pytest.raises(RuntimeError, match="Select an object"):
        bpy.ops.patina.apply()
    bpy.context.view_layer.objects.active = bpy.data.objects["Cube"]
    bpy.ops.object.mode_set(mode="SCULPT")
    with pytest.raises(RuntimeError, match="Object Mode"):
        bpy.ops.patina.apply()
    bpy.ops.object.mode_set(mode="OBJECT")
    assert bpy.ops.patina.apply() == {"FINISHED"}


def test_the_bar_says_what_is_waited_for(blender, ask, small_engine):
    small_engine(
        """
        import pathlib
        go = pathlib.Path("go")
        def wait(name):
            while not go.with_name(name).exists():
                time.sleep(0.01)
        for method, id, params in requests():
            if method == "initialize":
                wait("greet"); greet(id); wait("ready"); ready(); wait("begin")
            else:
                tell("job/progress", job=id, phase="load", step=0, total=1, loss=None)
                wait("end")
        """
    )
    root = blender.folder / "root"
    ask()
    for go_on, words in (("", "Starting the engine"), ("greet", "Loading the engine"), ("ready", "Beginning"),
                         ("begin", "Loading models")):  # fmt: skip
        if go_on:
            (root / go_on).touch()
        blender.until(lambda words=words: blender.state.status == words, 20)
    for _ in range(5):
        blender.timers.turn()
    assert blender.state.status == "Loading models"


def test_a_thumbnails_tooltip_tells_its_scores_and_seed(finished):
    cls = bpy.types.PATINA_OT_select
    text = cls.description(bpy.context, SimpleNamespace(index=1))
    assert "0.450" in text
    assert "seed 7" in text
    assert cls.description(bpy.context, SimpleNamespace(index=9)) == cls.bl_description


@pytest.mark.parametrize("operator", ["history_folder", "open_folder", "open_presets"])
def test_a_folder_that_cannot_be_made_is_said(blender, tmp_path, monkeypatch, operator):
    (tmp_path / "file").touch()
    chosen = bpy.context.preferences.addons["patina"].preferences
    chosen.results_folder = str(tmp_path / "file" / "results")
    monkeypatch.setenv("PATINA_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(RuntimeError, match=r"Error: Cannot open .*file"):
        getattr(bpy.ops.patina, operator)()


def test_where_the_last_run_was_deleted_by_hand_the_folder_of_all_is_shown(finished, monkeypatch):
    shown = []
    folders = sys.modules["patina.operators.folders"]
    monkeypatch.setattr(folders, "show", lambda _operator, folder: shown.append(folder) or {"FINISHED"})
    bpy.ops.patina.open_folder()
    shutil.rmtree(finished.session.folder)
    bpy.ops.patina.open_folder()
    assert shown == [finished.session.folder, finished.folder / "results"]


def draw_all():
    for panel in sys.modules["patina.panels"].CLASSES:
        if issubclass(panel, bpy.types.Panel) and (not hasattr(panel, "poll") or panel.poll(bpy.context)):
            draw(panel)


@pytest.mark.parametrize("text", ["~nobody-of-this-name/results", "results", "x" * 300])
def test_whatever_is_typed_as_results_folder_is_a_path_and_draws(blender, text):
    bpy.context.preferences.addons["patina"].preferences.results_folder = text
    folder = sys.modules["patina.preferences"].results_folder()
    assert folder.is_absolute()
    sys.modules["patina.history_view"].ask()
    blender.until(lambda: not sys.modules["patina.history_view"].history.scanning)
    draw_all()
    assert not blender.state.message


def test_files_that_may_not_be_looked_at_are_as_good_as_gone(finished, monkeypatch, tmp_path):
    shut, stat = finished.session.folder, Path.stat

    def guarded(path, **how):
        if path.is_relative_to(shut):
            raise PermissionError(13, "Permission denied")
        return stat(path, **how)

    monkeypatch.setattr(Path, "stat", guarded)
    bpy.data.objects["Cube"].select_set(True)
    with pytest.raises(RuntimeError, match="is gone"):
        bpy.ops.patina.apply()
    bpy.context.scene.patina_start.source = "FILE"
    bpy.context.scene.patina_start.path = str(finished.session.chosen.files["basecolor"])
    draw_all()
    chosen = bpy.context.preferences.addons["patina"].preferences
    chosen.results_folder = chosen.engine_root = str(shut)
    chosen.engine_python = str(shut / "python")
    sys.modules["patina.pump"].wake()
    draw_all()
    finished.timers.turn()
    with pytest.raises(RuntimeError, match="There is no engine in"):
        bpy.ops.patina.library_index()


@pytest.mark.filterwarnings("ignore:.*does not support blend relative")  # from 4.5 on; before, it is written
@pytest.mark.parametrize("leave", ["open", "save", "press"])
def test_a_folder_named_as_seen_from_the_file_stays_where_it_is(blender, tmp_path, leave):
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "here" / "scene.blend"))
    chosen = bpy.context.preferences.addons["patina"].preferences
    chosen.results_folder = "//results"
    if leave == "open":
        bpy.ops.wm.read_homefile(use_factory_startup=False)
    elif leave == "save":
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "there" / "scene.blend"))
    else:
        sys.modules["patina.pump"].wake()
    chosen = bpy.context.preferences.addons["patina"].preferences
    assert chosen.results_folder == str(tmp_path / "here" / "results")
