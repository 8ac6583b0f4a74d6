"""Pictures sent to an engine whose folders are elsewhere, taken as the real one does."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from addon.link import EngineError, Failed, Finished
from addon.link.fetch import Places
from addon.link.sending import CHUNK_BYTES, MAX_BYTES, Sender

ENGINE = Path(__file__).resolve().parents[3] / "engine"
TAKES = (
    f"ENGINE = {str(ENGINE)!r}"
    """
import pathlib
import engine
engine.__path__.append(ENGINE)  # the real one's modules
from engine.artifacts import Artifacts
from engine.errors import PatinaError
artifacts, pieces = Artifacts(), 0
for method, id, params in requests():
    if method == "initialize":
        greet(id)
        ready()
    elif method == "artifact/write":
        pieces += 1
        try:
            answer(id, **artifacts.write(params))
        except PatinaError as error:
            refuse(id, error.message, error.kind)
    elif method == "generate":
        image = params.get("image")
        if image and not pathlib.Path(image).is_file():
            refuse(id, f"'image': {image} is not there.", "invalid_request")
        else:
            answer(id, params=params, pieces=pieces)
"""
)


@pytest.fixture
def remote(engine_of, tmp_path):
    """Sends a request and returns how it ended; the engine's folder is another than ours."""
    engine = engine_of(TAKES)
    places = Places(tmp_path / "here", (tmp_path / "there").as_posix())
    sender = Sender(engine.submit, lambda: places, lambda: engine.pid)

    def ask(**params):
        job = sender.submit("generate", params)
        end, seen = time.monotonic() + 20, []
        while not any(event.job == job for event in seen):
            assert time.monotonic() < end, (engine.state, engine.log_lines)
            seen += sender.through(engine.poll())
            time.sleep(0.005)
        assert len(seen) == 1, "the pieces of a picture are nobody else's business"
        return seen[0]

    return ask


@pytest.fixture
def picture(tmp_path):
    def make(name="a wall.PNG", content=b"pixels"):
        path = tmp_path / name
        path.write_bytes(content)
        return str(path)

    return make


def test_every_picture_that_a_run_names_is_there_before_the_run(remote, picture, tmp_path):
    large = bytes(range(256)) * 5000
    assert len(large) > 2 * CHUNK_BYTES
    event = remote(
        prompt=picture("words.png"),
        image=picture(content=large),
        mask=picture("mask.png", b"mask"),
        pictures=[{"path": picture("look.jpg", b"look"), "weight": 1.0}],
        palette="#8f3a2e",
        folder=str(tmp_path / "here/001"),
    )
    assert isinstance(event, Finished)
    told = event.result["params"]
    assert Path(told["image"]).read_bytes() == large
    assert Path(told["image"]).parent == tmp_path / "there/inputs"
    assert Path(told["mask"]).read_bytes() == b"mask"
    assert Path(told["pictures"][0]["path"]).read_bytes() == b"look"
    assert (told["palette"], told["folder"]) == ("#8f3a2e", f"{(tmp_path / 'there').as_posix()}/001")
    assert told["prompt"] == str(tmp_path / "words.png"), "words are words"
    assert not list(tmp_path.glob("there/**/*.part"))


def test_a_picture_goes_over_once_and_anew_when_it_was_painted_on(remote, picture):
    first = remote(image=picture())
    again = remote(image=picture("copy.png"))
    assert (first.result["pieces"], again.result["pieces"]) == (1, 1)
    painted = remote(image=picture(content=b"painted"))
    assert painted.result["pieces"] == 2
    assert painted.result["params"]["image"] != first.result["params"]["image"]
    assert Path(first.result["params"]["image"]).read_bytes() == b"pixels"


def test_what_cannot_be_stored_there_is_said_and_tried_again(remote, picture, tmp_path):
    (tmp_path / "there").write_text("a file where the folder should be")
    event = remote(image=picture())
    assert isinstance(event, Failed)
    assert "cannot be stored" in event.error.message
    (tmp_path / "there").unlink()
    assert isinstance(remote(image=picture()), Finished)


def test_a_picture_that_is_too_large_is_not_sent(remote, picture, tmp_path):
    path = Path(picture())
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(EngineError, match=r"a wall\.PNG has 64 MB"):
        remote(image=str(path))
    assert not (tmp_path / "there").exists()


def test_with_one_disk_nothing_is_sent(picture):
    asked = []
    sender = Sender(lambda *request: asked.append(request) or 1, lambda: None, lambda: 1)
    params = {"image": picture()}
    sender.submit("generate", params)
    assert asked == [("generate", params)]
