"""A preset, a prompt, the plan's settings: what stands in the panel before anything runs."""

from __future__ import annotations

from tests.gui.artist import Artist
from tests.gui.guikit import Steps


def play(artist: Artist) -> Steps[None]:
    """Type the prompt into its empty field."""
    artist.inputs.preset = artist.plan["preset"]
    artist.set()
    yield from artist.sidebar.open()
    yield from artist.picture("empty")
    yield from artist.describe(artist.plan["prompt"])
    yield from artist.picture("ready")
