"""An engine that is not there, cannot run, is killed: each a calm state with a way out."""

from __future__ import annotations

import os
import signal

import bpy

from tests.gui.artist import ENGINE_S, Artist
from tests.gui.guikit import Place, Steps, until


def play(artist: Artist) -> Steps[None]:
    """An engine that is not there, cannot run, is killed: each a calm state with a way out."""
    works = artist.preferences.engine_python
    artist.pump.session.engine.stop()
    artist.inputs.prompt = "red bricks"
    artist.inputs.seed, artist.inputs.lock_seed = 7, True  # or no two pictures of the panel would be alike
    yield from artist.sidebar.open()
    artist.preferences.engine_python = "/nowhere/python"
    yield from artist.press("patina.generate")
    yield from see_message(artist, "missing", "patina.open_preferences")

    artist.preferences.engine_python = "/bin/false"
    yield from artist.press("patina.generate")
    places = yield from see_message(artist, "failed", "patina.restart_engine", "patina.copy_log")

    artist.preferences.engine_python = works
    yield from artist.pointer.click(places["patina.restart_engine"])
    yield from until(lambda: artist.state.state in {"starting", "ready"}, "an engine after Restart", 10)
    os.kill(artist.note_engine(), signal.SIGKILL)
    places = yield from see_message(
        artist, "failed", "patina.restart_engine", "patina.copy_log", picture="error"
    )
    message, manager = artist.state.message, bpy.context.window_manager
    yield from artist.pointer.click(places["patina.copy_log"])
    yield from until(lambda: message in manager.clipboard, "the message in the copied log", 5)
    yield from artist.pointer.click(places["patina.restart_engine"])
    yield from until(lambda: artist.state.state == "ready", "an engine that works", ENGINE_S)
    artist.note_engine()
    assert not artist.state.message, artist.state.message


def see_message(artist: Artist, state: str, *buttons: str, picture: str = "") -> Steps[dict[str, Place]]:
    """Wait for a state; it must say a sentence, end the run and offer buttons. Returns where they are."""
    yield from until(lambda: artist.state.state == state, f"the state {state}", 10)
    assert artist.state.message.endswith("."), repr(artist.state.message)
    assert not artist.state.job
    yield from artist.picture(picture or state)
    return (yield from artist.sidebar.find(*buttons))
