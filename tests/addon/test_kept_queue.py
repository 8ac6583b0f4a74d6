"""Prompts that waited when a Blender was killed: another Blender finds them, once, and only those."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import bpy
import pytest

from tests.addon.killed_blender import ENDLESS, PATIENCE_S
from tests.addon.support import draw, wait_gone

PROMPTS = ["green moss", "grey slate", "oak planks"]


@contextlib.contextmanager
def another_blender(folder):
    """A Blender with three prompts in its queue."""
    told = folder / "told"
    told.unlink(missing_ok=True)
    script = Path(__file__).with_name("killed_blender.py")
    command = [sys.executable, script, folder / f"blender {time.monotonic_ns()}", told]
    with subprocess.Popen(list(map(str, command)), env={**os.environ}) as process:
        try:
            end = time.monotonic() + PATIENCE_S
            while not told.is_file() or not told.read_text():
                assert process.poll() is None and time.monotonic() < end, "the other Blender ended early"
                time.sleep(0.05)
            yield process
        finally:
            process.kill()
    wait_gone(int(told.read_text()))  # its engine


def start_again():
    bpy.ops.preferences.addon_disable(module="patina")
    bpy.ops.preferences.addon_enable(module="patina")
    bpy.context.preferences.addons["patina"].preferences.engine_command = ENDLESS


def again():
    """What the panel shows when Blender is started again: drawn, it has the timer look."""
    start_again()
    draw(bpy.types.PATINA_PT_main)
    pump = sys.modules["patina.pump"]
    assert bpy.app.timers.is_registered(pump.tick)
    pump.tick()
    return bpy.context.window_manager.patina_queue


def kept(blender):
    return sorted((blender.folder / "home/queue").glob("*.json"))


def titles(blender):
    queue = blender.session.queue
    return [queue.running.title, *(run.title for run in queue.waiting)]


def test_prompts_of_a_killed_blender_are_offered_and_those_of_a_living_one_are_not(blender, tmp_path):
    with another_blender(tmp_path):
        assert again().left == 0, "they are the other Blender's"
        assert not bpy.ops.patina.queue_again.poll()
        assert "patina.queue_again" not in draw(bpy.types.PATINA_PT_main).operators()
    shown = again()
    assert shown.left == 3
    layout = draw(bpy.types.PATINA_PT_main)
    assert "3 prompts waited when Blender closed" in " ".join(layout.texts())
    assert {"patina.queue_again", "patina.queue_forget_left"} <= set(layout.operators())
    assert bpy.ops.patina.queue_again() == {"FINISHED"}
    assert titles(blender) == PROMPTS
    assert blender.session.queue.waiting[-1].params["seed"] >= 0
    assert shown.left == 0
    (own,) = kept(blender)
    assert own.name.startswith(f"{os.getpid()}_")

    again()  # disabled in mid-run, nothing is lost either
    assert bpy.ops.patina.queue_again() == {"FINISHED"}
    assert titles(blender) == PROMPTS
    bpy.ops.patina.queue_clear()
    blender.session.queue.drop()
    sys.modules["patina.pump"].mirror()
    assert not list((blender.folder / "home/queue").iterdir()), "an empty queue leaves nothing"


@pytest.fixture
def left(blender):
    """A queue that a Blender which is gone has left."""
    bpy.context.preferences.addons["patina"].preferences.engine_command = ENDLESS
    for prompt in PROMPTS:
        blender.inputs.prompt = prompt
        bpy.ops.patina.generate()
    shown = again()
    assert shown.left == 3
    return shown


def test_enabling_and_drawing_leave_the_disk_alone(blender, left, monkeypatch):
    """The timer looks: a slow disk holds up neither Blender's start nor a redraw."""
    looked, look = [], blender.package.kept_queue.Keeper.left
    monkeypatch.setattr(
        blender.package.kept_queue.Keeper, "left", lambda keeper: looked.append(keeper) or look(keeper)
    )
    start_again()
    assert not blender.timers.queue
    for _ in range(2):
        draw(bpy.types.PATINA_PT_main)
    assert not looked
    blender.until(lambda: bpy.context.window_manager.patina_queue.left == 3)
    draw(bpy.types.PATINA_PT_main)
    sys.modules["patina.pump"].tick()
    assert len(looked) == 1, "once is enough"


def test_asking_who_holds_a_queue_leaves_no_file(blender, left):
    folder = blender.folder / "home/queue"
    there = kept(blender)
    for lock in folder.glob("*.lock"):  # as a Blender leaves it that was closed in mid-run
        lock.unlink()
    assert again().left == 3
    assert sorted(folder.iterdir()) == there


def test_forgotten_they_are_gone(blender, left):
    assert bpy.ops.patina.queue_forget_left() == {"FINISHED"}
    assert left.left == 0
    assert not kept(blender)
    assert again().left == 0


def test_what_another_blender_has_taken_over_is_not_queued_twice(blender, left):
    kept(blender)[0].unlink()
    bpy.ops.patina.queue_again()
    assert blender.session.queue.running is None
    assert not blender.session.queue.waiting


def test_prompts_that_cannot_be_kept_as_ours_are_offered_again(blender, left):
    blender.package.queue_view.keeper._file.with_suffix(".part").mkdir()  # the disk refuses our own file
    assert bpy.ops.patina.queue_again() == {"FINISHED"}
    assert titles(blender) == PROMPTS
    assert left.left == 0
    assert again().left == 3


def test_claimed_prompts_are_not_offered_twice_after_the_disk_refused_once(blender, left):
    refusal = blender.package.queue_view.keeper._file.with_suffix(".part")
    refusal.mkdir()
    bpy.ops.patina.queue_again()
    refusal.rmdir()
    assert bpy.ops.patina.queue_remove(number=blender.session.queue.waiting[-1].number) == {"FINISHED"}
    (own,) = kept(blender)
    assert own == blender.package.queue_view.keeper._file
    assert again().left == 2


def test_a_lock_that_another_blender_looks_at_stops_nothing(blender, left, monkeypatch):
    unlink = Path.unlink

    def refuse(path, missing_ok=False):
        if path.suffix == ".lock":
            raise PermissionError(path)
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    assert bpy.ops.patina.queue_again() == {"FINISHED"}
    assert titles(blender) == PROMPTS
    keeper = blender.package.queue_view.keeper
    assert again().left == 3
    assert keeper._lock is None
    assert bpy.ops.patina.queue_forget_left() == {"FINISHED"}
    assert not kept(blender)


@pytest.mark.parametrize(
    "damage",
    ["", "{", "[]", '{"format": 2, "runs": []}', '{"format": 1, "runs": [{}]}', "[" * 200_000],
    ids=lambda text: text[:30],
)
def test_a_damaged_file_is_left_alone(blender, left, damage):
    (file,) = kept(blender)
    file.write_text(damage)
    assert again().left == 0
    assert file.read_text() == damage


def test_a_run_is_kept_as_it_was_asked_for(blender, left):
    (file,) = kept(blender)
    entry = json.loads(file.read_text())["runs"][0]
    assert (entry["title"], entry["method"]) == ("green moss", "generate")
    assert entry["params"]["prompt"] == "green moss"
    (found,) = blender.package.queue_view.left
    assert found.runs[0].results == Path(entry["results"])
