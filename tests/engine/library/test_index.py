"""An index beside a disk that changes, and one whose update is stopped."""

from __future__ import annotations

import inspect
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.library import loading
from engine.library.eye import Eye, Look
from engine.library.index import BATCH, forget, update
from engine.library.store import Store
from tests.engine.library.indexed import figures, mains

ROOT = Path(__file__).parents[3]


def test_folders_are_indexed_recursively_and_map_sets_are_one(bring_up, store, textures, paint):
    paint(textures / "a.png", 1)
    for k, role in enumerate(("diff", "nor_gl", "rough")):
        paint(textures / "deep" / "deeper" / f"wall_{role}_2k.jpg", k)
    (textures / "notes.txt").write_text("no picture")
    assert figures(bring_up()) == {"added": 2}
    wall = next(k for k in store.known(list(store.mains())) if k.name == "wall")
    assert set(wall.files) == {"basecolor", "normal", "roughness"}
    assert {t.facet for t in wall.tags} >= {"material", "colour"}
    ids, vectors = store.vectors()
    assert len(ids) == 2
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)


def test_what_did_not_change_is_not_even_opened(bring_up, textures, paint, monkeypatch):
    paint(textures / "a.png", 1)
    bring_up()
    monkeypatch.setattr(loading, "read", lambda _: pytest.fail("opened"))
    assert figures(bring_up()) == {"unchanged": 1}


def test_what_changed_is_looked_at_anew(bring_up, store, textures, paint):
    paint(textures / "a.png", 1)
    bring_up()
    (before,) = store.vectors()[1]
    paint(textures / "a.png", 2, (50, 40))
    assert figures(bring_up()) == {"added": 1}
    assert len(store) == 1
    assert store.known(list(store.mains()))[0].width == 50
    assert not np.allclose(before, store.vectors()[1][0])


def test_a_renamed_file_is_found_again_without_being_looked_at(
    bring_up, store, textures, paint, eye, monkeypatch
):
    paint(textures / "a.png", 1)
    bring_up()
    before = store.vectors()
    (textures / "sub").mkdir()
    (textures / "a.png").rename(textures / "sub" / "other.png")
    monkeypatch.setattr(Eye, "look", lambda *_: pytest.fail("looked"))
    assert figures(bring_up()) == {"moved": 1}
    assert mains(store) == ["other.png"]
    assert store.known(list(store.mains()))[0].name == "other"
    np.testing.assert_array_equal(before[1], store.vectors()[1])


def test_a_touched_file_keeps_its_vectors(bring_up, store, textures, paint):
    path = paint(textures / "a.png", 1)
    bring_up()
    os.utime(path, ns=(1, 1))
    assert figures(bring_up()) == {"moved": 1}
    assert figures(bring_up()) == {"unchanged": 1}


def test_a_copy_is_a_texture_of_its_own(bring_up, store, textures, paint):
    shutil.copy(paint(textures / "a.png", 1), textures / "b.png")
    bring_up()
    shutil.copy(textures / "a.png", textures / "c.png")
    assert figures(bring_up()) == {"copied": 1, "unchanged": 2}
    assert mains(store) == ["a.png", "b.png", "c.png"]


def test_two_files_that_change_places_are_both_right_afterwards(bring_up, store, textures, paint):
    a, b = paint(textures / "a.png", 1, (40, 40)), paint(textures / "b.png", 2, (44, 44))
    bring_up()
    a.rename(textures / "c.png")
    b.rename(a)
    (textures / "c.png").rename(b)
    bring_up()
    assert {k.name: k.width for k in store.known(list(store.mains()))} == {"a": 44, "b": 40}
    assert figures(bring_up()) == {"unchanged": 2}


def test_a_removed_file_is_dropped_with_all_that_was_known_of_it(bring_up, store, textures, paint):
    paint(textures / "a.png", 1)
    paint(textures / "b.png", 2).unlink()
    paint(textures / "b.png", 2)
    bring_up()
    (textures / "b.png").unlink()
    assert figures(bring_up()) == {"removed": 1, "unchanged": 1}
    assert mains(store) == ["a.png"]
    assert len(store.vectors()[0]) == 1
    assert len(store.stamps()) == 1


def test_a_map_that_joins_a_picture_makes_it_a_set(bring_up, store, textures, paint):
    paint(textures / "wood.png", 1)
    bring_up()
    paint(textures / "wood_rough.png", 2)
    bring_up()
    (wood,) = store.known(list(store.mains()))
    assert set(wood.files) == {"basecolor", "roughness"}


def test_a_folder_that_is_not_there_today_keeps_its_textures(bring_up, store, textures, paint):
    """A disk that is not plugged in: an hour of indexing must not be lost."""
    paint(textures / "a.png", 1)
    bring_up()
    textures.rename(textures.with_name("unplugged"))
    report = bring_up()
    assert list(report.unseen) == [textures]
    assert mains(store) == ["a.png"]


def test_a_folder_can_be_forgotten(bring_up, store, textures, paint):
    paint(textures / "in" / "a.png", 1)
    paint(textures / "out" / "b.png", 2)
    bring_up(textures / "in", textures / "out")
    assert forget(store, [textures / "out"]) == 1
    assert mains(store) == ["a.png"]
    assert figures(bring_up(textures / "in")) == {"unchanged": 1}


def test_what_was_done_before_a_stop_is_kept(store, eye, textures, paint):
    for k in range(BATCH + 3):
        paint(textures / f"{k:02}.png", k)
    steps = update(store, [textures], eye)
    for _ in range(BATCH + 1):
        next(steps)
    steps.close()
    assert len(store) == BATCH


class Blind:
    """An eye that needs no model."""

    side_px = 32

    def signature(self):
        return "s"

    def look(self, textures):
        return [Look({"albedo": np.ones(4, np.float32) / 2}, [], {"seamless": True}) for _ in textures]


CHILD = f"""
import sys
from pathlib import Path
from types import ModuleType
import numpy as np

sys.modules["open_clip"] = ModuleType("open_clip")  # loading it takes longer than all the rest
from engine.library import index
from engine.library.eye import Look
from engine.library.store import Store

{inspect.getsource(Blind)}

with Store(Path(sys.argv[1])) as store:
    for step in index.update(store, [Path(sys.argv[2])], Blind()):
        print(step.done, flush=True)
"""


@pytest.mark.slow
def test_a_process_that_is_killed_while_writing_leaves_a_sound_index(tmp_path, textures, paint):
    count = 5 * BATCH
    for k in range(count):
        paint(textures / f"{k:02}.png", k, (8, 8))
    path = tmp_path / "index.sqlite"
    command = [sys.executable, "-c", CHILD, str(path), str(textures)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as child:
        for line in child.stdout:
            if int(line) == 2 * BATCH + 1:
                child.send_signal(signal.SIGKILL)
    assert child.returncode != 0
    with Store(path) as store:
        assert store._db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        done = len(store)
        assert 2 * BATCH <= done < count
        assert done % BATCH == 0  # whole transactions only
        assert len(store.vectors()[0]) == len(store.stamps()) == done
        rest = list(update(store, [textures], Blind()))
        assert len(rest) == count - done  # it goes on where it was
        assert len(store) == count
