"""Blender's catalogue file: ours added, everything else kept."""

from __future__ import annotations

import uuid

import pytest


@pytest.fixture
def catalogs(blender):
    return blender.package.assets.catalogs


THEIRS = """\
# my notes: keep them

VERSION 1

6f4c1d2e-0000-4000-8000-000000000001:Props/Chairs:Props-Chairs
"""


def test_a_new_file_is_one_that_blender_writes(catalogs, tmp_path):
    made = catalogs.ensure(tmp_path / "library", "Patina/Stone")
    lines = (tmp_path / "library" / catalogs.FILE).read_text().splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == [
        "VERSION 1",
        f"{made}:Patina/Stone:Patina-Stone",
    ]
    assert str(uuid.UUID(made)) == made


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("end", ["\n", ""])
def test_all_other_lines_stay(catalogs, tmp_path, newline, end):
    before = THEIRS.strip().replace("\n", newline) + end.replace("\n", newline)
    (tmp_path / catalogs.FILE).write_bytes(before.encode())
    made = catalogs.ensure(tmp_path, "Patina/Wood")
    after = (tmp_path / catalogs.FILE).read_bytes().decode()
    added = f"{made}:Patina/Wood:Patina-Wood{newline}"
    assert after == (before if end else before + newline) + added


def test_a_catalogue_is_added_once_and_is_the_same_in_every_library(catalogs, tmp_path):
    made = {catalogs.ensure(tmp_path / place, "Patina/Wood") for place in ("a", "a", "b")}
    assert len(made) == 1
    assert (tmp_path / "a" / catalogs.FILE).read_text().count("Patina/Wood") == 1


def test_a_catalogue_that_was_renamed_or_made_by_hand_is_used(catalogs, tmp_path):
    file = tmp_path / catalogs.FILE
    made = catalogs.ensure(tmp_path, "Patina/Wood")
    file.write_text(file.read_text().replace("Patina/Wood", "Mine/Timber"))
    assert catalogs.ensure(tmp_path, "Patina/Wood") == made
    assert "Patina/Wood" not in file.read_text()
    theirs = "6f4c1d2e-0000-4000-8000-000000000002"
    file.write_text(file.read_text() + f"{theirs}:Patina/Metal:Patina-Metal\n")
    assert catalogs.ensure(tmp_path, "Patina/Metal") == theirs


def test_a_file_of_another_version_is_left_alone(catalogs, tmp_path):
    file = tmp_path / catalogs.FILE
    file.write_text("VERSION 2\nsomething else\n")
    with pytest.raises(catalogs.UnknownVersionError, match="left as it is"):
        catalogs.ensure(tmp_path, "Patina/Wood")
    assert file.read_text() == "VERSION 2\nsomething else\n"


def test_a_file_in_another_encoding_is_left_alone(catalogs, tmp_path):
    content = THEIRS.replace("notes", "noté").encode("latin-1")
    (tmp_path / catalogs.FILE).write_bytes(content)
    with pytest.raises(catalogs.UnknownVersionError, match="left as it is"):
        catalogs.ensure(tmp_path, "Patina/Wood")
    assert (tmp_path / catalogs.FILE).read_bytes() == content


@pytest.mark.parametrize(
    ("group", "path"),
    [("Stone", "Patina/Stone"), ("a:b/c", "Patina/a b c"), ("", "Patina/Other"), (" / ", "Patina/Other")],
)
def test_no_name_can_break_the_line(catalogs, group, path):
    assert catalogs.path_of(group) == path
