"""The library's panels: what is drawn in every state, pages, icons, names of folders."""

from __future__ import annotations

from pathlib import PureWindowsPath

import bpy
import pytest

from tests.addon.library.desk import choose, module, panels, press
from tests.addon.support import draw


def test_a_closed_library_offers_to_open_it(blender):
    assert draw(bpy.types.PATINA_PT_library).operators() == ["patina.library_open", "patina.library_add"]


@pytest.mark.parametrize(
    "state", ["filled", "chosen", "made", "indexing", "mapping", "failed", "searching", "none"]
)
def test_the_panels_draw_in_every_state(filled, desk, state, texture):
    if state in ("chosen", "made"):
        found = choose(filled)
        if state == "made":
            filled.made[found.key] = {"height": found.main}
    elif state == "indexing":
        press("library_index")
        desk.progress(3, 10)
    elif state == "mapping":
        choose(filled)
        press("library_make_maps")
    elif state == "failed":
        press("library_open")
        desk.fail("The index is damaged. Delete it, and index again.")
    elif state == "searching":
        press("library_search")
    elif state == "none":
        press("library_open")
        desk.answer(results=[], textures=0, folders=[], labels={})
    module("shelf").turn()
    for layout in panels():
        assert layout.calls
        assert not [text for text in layout.texts() if "None" in text]


def test_a_page_has_twelve_and_turns(filled):
    assert len(filled.shown()) == 12
    layout = draw(bpy.types.PATINA_PT_library)
    assert layout.operators().count("patina.library_choose") == 12
    assert [text for text in layout.texts() if text.isdecimal()] == [f"{rank}" for rank in range(1, 13)]
    press("library_page", step=1)
    press("library_page", step=1)
    press("library_page", step=1)
    captions = [text for text in draw(bpy.types.PATINA_PT_library).texts() if text.isdecimal()]
    assert captions == [f"{rank}" for rank in range(25, 31)]
    assert [found.name for found in filled.shown()] == [f"wall_{k}" for k in range(24, 30)]
    press("library_page", step=-9)
    assert filled.page == 0


def loaded(library):
    """Textures that have an icon: without a window its number is 0, as is that of none."""
    icons = module("shelf")._icons
    return [
        found.key in icons and tuple(icons[found.key].image_size) == (16, 16) for found in library.results
    ]


def test_icons_of_the_page_are_loaded_and_no_others(filled):
    assert loaded(filled) == [True] * 12 + [False] * 18


def test_icons_take_no_longer_than_a_part_of_a_frame(filled, monkeypatch):
    """A slow disk: one icon a turn, and the pump comes back for the others."""
    press("library_page", step=1)
    monkeypatch.setattr(module("shelf"), "ICONS_S", 0.0)
    for turn in range(1, 12):
        assert module("shelf").turn()
        assert sum(loaded(filled)) == 12 + turn
    assert not module("shelf").turn()
    assert sum(loaded(filled)) == 24


def test_a_broken_or_missing_thumbnail_is_an_empty_icon(blender, library, desk, texture, tmp_path):
    broken = texture("broken", thumbnail=str(tmp_path / "broken.jpg"))
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    gone = texture("gone", thumbnail="/nowhere.jpg", files={"basecolor": "/nowhere.png"})
    press("library_open")
    desk.answer(results=[broken, gone], textures=2, folders=[], labels={})
    module("shelf").turn()
    assert not module("shelf").turn()  # it does not try for ever
    assert draw(bpy.types.PATINA_PT_library).calls


def test_the_tags_in_use_are_offered(filled):
    assert [item.name for item in bpy.context.window_manager.patina_library.labels] == ["green", "moss"]


@pytest.mark.parametrize(
    ("folders", "names"),
    [
        (["/a/wood", "/b/stone"], ["wood", "stone"]),
        (["/a/wood", "/b/wood"], ["a/wood", "b/wood"]),
        (["/a/b/wood", "/c/b/wood", "/d/wood"], ["/a/b/wood", "/c/b/wood", "d/wood"]),
        (["/wood", "/a/wood"], ["/wood", "a/wood"]),
        (["/", "/Image"], ["/", "Image"]),
    ],
)
def test_folders_are_called_so_that_no_two_are_alike(filled, desk, folders, names):
    filled.folders = folders
    layout = draw(bpy.types.PATINA_PT_library_folders)
    labels = [given for name, given in layout.calls if name == "label"]
    assert [given["text"] for given in labels] == names
    assert not any(given["translate"] for given in labels), "Image is a word of Blender's too"


def test_a_disk_by_itself_is_called_by_its_letter():
    endings = module("panels.library")._endings
    assert endings(PureWindowsPath("D:\\")) == []
    assert endings(PureWindowsPath("D:\\wood")) == ["wood"]
    assert endings(PureWindowsPath("D:\\a\\wood")) == ["wood", "a/wood"]
