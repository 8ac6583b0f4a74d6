"""A real Blender (the bpy module) with the add-on enabled in it; the user's own settings are left alone."""

from __future__ import annotations

import importlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

HOME = Path(tempfile.mkdtemp(prefix="patina-blender-"))
os.environ["BLENDER_USER_RESOURCES"] = str(HOME)  # before bpy is imported: Blender looks once
ADDONS = HOME / "scripts" / "addons"
ADDONS.mkdir(parents=True)
(ADDONS / "patina").symlink_to(ROOT / "addon", target_is_directory=True)

import bpy  # noqa: E402

from tests.addon.support import Blender, TimerPump, engine_python  # noqa: E402


def pytest_sessionfinish() -> None:
    """Leave nothing registered: bpy 4.2 crashes and 4.5 hangs at exit over what an add-on left."""
    if "patina" in bpy.context.preferences.addons:
        bpy.ops.preferences.addon_disable(module="patina")
    shutil.rmtree(HOME, ignore_errors=True)


@contextmanager
def enabled(timers: TimerPump, folder: Path) -> Iterator[Blender]:
    """A fresh file, and the add-on freshly enabled, with its results in a folder of the test's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATINA_ENGINE_PYTHON", str(engine_python()))
        patch.setenv("PATINA_HOME", str(folder / "home"))  # not whatever somebody has on this machine
        bpy.ops.wm.read_homefile(use_factory_startup=True)
        bpy.ops.preferences.addon_enable(module="patina")
        package = importlib.import_module("patina")
        bpy.context.preferences.addons["patina"].preferences.results_folder = str(folder / "results")
        yield Blender(package, timers, folder)
        if "patina" in bpy.context.preferences.addons:
            bpy.ops.preferences.addon_disable(module="patina")
        assert not timers.queue, "the add-on left a timer behind"


@pytest.fixture
def blender(tmp_path):
    """The add-on in a fresh file. Its timer is turned by hand: without a window Blender never does."""
    with TimerPump() as timers, enabled(timers, tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """The same for a whole module: its engine serves one test after the other, as torch takes its time."""
    with TimerPump() as timers, enabled(timers, tmp_path_factory.mktemp("running")) as made:
        yield made


@pytest.fixture
def finished(blender):
    """The same with a finished run of two variations, made without an engine."""
    blender.finish_run(variations=2)
    return blender
