"""The first day: no engine yet, its installation from the panel by a button, and what failed said calmly."""

from __future__ import annotations

import os

import bpy

from tests.gui.artist import Artist
from tests.gui.guikit import Steps, until

INSTALL_S = 90.0
FOLDER = "/home/ada/.local/share/patina/patina-engine"  # in pictures: as long on every machine
ROOM = "It takes 1.9 GB to 6.5 GB of the 212.4 GB that are free there."
ENVIRONMENT = ("PATINA_ENGINE_PYTHON", "PATINA_ENGINE_ROOT")


def play(artist: Artist) -> Steps[None]:
    """Install a small engine from files that lie there, after one try with a file that is none."""
    kept = {name: os.environ.pop(name) for name in ENVIRONMENT}
    os.environ["PATINA_HOME"] = str(artist.pictures.parent / "patina-home")
    chosen, place = artist.preferences, artist.plan["small_engine"]
    chosen.wheels_folder = f"{place}/wheels"  # nothing is downloaded
    chosen.engine_source, chosen.installer_python = place, artist.plan["installer_python"]
    chosen.backend = "cuda"  # whose packages' hashes are in the lock: from those no network is needed
    artist.module("setup").refresh()
    shown = bpy.context.window_manager.patina_setup
    yield from artist.sidebar.open()
    assert shown.state == "missing", shown.state
    shown.folder, shown.room = FOLDER, ROOM
    yield from artist.picture("first start")
    yield from artist.press("patina.install_engine")
    yield from until(lambda: shown.message, "a sentence about the wrong file", INSTALL_S)
    yield from artist.picture("not installed")

    chosen.engine_source = f"{place}/program"
    artist.module("setup").refresh()
    yield from artist.press("patina.install_engine")
    yield from until(lambda: shown.running and shown.progress > 0, "a bar", 20)
    yield from artist.picture("installing")
    yield from until(lambda: not shown.running, "the end of the installer", INSTALL_S)
    assert not shown.message, shown.message
    if artist.plan["reachable"]:
        assert shown.state == "ready", shown.problem
    for name in ("wheels_folder", "engine_source", "installer_python", "backend"):
        chosen.property_unset(name)
    os.environ.update(kept)
    artist.pump.session.engine.stop()
    artist.module("setup").refresh()
    assert shown.state == "ready", shown.problem
