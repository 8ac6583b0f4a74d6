"""What is said of a disk that does not do its part."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from addon.link import EngineError, disk


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (OSError(errno.EACCES, "Permission denied", "/a/b.png"), "Permission denied: /a/b.png"),
        (OSError(errno.ENOSPC, "No space left", "/a/b.png", None, "/c/d.png"), "No space left: /c/d.png"),
        (OSError("cannot identify"), "cannot identify"),
        (ValueError("no preset"), "no preset"),
    ],
)
def test_an_error_is_told_in_words(error, words):
    assert disk.why(error) == words


@pytest.mark.parametrize("look", [disk.has_file, disk.has_folder])
def test_what_cannot_be_looked_at_is_not_there(look):
    assert not look(Path("x" * 300))
    assert not look(Path("/nowhere"))


def test_what_is_there_is_seen(tmp_path):
    (tmp_path / "file").touch()
    assert disk.has_file(tmp_path / "file") and not disk.has_folder(tmp_path / "file")
    assert disk.has_folder(tmp_path) and not disk.has_file(tmp_path)


def test_a_name_that_is_no_utf_8_can_be_shown():
    assert disk.shown("gr\udcfcn.png") == "gr?n.png"
    assert disk.shown("grün.png") == "grün.png"
    error = EngineError.from_reply({"message": "gr\udcfcn.png is gone.", "data": {"details": "\udcfc"}})
    assert (error.message, error.details) == ("gr?n.png is gone.", "?")
