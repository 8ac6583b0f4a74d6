"""A remote engine's files, fetched from a process that has another folder than ours."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis.strategies import lists, sampled_from

from addon.link import Cancelled, EngineError, Failed, Finished, Preview, Progress
from addon.link.fetch import Fetcher, Places
from tests.addon.link.fake import ended

REMOTE = """
import base64, pathlib
CHUNK = 1000
for method, id, params in requests():
    if method == "initialize":
        greet(id)
        ready()
    elif method == "generate":
        folder = pathlib.Path(params["folder"])
        folder.mkdir(parents=True)
        (folder / "preview_0.rgba").write_bytes(b"small")
        (folder / "moss.png").write_bytes(bytes(range(250)) * 10)
        (folder / "moss.json").write_text("{}")
        (folder / "summary.json").write_text("{}")
        if params["prompt"] == "lost":
            (folder / "moss.json").unlink()
        for _ in range(5):
            tell("job/preview", job=id, variation=0, file=str(folder / "preview_0.rgba"), width=4, height=4)
        files = {"basecolor": "../../../moss.png" if params["prompt"] == "evil" else "moss.png"}
        answer(id, folder=str(folder), variations=[{"files": files, "sidecar": "moss.json"}])
    elif method == "artifact/read":
        try:
            data = pathlib.Path(params["file"]).read_bytes()
        except OSError:
            refuse(id, "There is no such file.", "invalid_request")
            continue
        piece = data[params["offset"] : params["offset"] + CHUNK]
        end = params["offset"] + len(piece) >= len(data)
        answer(id, data=base64.b64encode(piece).decode(), offset=params["offset"], size=len(data), end=end)
"""


@pytest.fixture
def run(engine_of, tmp_path):
    """Generate with folders here and there. Returns the events, in the order in which they were handed on."""

    def go(prompt, script=REMOTE):
        engine = engine_of(script)
        places = Places(tmp_path / "here", (tmp_path / "there").as_posix())
        fetcher = Fetcher(engine.submit, lambda: places)
        folder = tmp_path / "here/session/001"
        engine.submit("generate", places.told({"prompt": prompt, "folder": str(folder), "seed": 3}))
        events, end = [], time.monotonic() + 20
        while not ended(events):
            assert time.monotonic() < end, events
            events += fetcher.through(engine.poll())
            time.sleep(0.005)
        return events

    return go


def test_results_are_here_before_anybody_hears_of_them(run, tmp_path):
    events = run("moss")
    here = tmp_path / "here/session/001"
    assert isinstance(events[-1], Finished)
    assert events[-1].result["folder"] == str(here)
    assert (here / "moss.png").read_bytes() == bytes(range(250)) * 10
    assert sorted(path.name for path in here.iterdir()) == [
        "moss.json",
        "moss.png",
        "preview_0.rgba",
        "summary.json",
    ]
    assert [(e.step, e.total) for e in events if isinstance(e, Progress)] == [(1, 3), (2, 3)]


def test_a_run_that_is_done_leaves_nothing_to_go_on_with(run, tmp_path):
    checkpoint = tmp_path / "here/session/001/checkpoint.safetensors"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_bytes(b"of when it was stopped")
    assert isinstance(run("moss")[-1], Finished)
    assert not checkpoint.exists()


def test_previews_come_as_they_can_and_are_files_here(run, tmp_path):
    shown = [event for event in run("moss") if isinstance(event, Preview)]
    assert 1 <= len(shown) < 5, "those that were overtaken were fetched as well"
    assert {event.file for event in shown} == {str(tmp_path / "here/session/001/preview_0.rgba")}


def test_what_cannot_be_fetched_is_said_to_be_there(run, tmp_path):
    failed = run("lost")[-1]
    assert isinstance(failed, Failed) and failed.error.kind == "fetch"
    assert str(tmp_path / "there/session/001") in failed.error.message
    assert "There is no such file" in failed.error.details


def test_an_engine_cannot_write_elsewhere(run, tmp_path):
    failed = run("evil")[-1]
    assert isinstance(failed, Failed)
    assert "outside the folder for results" in failed.error.message
    assert not (tmp_path / "moss.png").exists()


def test_paths_of_results_are_told_its_way_and_nothing_else_is():
    places = Places(Path("/home/me/results"), "/srv/patina/")
    told = places.told({"folder": "/home/me/results/a b/1", "also": ["/home/me/results/x"], "n": 3,
                        "prompt": "moss", "mask": "/home/me/mask.png"})  # fmt: skip
    assert told == {"folder": "/srv/patina/a b/1", "also": ["/srv/patina/x"], "n": 3,
                    "prompt": "moss", "mask": "/home/me/mask.png"}  # fmt: skip
    assert places.local("/srv/patina/a b/1/x.png") == Path("/home/me/results/a b/1/x.png")


@given(lists(sampled_from(["..", "a", "", ".", "/", "\\", "srv", "..\\"]), max_size=6))
def test_no_path_leads_out(parts):
    places = Places(Path("/home/me/results"), "/srv")
    try:
        path = places.local("/srv/" + "/".join(parts))
    except EngineError:
        return
    assert ".." not in path.parts
    assert path.is_relative_to("/home/me/results"), path


def test_with_one_disk_nothing_is_fetched():
    asked = []
    fetcher = Fetcher(lambda *request: asked.append(request) or 1, lambda: None)
    events = [Preview(1, 0, "/x", 1, 1), Finished(1, {"folder": "/y", "variations": []})]
    assert list(fetcher.through(events)) == events
    assert not asked


ENGINE = Path(__file__).resolve().parents[3] / "engine"
KEEPS = (
    f"ENGINE = {str(ENGINE)!r}"
    """
import base64, pathlib
import engine
engine.__path__.append(ENGINE)  # the real one's modules
from engine.artifacts import Artifacts
artifacts = Artifacts()
for method, id, params in requests():
    if method == "initialize":
        greet(id)
        ready()
    elif method == "generate":
        folder, name = pathlib.Path(params["folder"]), params["prompt"]
        folder.mkdir(parents=True)
        artifacts.allow(folder)
        (folder / "moss.png").write_bytes(b"moss")
        variations = [{"files": {"basecolor": "../moss.png" if name == "evil" else "moss.png"}}]
        (folder / "summary.json").write_text(json.dumps({"variations": variations}))
        if name == "goes on":
            (folder / "checkpoint.safetensors").write_bytes(b"latents")
        stopped = None if name == "done" else 7
        refuse(id, "Cancelled.", "cancelled", folder=str(folder), stopped_at=stopped)
    elif method == "artifact/read":
        try:
            answer(id, **artifacts.read(params))
        except Exception as error:
            refuse(id, str(error), "invalid_request")
"""
)


@pytest.mark.parametrize(
    ("prompt", "step", "files"),
    [
        ("goes on", 7, {"summary.json", "moss.png", "checkpoint.safetensors"}),
        ("too large to keep", 7, {"summary.json", "moss.png"}),
        ("done", None, {"summary.json", "moss.png"}),
    ],
)
def test_what_a_cancelled_run_kept_is_brought_here(run, tmp_path, prompt, step, files):
    event = run(prompt, KEEPS)[-1]
    here = tmp_path / "here/session/001"
    assert event == Cancelled(event.job, str(here), step)
    assert {path.name for path in here.iterdir()} == files


def test_a_cancelled_run_cannot_name_files_elsewhere(run, tmp_path):
    failed = run("evil", KEEPS)[-1]
    assert isinstance(failed, Failed)
    assert "outside the folder" in failed.error.details
    assert not list(tmp_path.glob("here/**/moss.png"))
