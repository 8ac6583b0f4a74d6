"""Handing over results in pieces: all of a file, and no other file of the machine."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis.strategies import binary, integers

from engine.artifacts import CHUNK_BYTES, MAX_BYTES, Artifacts
from engine.errors import CannotWrite, InvalidRequest


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "results/run 1"
    folder.mkdir(parents=True)
    (folder / "moss.png").write_bytes(bytes(range(200)))
    (tmp_path / "secret").write_text("secret")
    (folder / "link.png").symlink_to(tmp_path / "secret")
    artifacts = Artifacts()
    artifacts.allow(folder)
    return folder, artifacts


@settings(max_examples=20)
@given(binary(max_size=300), integers(1, 120))
def test_pieces_make_the_whole(tmp_path_factory, content, count):
    folder = tmp_path_factory.mktemp("results")
    (folder / "file").write_bytes(content)
    artifacts, got, end = Artifacts(), b"", False
    artifacts.allow(folder)
    while not end:
        piece = artifacts.read({"file": str(folder / "file"), "offset": len(got), "bytes": count})
        got, end = got + base64.b64decode(piece["data"]), piece["end"]
        assert piece["size"] == len(content)
    assert got == content


def test_a_piece_is_never_too_large_for_a_message(results):
    folder, artifacts = results
    (folder / "large").write_bytes(b"x" * (CHUNK_BYTES + 5))
    piece = artifacts.read({"file": str(folder / "large"), "bytes": 1 << 40})
    assert len(base64.b64decode(piece["data"])) == CHUNK_BYTES
    assert piece["end"] is False


@pytest.mark.parametrize("offset", [200, 201, 10**30])
def test_behind_the_end_there_is_nothing(results, offset):
    folder, artifacts = results
    piece = artifacts.read({"file": str(folder / "moss.png"), "offset": offset})
    assert piece == {"data": "", "offset": offset, "size": 200, "end": True}


@pytest.mark.parametrize(
    "path", ["../../secret", "link.png", "/etc/passwd", "nothing.png", ".", "\0", "x" * 5000]
)
def test_what_is_no_result_is_refused(results, path):
    folder, artifacts = results
    with pytest.raises(InvalidRequest) as caught:
        artifacts.read({"file": f"{folder}/{path}" if path[0] != "/" else path})
    assert caught.value.field == "file"


def test_a_relative_path_is_refused_wherever_the_engine_was_started(results, monkeypatch):
    folder, artifacts = results
    monkeypatch.chdir(folder)
    with pytest.raises(InvalidRequest):
        artifacts.read({"file": "moss.png"})


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({}, "file"),
        ({"file": 3}, "file"),
        ({"file": "moss.png", "offset": -1}, "offset"),
        ({"file": "moss.png", "offset": True}, "offset"),
        ({"file": "moss.png", "bytes": 0}, "bytes"),
        ({"file": "moss.png", "bytes": 1.5}, "bytes"),
    ],
)
def test_ill_typed_requests_name_the_field(results, params, field):
    with pytest.raises(InvalidRequest) as caught:
        results[1].read(params)
    assert caught.value.field == field


def test_a_real_engine_hands_over_what_it_was_told_to_write(fake, tmp_path):
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / "picture").write_bytes(b"pixels")
    fake.send("initialize", {}, 1)
    fake.answer(1)
    read = {"file": str(folder / "picture")}
    fake.send("artifact/read", read, 2)
    assert fake.answer(2)["error"]["data"]["field"] == "file"
    fake.send("generate", {"prompt": "moss", "folder": str(folder), "steps": 1}, 3)
    fake.answer(3)
    fake.send("artifact/read", read, 4)
    assert base64.b64decode(fake.answer(4)["result"]["data"]) == b"pixels"


def test_a_real_engine_says_which_parameter_it_does_not_take(fake):
    fake.send("artifact/read", {"file": "/x", "mode": "w"}, 1)
    assert fake.answer(1)["error"]["data"]["field"] == "mode"


# --- Sent to the engine --------------------------------------------------------------------------


def piece(file, content=b"pixels", **more):
    sha256 = hashlib.sha256(content).hexdigest()
    data = base64.b64encode(content).decode()
    return {"file": str(file), "offset": 0, "data": data, "sha256": sha256, "end": True, **more}


def test_a_picture_is_there_once_its_last_piece_has_come(tmp_path):
    file, content, artifacts = tmp_path / "new/inputs/a.png", bytes(range(250)), Artifacts()
    whole = hashlib.sha256(content).hexdigest()
    for offset in range(0, 250, 100):
        assert not file.exists()
        part, end = content[offset : offset + 100], offset == 200
        told = artifacts.write(piece(file, part, offset=offset, sha256=whole, end=end))
        assert told == {"offset": offset + len(part), "end": end}
    assert file.read_bytes() == content
    assert [path.name for path in file.parent.iterdir()] == ["a.png"]


@pytest.mark.parametrize(
    "file",
    ["inputs/a.png", "{}/a.png", "{}/inputs/../a.png", "{}/inputs/.a.png", "{}/inputs/a.py",
     "{}/inputs/a.png.sh", "{}/inputs/a b.png", "{}/inputs/" + "a" * 90 + ".png", "{}/inputs/a.png/b",
     "{}/inputs/", "", "{}/a\0b/inputs/a.png", "{}/inputs/a\0.png"],
)  # fmt: skip
def test_no_other_name_is_taken(tmp_path, file, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidRequest) as caught:
        Artifacts().write(piece(file.format(tmp_path)))
    assert caught.value.field == "file"
    assert not list(tmp_path.iterdir())


def test_no_link_is_followed(tmp_path):
    (tmp_path / "secret").write_text("mine")
    (tmp_path / "inputs").mkdir()
    (tmp_path / "inputs/a.png").symlink_to(tmp_path / "secret")
    (tmp_path / "inputs/c.png.part").symlink_to(tmp_path / "secret")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/inputs").symlink_to(tmp_path)
    for file in ("inputs/a.png", "inputs/c.png", "other/inputs/b.png"):
        with pytest.raises(InvalidRequest):
            Artifacts().write(piece(tmp_path / file))
    assert (tmp_path / "secret").read_text() == "mine"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"data": "?"}, "data"),
        ({"data": None}, "data"),
        ({"sha256": 3}, "sha256"),
        ({"sha256": "0" * 64}, "sha256"),
        ({"offset": 7}, "offset"),
        ({"offset": -1}, "offset"),
        ({"offset": MAX_BYTES}, "file"),
    ],
)
def test_a_piece_that_is_wrong_names_what_and_leaves_nothing(tmp_path, more, field):
    with pytest.raises(InvalidRequest) as caught:
        Artifacts().write(piece(tmp_path / "inputs/a.png", **more))
    assert caught.value.field == field
    assert not list(tmp_path.rglob("*.png*"))


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "inputs").write_text("a file")
    with pytest.raises(CannotWrite, match="Free some space"):
        Artifacts().write(piece(tmp_path / "inputs/a.png"))


def test_of_a_picture_that_grows_too_large_nothing_stays(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.artifacts.MAX_BYTES", 10)
    file, artifacts = tmp_path / "inputs/a.png", Artifacts()
    artifacts.write(piece(file, end=False))
    with pytest.raises(InvalidRequest, match="is larger than"):
        artifacts.write(piece(file, offset=6))
    assert not list(file.parent.iterdir())


def test_of_a_picture_that_the_disk_refuses_nothing_stays(tmp_path, monkeypatch):
    """/dev/full takes no byte, whatever was promised."""
    file, artifacts, real = tmp_path / "inputs/a.png", Artifacts(), Path.open
    artifacts.write(piece(file, end=False))

    def open_full(path, *mode, **kind):
        return real(Path("/dev/full") if path.suffix == ".part" else path, *mode, **kind)

    monkeypatch.setattr(Path, "open", open_full)
    with pytest.raises(CannotWrite, match="Free some space"):
        artifacts.write(piece(file, offset=6))
    assert not list(file.parent.iterdir())
