"""Results of all sessions: found whatever happened, and never lost by looking."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from addon import paths, results
from addon.history import INDEX, History
from tests.addon.results_on_disk import ALL, write_run


@pytest.fixture
def root(tmp_path):
    """A results folder with two sessions: bricks, then moss, then bricks again."""
    write_run(tmp_path / "2026-01-01_100000_1" / "001_red_bricks")
    write_run(tmp_path / "2026-01-01_100000_1" / "002_moss", 3, prompt="Moss", negative="", preset="organic")
    write_run(tmp_path / "2026-01-02_100000_2" / "001_red_bricks", maps=ALL)
    return tmp_path


def found(root):
    history = History(lambda: [root])
    history.scan()
    finish(history)
    return history


def finish(history):
    end = time.monotonic() + 20
    while history.advance(1.0):
        assert time.monotonic() < end


def prompts(groups):
    return [(group.prompt, len(group.entries)) for group in groups]


def test_everything_is_found_grouped_by_prompt_newest_first(root):
    history = found(root)
    assert prompts(history.groups()) == [("red bricks", 4), ("Moss", 3)]
    bricks = history.groups()[0].entries
    assert [entry.sidecar.parent.parent.name[:10] for entry in bricks] == ["2026-01-02"] * 2 + [
        "2026-01-01"
    ] * 2
    assert [entry.result.rank for entry in bricks] == [1, 2, 1, 2]
    assert [tag.label for tag in bricks[0].result.tags] == ["brick"]
    assert bricks[0].result.files["height"].is_file()


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("moss", ["red bricks", "Moss"]),
        ("RED", ["red bricks"]),
        ("organic", ["Moss"]),
        ("brick moss", 2),
        ("x", []),
    ],
)
def test_searching_looks_at_prompt_avoided_words_preset_and_tags(root, search, expected):
    names = [group.prompt for group in found(root).groups(search)]
    assert names == expected or len(names) == expected


def test_stars_lie_beside_sidecars_which_are_never_written(root):
    history = found(root)
    entry = history.groups()[1].entries[2]
    before = entry.sidecar.read_bytes(), entry.sidecar.stat().st_mtime_ns
    history.star(entry.sidecar, on=True)
    assert (entry.sidecar.read_bytes(), entry.sidecar.stat().st_mtime_ns) == before
    for other in (history, found(root)):  # another Blender, or this one after a crash
        assert prompts(other.groups(starred_only=True)) == [("Moss", 1)]
        assert other.starred(entry.sidecar)
    history.star(entry.sidecar, on=False)
    assert found(root).groups(starred_only=True) == []
    assert not list(root.rglob("*.star"))


DAMAGES = {
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:99]),
    "empty": lambda path: path.write_bytes(b""),
    "no object": lambda path: path.write_text("[1, 2]"),
    "of something else": lambda path: path.write_text('{"settings": {}}'),
    "no text": lambda path: path.write_bytes(b"\xff\xfe{"),
    "files elsewhere": lambda path: change(path, files={"basecolor": "../../x.png"}),
    "scores of words": lambda path: change(path, judge_score="good"),
    "tags of words": lambda path: change(path, tags=["brick"]),
    "pictures gone": lambda path: next(path.parent.glob(f"{path.stem}_basecolor.png")).unlink(),
}


def change(path, **values):
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_sidecars_are_skipped_and_counted(root, damage):
    damage(root / "2026-01-01_100000_1" / "002_moss" / "Moss_v2.json")
    history = found(root)
    assert prompts(history.groups()) == [("red bricks", 4), ("Moss", 2)] or len(history) == 6
    assert history.damaged == 1


def test_the_index_saves_reading_and_is_not_needed(root, monkeypatch):
    expected = prompts(found(root).groups())
    read = []
    honest = results.content_of
    monkeypatch.setattr(results, "content_of", lambda path: read.append(path) or honest(path))
    assert prompts(found(root).groups()) == expected
    assert not read, "the index was there, and sidecars were read all the same"
    time.sleep(0.01)
    change(root / "2026-01-01_100000_1" / "002_moss" / "Moss_v2.json", judge_score=0.123)
    moss = found(root).groups()[1].entries
    assert [path.name for path in read] == ["Moss_v2.json"]
    assert moss[1].result.judge_score == 0.123
    (root / INDEX).unlink()
    assert prompts(found(root).groups()) == expected


@pytest.mark.parametrize("line", ["", "{", "[1]", '["/x", 1, 2, {}]', "null", '["/x", 1, 2, []]'])
def test_a_damaged_index_does_no_harm(root, line):
    expected = prompts(found(root).groups())
    lines = (root / INDEX).read_text().splitlines()
    (root / INDEX).write_text("\n".join([*lines[:2], line, *lines[2:]]))
    history = found(root)
    assert prompts(history.groups()) == expected
    assert history.damaged == 0


def test_a_scan_goes_in_slices(tmp_path):
    for run in range(150):
        write_run(tmp_path / "2026-01-01_100000_1" / f"{run:03}_moss", 4, prompt=f"moss {run}")
    for again in ("sidecars", "index"):
        history = History(lambda: [tmp_path])
        history.scan()
        slices = []
        more = True
        while more:
            start = time.thread_time()
            more = history.advance(0.004)
            slices.append(time.thread_time() - start)
        assert len(history) == 600
        assert len(slices) > 3, again
        assert sorted(slices)[-3] < 0.02, f"{again}: {sorted(slices)[-5:]}"


def test_what_is_gone_from_the_disk_goes(root):
    history = found(root)
    for path in (root / "2026-01-01_100000_1" / "002_moss").iterdir():
        path.unlink()
    history.scan()
    finish(history)
    assert prompts(history.groups()) == [("red bricks", 4)]


def test_a_new_run_is_noted_without_a_scan(root):
    history = found(root)
    folder = root / "2026-01-03_100000_3" / "001_slate"
    write_run(folder, prompt="slate")
    history.note(folder)
    finish(history)
    assert prompts(history.groups())[0] == ("slate", 2)


def test_deleting_one_leaves_the_others(root):
    history = found(root)
    moss = history.groups()[1].entries
    history.star(moss[0].sidecar, on=True)
    history.delete([moss[0]])
    assert prompts(history.groups())[1] == ("Moss", 2), "it should be gone from the list at once"
    history.scan()
    finish(history)
    assert prompts(history.groups())[1] == ("Moss", 2)
    folder = moss[0].sidecar.parent
    assert not [path.name for path in folder.iterdir() if "_v1" in path.name]
    assert len(list(folder.glob("*.png"))) == 12
    assert prompts(found(root).groups())[1] == ("Moss", 2)


def test_what_the_disk_does_not_let_go_stays_in_the_list_and_is_counted(root, monkeypatch):
    history = found(root)
    moss = history.groups()[1].entries
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        history.delete(moss[:2])
        finish(history)
    assert prompts(history.groups())[1] == ("Moss", 3)
    assert history.undeleted == 2
    history.delete(moss[:2])
    finish(history)
    assert prompts(history.groups())[1] == ("Moss", 1)
    assert history.undeleted == 0


def refuse(*_, **__):
    raise PermissionError(13, "Permission denied")


def test_a_run_that_is_wholly_deleted_leaves_no_folder(root):
    history = found(root)
    (root / "2026-01-01_100000_1" / "note.txt").write_text("mine")
    (root / "2026-01-02_100000_2" / "001_red_bricks" / "note.txt").write_text("mine")
    history.delete([entry for group in history.groups() for entry in group.entries])
    finish(history)
    left = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    assert left - {INDEX} == {
        "2026-01-01_100000_1/note.txt",
        "2026-01-02_100000_2/001_red_bricks/note.txt",
        "2026-01-02_100000_2/001_red_bricks/summary.json",
        "2026-01-02_100000_2/001_red_bricks/preview_0.rgba",
    }
    assert not (root / "2026-01-01_100000_1" / "002_moss").exists()


def test_all_but_starred_spares_what_another_blender_starred(root):
    history, other = found(root), found(root)
    bricks, moss = (group.entries for group in history.groups())
    history.star(moss[1].sidecar, on=True)
    other.star(bricks[3].sidecar, on=True)
    history.delete(history.unstarred(), spare_starred=True)
    finish(history)
    assert {entry.sidecar for group in found(root).groups() for entry in group.entries} == {
        moss[1].sidecar,
        bricks[3].sidecar,
    }
    assert len(history) == 2


def test_saving_maps_twice_overwrites_nothing(root, tmp_path):
    result = found(root).groups()[0].entries[0].result
    target = tmp_path / "kept"
    first = results.copy_to(target, result)
    first[0].write_bytes(b"changed by the artist")
    second = results.copy_to(target, result)
    assert not set(first) & set(second)
    assert first[0].read_bytes() == b"changed by the artist"
    content = results.content_of(target / "red_bricks_v1_2.json")
    assert all((target / content["files"][name]).is_file() for name in ALL)
    assert results.result_at(target / "red_bricks_v1_2.json", results.about(content)).prompt == "red bricks"


def test_results_of_other_versions_of_blender_are_found(tmp_path):
    own = tmp_path / "blender" / "5.2" / "datafiles" / "patina" / "results"
    for version in ("4.2", "5.0", "5.2", "config"):
        (tmp_path / "blender" / version / "datafiles" / "patina" / "results").mkdir(parents=True)
    (tmp_path / "blender" / "3.4").mkdir()
    others = paths.in_other_versions(own)
    assert [path.parts[-4] for path in others] == ["5.0", "4.2"]
    assert all(path.name == "results" for path in others)
    assert paths.in_other_versions(tmp_path / "datafiles" / "patina") == []
