"""Handing over results in pieces: all of a file, and no other file of the machine."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis.strategies import binary, integers

from engine.artifacts import CHUNK_BYTES, Artifacts
from engine.errors import InvalidRequest


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
