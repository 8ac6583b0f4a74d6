"""What the library asks of the engine, and what comes of answers."""

from __future__ import annotations

import bpy
import pytest

from tests.addon.library.desk import choose, module, panels, press
from tests.addon.support import draw


def test_a_search_asks_for_words_tag_and_seams(filled, desk):
    asked = bpy.context.window_manager.patina_library
    asked.text, asked.tag, asked.seamless = "  old bricks ", "moss", True
    press("library_search")
    method, params = desk.last
    assert method == "search"
    assert {
        "text": "old bricks",
        "tags": ["moss"],
        "seamless": True,
        "device": "auto",
    }.items() <= params.items()


def test_an_empty_search_shows_everything(filled, desk):
    press("library_search")
    assert desk.last[0] == "library"


def test_the_answer_to_an_earlier_search_changes_nothing(filled, desk, texture):
    asked = bpy.context.window_manager.patina_library
    for text in ("moss", "bricks"):
        asked.text = text
        press("library_search")
    desk.answer(-1, results=[texture("bricks")], textures=30)
    desk.answer(-2, results=[texture("moss")], textures=30)
    assert [found.name for found in filled.results] == ["bricks"]
    assert not filled.searching


def test_unknown_words_are_said(filled, desk, texture):
    bpy.context.window_manager.patina_library.text = "qwrtz"
    press("library_search")
    desk.answer(results=[], textures=30, unknown_words=["qwrtz"])
    assert any("qwrtz" in text for text in draw(bpy.types.PATINA_PT_library).texts())


def test_names_that_blender_cannot_hold_are_left_out_and_counted(filled, desk, texture):
    press("library_search")
    odd = {**texture(), "name": "gr\udcfcn", "files": {"basecolor": "/textures/gr\udcfcn.png"}}
    desk.answer(results=[odd, texture(name="oak")], textures=2, folders=["/textures/\udcfc"], labels={})
    assert [found.name for found in filled.results] == ["oak"]
    assert filled.notes == ["1 left out: Blender cannot read their files' names"]
    while module("shelf").turn():
        pass
    panels()


def test_more_like_this_asks_by_the_picture(filled, desk):
    found = choose(filled, 2)
    press("library_more_like")
    assert desk.last[1]["like"] == found.key


def test_duplicates_are_listed_by_set(filled, desk, texture):
    press("library_duplicates")
    assert desk.last == ("search", {"duplicates": True, "limit": 240, "device": "auto"})
    desk.answer(duplicates=[[texture("a"), texture("b")], [texture("c"), texture("d")]], textures=30)
    assert [text for text in draw(bpy.types.PATINA_PT_library).texts() if text.startswith("Set")] == [
        "Set 1", "Set 1", "Set 2", "Set 2",
    ]  # fmt: skip


def test_folders_are_added_and_removed_and_the_results_come_by_themselves(filled, desk, tmp_path):
    results = module("shelf").results_folder()
    results.mkdir(parents=True)
    press("library_add", directory=str(tmp_path))
    assert desk.last[1]["folders"] == [str(tmp_path), str(results)]
    desk.answer(textures=31, folders=["/textures", str(tmp_path)], labels={}, added=1, broken=[
        {"file": "/x.exr", "reason": "x.exr is an EXR file, which cannot be read here: convert it to PNG."}
    ])  # fmt: skip
    assert any("convert it to PNG" in text for text in filled.notes)
    module("shelf").turn()
    assert desk.last[0] == "library"  # what is new is shown at once
    press("library_remove", index=1)
    assert desk.last[1]["forget"] == [str(tmp_path)]
    assert not bpy.ops.patina.library_index.poll()
    press("library_cancel")
    assert desk.cancelled == [len(desk.asked)]


def test_a_folder_that_is_not_there_is_refused(filled, desk):
    before = len(desk.asked)
    with pytest.raises(RuntimeError, match="no such folder"):
        press("library_add", directory="/nowhere/at/all")
    assert len(desk.asked) == before


@pytest.mark.parametrize(
    "entry",
    [{}, {"name": "x"}, {"name": "x", "files": [], "tags": [], "badges": {}}, {"name": "x", "files": 3}],
)
def test_an_answer_that_lacks_something_is_said_and_keeps_what_was_there(filled, desk, entry):
    press("library_open")
    desk.answer(results=[entry], textures=1)
    assert "lacks something" in filled.message
    assert len(filled.results) == 30


def test_the_end_of_the_engine_ends_everything(filled, desk):
    link = module("link")
    press("library_index")
    press("library_open")
    for _, _, take in desk.asked:
        take(link.Failed(None, link.EngineError("The engine crashed.")))
    assert not filled.busy
    assert filled.message == "The engine crashed."
