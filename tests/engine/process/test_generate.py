"""The whole path, for real: the starter pack, a prompt, files. Small and short, on the CPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[3]
SMALL = {
    "prompt": "red bricks",
    "variations": 2,
    "width": 128,
    "height": 128,
    "steps": 2,
    "seed": 3,
    "device": "cpu",
}
MAPS = {"basecolor", "normal_gl", "roughness", "metallic", "height", "ao"}


def contents(folder):
    """Bytes by name, less the summary, which says how long it took."""
    return {
        p.name: p.read_bytes() for p in folder.iterdir() if p.suffix != ".rgba" and p.name != "summary.json"
    }


def check_summary(summary, folder):
    assert summary["prompt"] == "red bricks"
    assert summary["seed"] == 3
    assert summary["pack"] == "starter"
    assert summary["settings"]["steps"] == 2
    assert summary["steps_per_second"] > 0
    assert [v["rank"] for v in summary["variations"]] == [1, 2]
    scores = [v["judge_score"] for v in summary["variations"]]
    assert scores == sorted(scores, reverse=True)
    for v in summary["variations"]:
        assert set(v["files"]) == MAPS
        assert 0 <= v["seam"] < 3
        assert 0 <= v["relief"] <= 0.5
        for kind, name in v["files"].items():
            with Image.open(folder / name) as picture:
                assert picture.size == (128, 128)
                assert picture.mode.startswith("I;16") == (kind == "height")
        sidecar = json.loads((folder / v["sidecar"]).read_text("utf-8"))
        assert all(len(sha256) == 64 for sha256 in sidecar["pack"]["sha256"].values())


def test_ready_names_devices_versions_and_the_pack(served):
    assert "cpu" in [device["id"] for device in served.news["devices"]]
    assert served.news["device"] in [device["id"] for device in served.news["devices"]]
    assert served.news["pack"] == "starter"
    assert served.news["torch"]


def test_a_prompt_becomes_ranked_materials_the_same_twice_byte_for_byte(served, tmp_path):
    for name in "ab":
        served.send("generate", {**SMALL, "folder": str(tmp_path / name)}, name)
    results = {name: served.answer(name, timeout_s=120)["result"] for name in "ab"}
    for name, result in results.items():
        assert result.pop("folder") == str(tmp_path / name)
        assert result == json.loads((tmp_path / name / "summary.json").read_text("utf-8"))
        check_summary(result, tmp_path / name)
    assert len(contents(tmp_path / "a")) == 2 * (len(MAPS) + 1)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_variation_1_is_the_same_alone_or_in_company(served, tmp_path):
    """A row of the batch that leans on its neighbours could not be made again from its seed."""
    served.send("generate", {**SMALL, "folder": str(tmp_path / "two")}, "two")
    served.send("generate", {**SMALL, "variations": 1, "folder": str(tmp_path / "one")}, "one")
    both, alone = (served.answer(name, timeout_s=120)["result"]["variations"] for name in ("two", "one"))
    same = next(v for v in both if v["seed"] == 3)
    assert same["judge_score"] == pytest.approx(alone[0]["judge_score"], abs=1e-3)


def test_a_result_goes_on_at_twice_the_size(served, tmp_path):
    """`refine` as the add-on would ask for it: from the JSON file of what `generate` made."""
    served.send("generate", {**SMALL, "variations": 1, "folder": str(tmp_path / "first")}, "first")
    first = served.answer("first", timeout_s=120)["result"]["variations"][0]
    sidecar = str(tmp_path / "first" / first["sidecar"])
    asked = {"sidecar": sidecar, "scale": 2, "steps": 1, "device": "cpu", "folder": str(tmp_path / "second")}
    served.send("refine", asked, "second")
    result = served.answer("second", timeout_s=120)["result"]
    (second,) = result["variations"]
    assert (second["origin"], second["seed"]) == (first["origin"], first["seed"])
    assert result["settings"]["image"] == sidecar
    with Image.open(tmp_path / "second" / second["files"]["basecolor"]) as picture:
        assert picture.size == (256, 256)


def test_news_comes_in_order_and_previews_are_whole(served, tmp_path):
    served.send("generate", {**SMALL, "folder": str(tmp_path)}, "news")
    served.answer("news", timeout_s=120)
    mine = [m for m in served.seen if m.get("params", {}).get("job") == "news"]
    assert mine[0] == {"jsonrpc": "2.0", "method": "job/queued", "params": {"job": "news", "position": 0}}
    phases = [m["params"]["phase"] for m in mine if m["method"] == "job/progress"]
    assert list(dict.fromkeys(phases)) == ["load", "propose", "guide", "rank", "maps", "write"]
    previews = [m["params"] for m in mine if m["method"] == "job/preview"]
    assert {p["variation"] for p in previews} == {0, 1}
    for p in previews:
        assert Path(p["file"]).stat().st_size == p["width"] * p["height"] * 4


def test_cancel_ends_a_job_within_a_step_and_leaves_no_material_if_asked(served, tmp_path):
    served.send(
        "generate", {**SMALL, "steps": 5000, "folder": str(tmp_path), "keep_on_cancel": False}, "long"
    )
    served.until(lambda m: m.get("params", {}).get("phase") == "guide", timeout_s=60)
    served.send("cancel", {"job": "long"}, "stop")
    start = time.monotonic()
    assert served.answer("long", timeout_s=30)["error"]["data"]["kind"] == "cancelled"
    assert time.monotonic() - start < 5
    assert not list(tmp_path.glob("*.png"))


def test_a_cancelled_job_keeps_what_it_has_and_resumes_to_the_bytes_of_a_whole_one(served, tmp_path):
    """The starter pack, in a process of its own."""
    asked = {**SMALL, "steps": 6}
    served.send("generate", {**asked, "folder": str(tmp_path / "stopped")}, "kept")
    served.until(
        lambda m: (p := m.get("params", {})).get("phase") == "guide" and p["job"] == "kept", timeout_s=60
    )
    served.send("cancel", {"job": "kept"}, "stop it")
    data = served.answer("kept", timeout_s=60)["error"]["data"]
    assert (data["kind"], data["folder"]) == ("cancelled", str(tmp_path / "stopped"))
    assert 1 <= data["stopped_at"] < 6
    assert len(list((tmp_path / "stopped").glob("*_basecolor.png"))) == 2
    served.send("resume", {"folder": str(tmp_path / "stopped")}, "more")
    assert "stopped_at" not in served.answer("more", timeout_s=120)["result"]
    served.send("generate", {**asked, "folder": str(tmp_path / "whole")}, "whole")
    served.answer("whole", timeout_s=120)
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")


def test_a_folder_that_takes_no_files_is_an_error_and_the_engine_goes_on(served, tmp_path):
    (tmp_path / "file").write_text("in the way")
    served.send("generate", {**SMALL, "folder": str(tmp_path / "file" / "folder")}, "bad")
    error = served.answer("bad")["error"]["data"]
    assert (error["kind"], error["field"]) == ("cannot_write", "folder")
    served.send("generate", {**SMALL, "pack": "nowhere", "folder": str(tmp_path / "x")}, "no pack")
    assert served.answer("no pack")["error"]["data"]["kind"] == "unknown_pack"
    served.send("generate", {**SMALL, "steps": 0, "folder": str(tmp_path / "good")}, "good")
    assert "result" in served.answer("good", timeout_s=120)


def test_an_engine_killed_in_mid_job_leaves_only_whole_files(start, tmp_path):
    client = start()
    client.send("generate", {**SMALL, "steps": 5000, "folder": str(tmp_path / "out")}, 1)
    client.until(lambda m: m.get("params", {}).get("phase") == "guide", timeout_s=120)
    client.process.kill()
    assert client.process.wait(5) != 0
    assert {p.suffix for p in (tmp_path / "out").iterdir()} <= {".rgba"}


def test_the_command_line_writes_the_same_bytes_and_one_line_of_json(served, tmp_path):
    served.send("generate", {**SMALL, "folder": str(tmp_path / "served")}, "served")
    options = {"variations": 2, "size": 128, "steps": 2, "seed": 3, "device": "cpu", "out": tmp_path / "cli"}
    options = [f"--{name}={value}" for name, value in options.items()]
    done = subprocess.run(
        [sys.executable, "-m", "engine", "generate", "red bricks", *options, "--json"],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        check=True,
    )
    (line,) = done.stdout.splitlines()
    check_summary(json.loads(line), tmp_path / "cli")
    assert json.loads(line) == json.loads((tmp_path / "cli" / "summary.json").read_text("utf-8"))
    served.answer("served", timeout_s=120)
    assert contents(tmp_path / "cli") == contents(tmp_path / "served")


def test_a_preset_of_the_users_own_is_found_and_used(served, tmp_path):
    """End to end: a file that the add-on saved while the engine ran."""
    folder = Path(os.environ["PATINA_HOME"]) / "presets"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "frosty.json"
    content = {"format": 1, "label": "Frosty", "templates": ["snowy {}"], "settings": {"judge_views": 3}}
    file.write_text(json.dumps(content))
    try:
        served.send("initialize", {}, "again")
        assert "my_frosty" in served.answer("again")["result"]["presets"]
        request = {**SMALL, "variations": 1, "preset": "my_frosty", "folder": str(tmp_path), "preview": False}
        served.send("generate", request, "mine")
        result = served.answer("mine", 120)["result"]
    finally:
        file.unlink()
    assert result["preset"] == "my_frosty"
    assert result["settings"]["templates"] == ["snowy {}"]
    assert result["settings"]["judge_views"] == 3
    served.send("generate", request, "gone")
    error = served.answer("gone")["error"]
    assert "my_frosty" in error["message"]
