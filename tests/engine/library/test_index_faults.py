"""Every way in which files on a disk misbehave beside an index."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from engine.library import loading
from tests.engine.library.indexed import figures, mains


def test_broken_files_are_listed_never_fatal_and_not_opened_again(
    bring_up, store, textures, paint, monkeypatch
):
    paint(textures / "good.png", 1)
    (textures / "text.png").write_text("not a picture")
    (textures / "empty.jpg").touch()
    (textures / "light.exr").write_bytes(b"v/1\x01")
    cut = paint(textures / "cut.png", 2)
    cut.write_bytes(cut.read_bytes()[:200])
    report = bring_up()
    assert figures(report) == {"added": 1}
    assert {p.name for p in report.broken} == {"text.png", "empty.jpg", "light.exr", "cut.png"}
    assert "EXR" in report.broken[textures / "light.exr"]
    monkeypatch.setattr(loading, "read", lambda _: pytest.fail("opened"))
    assert set(bring_up().broken) == set(report.broken)
    monkeypatch.undo()
    paint(cut, 2)
    (textures / "text.png").unlink()
    assert {p.name for p in bring_up().broken} == {"empty.jpg", "light.exr"}
    assert mains(store) == ["cut.png", "good.png"]
    assert {p.name for p in store.broken()} == {"empty.jpg", "light.exr"}


def test_a_texture_that_breaks_is_no_longer_found(bring_up, store, textures, paint):
    path = paint(textures / "a.png", 1)
    bring_up()
    path.write_bytes(path.read_bytes()[:100])
    assert list(bring_up().broken) == [path]
    assert len(store) == 0


def test_a_set_with_a_broken_map_is_indexed_and_says_so(bring_up, store, textures, paint):
    paint(textures / "w_color.png", 1)
    (textures / "w_normal.exr").write_bytes(b"v/1\x01")
    bring_up()
    (found,) = store.known(list(store.mains()))
    assert set(found.files) == {"basecolor", "normal"}
    assert any("EXR" in note for note in found.badges["notes"])
    assert figures(bring_up()) == {"unchanged": 1}


def test_files_and_folders_that_are_not_ours_to_read_are_listed(
    bring_up, store, textures, paint, monkeypatch
):
    """Said by patching the system's calls, as whoever is root may read everything."""
    paint(textures / "mine.png", 1)
    paint(textures / "locked.png", 2)
    paint(textures / "vault" / "inside.png", 3)
    bring_up()
    paint(textures / "locked.png", 4)
    os.utime(textures / "locked.png", ns=(5, 5))
    real_read, real_scan = Path.read_bytes, os.scandir

    def read(path):
        if path.name == "locked.png":
            raise PermissionError(13, "Permission denied")
        return real_read(path)

    def list_folder(path):
        if Path(path).name == "vault":
            raise PermissionError(13, "Permission denied")
        return real_scan(path)

    monkeypatch.setattr(Path, "read_bytes", read)
    monkeypatch.setattr(os, "scandir", list_folder)
    report = bring_up()
    assert "permissions" in report.broken[textures / "locked.png"]
    assert list(report.unseen) == [textures / "vault"]
    assert mains(store) == ["inside.png", "mine.png"]  # what cannot be seen today is not gone


def test_links_in_a_circle_end(bring_up, store, textures, paint):
    paint(textures / "sub" / "a.png", 1)
    (textures / "sub" / "up").symlink_to(textures)
    (textures / "itself").symlink_to(textures / "itself")
    (textures / "itself.png").symlink_to(textures / "itself.png")
    (textures / "nowhere.png").symlink_to(textures / "nothing")
    assert figures(bring_up()) == {"added": 1}


def test_a_linked_folder_is_followed(bring_up, store, textures, tmp_path, paint):
    paint(tmp_path / "elsewhere" / "a.png", 1)
    (textures / "link").symlink_to(tmp_path / "elsewhere")
    bring_up()
    assert list(store.mains().values()) == [textures / "link" / "a.png"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no named pipes in folders")
def test_a_pipe_that_is_called_like_a_picture_does_not_block(bring_up, textures):
    os.mkfifo(textures / "pipe.png")
    (textures / "folder.png").mkdir()
    assert figures(bring_up()) == {}


@pytest.mark.parametrize(
    "name",
    ["мох и камень.png", "苔.png", "a" * 251 + ".png", "é" * 125 + ".png", "a b'c\"%s;--.png", "🧱.png"],
)
def test_any_name_is_kept_as_it_is(bring_up, store, textures, paint, name):
    paint(textures / "x.png", 1).rename(textures / name)
    assert figures(bring_up()) == {"added": 1}
    assert list(store.mains().values()) == [textures / name]
    assert figures(bring_up()) == {"unchanged": 1}


@pytest.mark.skipif(sys.platform != "linux", reason="only there a name may be any bytes")
def test_a_name_that_is_no_unicode_is_kept_too(bring_up, store, textures, paint):
    strange = Path(os.fsdecode(os.fsencode(textures) + b"/caf\xe9.png"))
    paint(textures / "x.png", 1).rename(strange)
    bring_up()
    assert list(store.mains().values()) == [strange]


def test_a_file_that_disappears_while_it_is_being_indexed_is_no_error(
    bring_up, store, textures, paint, monkeypatch
):
    paint(textures / "a.png", 1)
    paint(textures / "b.png", 2)
    real = loading.read

    def read(texture):
        texture.main.unlink(missing_ok=texture.main.name == "a.png")
        (textures / "b.png").unlink(missing_ok=True)
        return real(texture)

    monkeypatch.setattr(loading, "read", read)
    assert figures(bring_up()) == {"vanished": 2}
    assert len(store) == 0


def test_an_empty_library_is_no_error(bring_up, store):
    assert figures(bring_up()) == {}
    assert len(store.vectors()[0]) == 0
