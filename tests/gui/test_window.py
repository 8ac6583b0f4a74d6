"""The add-on in real Blender windows, clicked by simulated events, with a real engine behind it.

Starting Blender takes longer than most scenarios: one Blender plays several of them.
"""

from __future__ import annotations

import os
import shutil
import time
import warnings
from pathlib import Path

import pytest

from tests.gui import blenders, look, textures
from tests.gui.play import play
from tests.gui.shots import OTHERS, PLAN, SCENES, SEARCHED, WINDOW, small_engine

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
    """Play scenarios: all must come true without a traceback, show something, and leave no engine behind."""

    def run(*scenarios, size, pictures, **plan):
        played = play(blender, *scenarios, size=size, timeout_s=500, **plan)
        if keep := os.environ.get("PATINA_SHOTS"):
            shutil.copytree(played.pictures, Path(keep) / request.node.callspec.id, dirs_exist_ok=True)
        assert played.code == 0, f"Blender ended with {played.code}:\n{played.output}"
        assert "Traceback" not in played.output, played.output
        for name in pictures:
            shown = played.pictures / f"{name}.png"
            assert shown.stat().st_size > BLACK_PNG_BYTES, f"{name} shows nothing"
        assert_ended(played.engines)
        return played

    return run


@pytest.mark.filterwarnings("default::tests.gui.look.OtherVersionWarning")
def test_first_day_without_an_engine(blender, perform, request, tmp_path):
    """Installing, choosing a preset, using a result, the preferences: no engine has to start for these."""
    played = perform(
        *(*SCENES, "preferences"),
        size=WINDOW,
        pictures=("first start", "not installed", "installing", "gallery", "in use", "past", "preferences"),
        **PLAN,
        **small_engine(blender),
    )
    compare(played.pictures, request.node.callspec.params["blender"], look.STEADY["first-day"], tmp_path)


def test_from_a_prompt_to_a_material_and_its_history(perform):
    """What a prompt, a queue and the history look like, with one engine behind them."""
    played = perform(
        *("ready", "material", "history"),
        size=WINDOW,
        pictures=("ready", "generating", "results", "applied", "queue", "history"),
        **PLAN,
        settings=SMALL_RUN,
    )
    assert played.engines


@pytest.mark.filterwarnings("default::tests.gui.look.OtherVersionWarning")
@pytest.mark.parametrize("blender", ["sid"], indirect=True)  # an engine's matter: the panels are everywhere
def test_a_library_an_engine_in_trouble_and_the_panels_in_spanish(perform, tmp_path):
    """The language comes last: with it, the add-on is disabled while its engine runs."""
    played = perform(
        *OTHERS,
        size=WINDOW,
        pictures=(
            *("library indexing", "library", "library applied", "missing", "failed", "error"),
            *("spanish", "spanish applied"),
        ),
        textures=str(textures.write(tmp_path / "textures")),
        words=SEARCHED,
    )
    assert played.engines
    compare(played.pictures, "sid", look.STEADY["library"], tmp_path)


def compare(pictures, blender, states, tmp_path):
    """The sidebar looks as it did when `python -m tests.gui.shots --update` was last called."""
    different = []
    for state in states:
        stored = look.reference(blender, state)
        assert stored.exists(), f"{state}: none is stored for {blender}; call shots --update"
        shown, before = look.Look.of(pictures, state), look.Look.stored(stored)
        if shown.version != before.version:
            words = (
                f"{state}: stored of Blender {before.version}, this is {shown.version}; call shots --update"
            )
            warnings.warn(words, look.OtherVersionWarning, stacklevel=2)
        elif (difference := shown.difference(before, state)) > look.BOUND:
            folder = Path(os.environ.get("PATINA_SHOTS", tmp_path)) / blender
            files = "\n".join(str(file) for file in look.save_trouble(folder, state, shown, before))
            different.append(f"{state} looks different by {difference:.1f} %, over {look.BOUND}:\n{files}")
    assert not different, "\n".join(different)


def assert_ended(engines):
    """No engine outlives its Blender, nor a zombie of it."""
    end = time.monotonic() + 10
    while alive := [pid for pid in engines if Path(f"/proc/{pid}").exists()]:
        assert time.monotonic() < end, f"left behind: {alive}"
        time.sleep(0.1)
