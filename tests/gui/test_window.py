"""The add-on in real Blender windows, clicked by simulated events, with a real engine behind it."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from tests.gui import blenders
from tests.gui.play import play

WINDOW = (900, 640)  # a larger one is drawn more slowly
SMALL_RUN = {"size": "128", "variations": 2, "steps": 24}
BLACK_PNG_BYTES = 8_000  # a screen of one colour packs to less


@pytest.fixture(params=blenders.BLENDERS)
def blender(request, tmp_path):
    try:
        return blenders.BLENDERS[request.param](tmp_path)
    except blenders.MissingError as error:
        if "PATINA_NEEDS_WINDOWS" in os.environ:  # set where all that they need was installed
            raise
        pytest.skip(str(error))  # system packages, and root for one of the two, are their owner's decision


@pytest.fixture
def perform(blender, request):
    """Play a scenario; its pictures go to PATINA_SHOTS as well."""

    def run(scenario, **plan):
        played = play(blender, scenario, size=WINDOW, timeout_s=500, **plan)
        if keep := os.environ.get("PATINA_SHOTS"):
            shutil.copytree(played.pictures, Path(keep) / request.node.callspec.id, dirs_exist_ok=True)
        assert played.code == 0, f"Blender ended with {played.code}:\n{played.output}"
        return played

    return run


def test_from_a_prompt_to_a_material_on_the_cube(perform):
    played = perform("material", prompt="red bricks", preset="stone", settings=SMALL_RUN)
    for name in ("empty", "ready", "generating", "results", "applied"):
        assert (played.pictures / f"{name}.png").stat().st_size > BLACK_PNG_BYTES, f"{name} shows nothing"
    assert "Traceback" not in played.output, played.output
    assert_ended(played.engines)


def test_trouble_with_the_engine_is_said_and_mended(perform):
    played = perform("trouble")
    for name in ("missing", "failed", "killed"):
        assert (played.pictures / f"{name}.png").stat().st_size > BLACK_PNG_BYTES, f"{name} shows nothing"
    assert "Traceback" not in played.output, played.output
    assert_ended(played.engines)


def assert_ended(engines):
    """No engine outlives its Blender, nor a zombie of it."""
    assert engines
    end = time.monotonic() + 10
    while alive := [pid for pid in engines if Path(f"/proc/{pid}").exists()]:
        assert time.monotonic() < end, f"left behind: {alive}"
        time.sleep(0.1)
