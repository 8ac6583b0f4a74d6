"""The library beside the queue: a search is answered while a run goes on, and the run's results are found."""

from __future__ import annotations

import json
import time

import pytest
from PIL import Image

LONG = {
    "prompt": "red bricks", "variations": 1, "width": 128, "height": 128, "steps": 5000, "seed": 3,
    "device": "cpu",
}  # fmt: skip
SHORT = {**LONG, "steps": 1, "judge_views": 1, "cutouts": 1}
PATIENCE_S = 300


@pytest.fixture(scope="module")
def library(tmp_path_factory, served):
    """The folder of a library of three pictures, which lie beside it."""
    folder = tmp_path_factory.mktemp("library")
    for name, colour in (("a", "red"), ("b", "green"), ("c", "blue")):
        Image.new("RGB", (32, 32), colour).save(folder / f"{name}.png")
    served.send(
        "index", {"folder": str(folder / "index"), "folders": [str(folder)], "device": "cpu"}, "index"
    )
    assert served.answer("index", PATIENCE_S)["result"]["textures"] == 3
    return folder / "index"


def test_a_search_does_not_wait_for_a_run(served, library, tmp_path):
    served.send("generate", {**LONG, "folder": str(tmp_path)}, "long")
    served.until(lambda m: m.get("params", {}).get("phase") == "guide", timeout_s=PATIENCE_S)
    asked = {"folder": str(library), "device": "cpu"}
    start = time.monotonic()
    served.send("search", {**asked, "text": "blue stone"}, "search")
    served.send("library", asked, "library")
    served.send("search", {**asked, "like": "/nowhere.png"}, "bad")
    found = served.answer("search", PATIENCE_S)["result"]
    took = time.monotonic() - start
    assert len(found["results"]) == 3
    assert served.answer("library", PATIENCE_S)["result"]["textures"] == 3
    assert served.answer("bad", PATIENCE_S)["error"]["data"]["field"] == "like"
    served.send("cancel", {"job": "long"}, "stop")
    assert served.answer("stop", PATIENCE_S)["result"] == {"cancelled": True}  # it still ran
    assert served.answer("long", PATIENCE_S)["error"]["data"]["kind"] == "cancelled"
    assert took < 30  # a twentieth of a second on two cores that others use, too


def test_a_run_beside_searches_makes_what_it_makes_alone(served, library, tmp_path):
    """Two threads share the guide: neither may change what the other computes."""
    asked = {**LONG, "steps": 3}
    served.send("generate", {**asked, "folder": str(tmp_path / "alone")}, "alone")
    served.answer("alone", PATIENCE_S)
    served.send("generate", {**asked, "folder": str(tmp_path / "beside")}, "beside")
    for k in range(20):
        served.send("search", {"folder": str(library), "device": "cpu", "text": f"stone {k}"}, f"search {k}")
    served.answer("beside", PATIENCE_S)
    alone, beside = (
        {p.name: p.read_bytes() for p in (tmp_path / name).glob("*_v*")} for name in ("alone", "beside")
    )
    assert alone == beside


def test_the_results_of_a_run_are_in_the_users_library_without_asking(start, tmp_path, monkeypatch):
    monkeypatch.setenv("PATINA_HOME", str(tmp_path / "home"))
    engine = start()
    history = tmp_path / "results"
    engine.send("generate", {**SHORT, "folder": str(history / "one"), "history": str(history)}, 1)
    (made,) = engine.answer(1, PATIENCE_S)["result"]["variations"]
    end = time.monotonic() + PATIENCE_S
    for attempt in range(2, 10_000):
        engine.send("library", {"device": "cpu"}, attempt)
        found = engine.answer(attempt, PATIENCE_S)["result"]
        if found["textures"]:
            break
        assert time.monotonic() < end, engine.log.read_text()
        time.sleep(0.2)
    assert found["folders"] == [str(history)]
    assert found["results"][0]["tags"] and found["results"][0]["badges"] == made["badges"]
    assert sorted(t["label"] for t in made["tags"]) == sorted(t["label"] for t in found["results"][0]["tags"])
    sidecar = json.loads((history / "one" / made["sidecar"]).read_text("utf-8"))
    assert sidecar["tags"] == made["tags"]


def test_a_library_that_cannot_be_written_fails_no_run(start, tmp_path, monkeypatch):
    (tmp_path / "home").write_text("a file where the folder should be")
    monkeypatch.setenv("PATINA_HOME", str(tmp_path / "home"))
    engine = start()
    engine.send("generate", {**SHORT, "folder": str(tmp_path / "r" / "1"), "history": str(tmp_path / "r")}, 1)
    assert len(engine.answer(1, PATIENCE_S)["result"]["variations"]) == 1


def test_a_picture_becomes_maps_in_the_server(served, tmp_path):
    Image.new("RGB", (64, 64), (150, 80, 60)).save(tmp_path / "wall.png")
    asked = {"picture": str(tmp_path / "wall.png"), "folder": str(tmp_path / "maps"), "device": "cpu"}
    served.send("maps", asked, "maps")
    answer = served.answer("maps", PATIENCE_S)["result"]
    assert (tmp_path / "maps" / answer["files"]["normal_gl"]).is_file()
    served.send("maps", {**asked, "picture": "wall.png"}, "bad")
    assert served.answer("bad")["error"]["data"]["field"] == "picture"


def test_pictures_are_ranked_in_their_turn(served, library):
    folder = library.parent
    files = [str(folder / f"{name}.png") for name in "abc"]
    served.send("rank", {"prompt": "red bricks", "files": [*files, "/nowhere.png"], "views": 2}, "rank")
    found = served.answer("rank", PATIENCE_S)["result"]
    assert [f["rank"] for f in found["files"]] == [1, 2, 3]
    assert {f["file"] for f in found["files"]} == set(files)
    assert all(f["artefacts"] == ["flat"] for f in found["files"])
    assert [f["file"] for f in found["unread"]] == ["/nowhere.png"]
    news = [
        m["params"] for m in served.seen if m.get("params", {}).get("job") == "rank" and "step" in m["params"]
    ]
    assert [(p["phase"], p["step"], p["total"]) for p in news] == [("rank", i, 4) for i in (1, 2, 3, 4)]
