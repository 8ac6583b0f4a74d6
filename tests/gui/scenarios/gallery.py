"""The presets, looked at and chosen by their pictures."""

from __future__ import annotations

from tests.gui.artist import REDRAW_S, Artist
from tests.gui.guikit import Steps, take_picture

GALLERY_BELOW = 27  # pixels from the middle of the field above it to the button that opens it
BUTTONS_BELOW = range(70, 400, 14)  # pixels below that button in which a preset's has to be


def play(artist: Artist) -> Steps[None]:
    """Open the presets from the panel, look at them, and choose one by its picture."""
    artist.inputs.preset = "stone"
    yield from artist.sidebar.open()
    yield from artist.picture("chosen")
    places = yield from artist.sidebar.find("patina.negative")
    x, y = places["patina.negative"]
    yield from artist.pointer.click((x + 30, y - GALLERY_BELOW))
    for _ in range(8):  # the pictures are decoded in the background
        yield REDRAW_S
        artist.sidebar.area.tag_redraw()
    take_picture(artist.pictures / "gallery.png")
    middle = artist.pointer.window.width // 2
    for below in BUTTONS_BELOW:
        spot = (middle + 60, y - GALLERY_BELOW - below)
        yield from artist.pointer.click(spot)
        if artist.inputs.preset != "stone":
            break
    take_picture(artist.pictures / "clicked.png")
    assert artist.inputs.preset != "stone", "no picture could be clicked"
    yield from artist.pointer.key("ESC")
    yield from artist.picture("closed")
