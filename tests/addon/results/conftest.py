"""An engine of a few lines, and a result that is chosen without any."""

from __future__ import annotations

import json
import sys
import textwrap

import bpy
import pytest

from tests.addon.link.fake import TALK
from tests.addon.results_on_disk import write_run
from tests.addon.support import write_png

ENGINE = """
import pathlib
asked = pathlib.Path(__file__).with_name("asked.jsonl")
for method, id, params in requests():
    if method == "initialize":
        answer(id, name="fake", version="9.9", protocol=1, methods=METHODS, packs=[], presets=[])
        ready()
    elif method == "cancel":
        answer(id, cancelled=True)
        refuse(params["job"], "Cancelled.", "cancelled")
    else:
        with asked.open("a") as file:
            file.write(json.dumps([method, params]) + "\\n")
        tell("job/progress", job=id, phase="guide", step=1, total=4, loss=None, steps_per_second=1.0,
             seconds_left=30.0)
        if "slow" not in params.get("prompt", ""):
            answer(id, folder=params["folder"], prompt=params.get("prompt", "red bricks"), variations=[])
"""


@pytest.fixture
def small_engine(blender, tmp_path, monkeypatch):
    """An engine of a few lines; it notes what it was asked. Returns how to read that."""

    def use(methods=("generate", "refine", "vary")):
        package = tmp_path / "root" / "engine"
        package.mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").write_text("")
        (package / "__main__.py").write_text(f"{TALK}METHODS = {list(methods)}\n{textwrap.dedent(ENGINE)}")
        monkeypatch.setenv("PATINA_ENGINE_ROOT", str(package.parent))
        monkeypatch.setenv("PATINA_ENGINE_PYTHON", sys.executable)

        def asked():
            noted = package / "asked.jsonl"
            return [json.loads(line) for line in noted.read_text().splitlines()]

        return asked

    return use


@pytest.fixture
def chosen(blender):
    """Two variations of a run on disk, the first chosen."""
    folder = blender.folder / "results" / "2026-01-01_100000_1" / "001_red_bricks"
    sidecars = write_run(folder, 2)
    for path in folder.glob("*.png"):
        write_png(path, path.stem.split("_v")[1].split("_", 1)[1])
    module = blender.package.results
    results = [module.result_at(path, module.about(module.content_of(path))) for path in sidecars]
    blender.session.show(results, 0, folder)
    blender.package.pump.mirror()
    bpy.context.view_layer.objects.active = bpy.data.objects["Cube"]
    return blender
