"""The presets, looked at and chosen by their pictures."""

from __future__ import annotations

from contextlib import suppress

from tests.gui.artist import REDRAW_S, Artist
from tests.gui.guikit import OverdueError, Place, Steps, take_picture, until

GALLERY_BELOW = (27, 21, 33)  # pixels from the middle of the field above it to the button that opens it
PICTURE_ACROSS, PICTURE_BELOW = 0.14, 50  # the chosen one's picture: share of the width, pixels below
POPUP_S = 1.0  # until what opened is drawn
BUTTONS_BELOW = range(70, 400, 14)  # pixels below that button in which a preset's has to be


def play(artist: Artist) -> Steps[None]:
    """Open the presets from the panel, look at them, and choose one by its picture."""
    artist.inputs.preset = "stone"
    yield from artist.sidebar.open()
    yield from artist.picture("chosen")
    _, y = yield from open_gallery(artist)
    for _ in range(8):  # the pictures are decoded in the background
        yield REDRAW_S
        artist.sidebar.area.tag_redraw()
    take_picture(artist.pictures / "gallery.png")
    middle = artist.pointer.window.width // 2
    for below in BUTTONS_BELOW:
        spot = (middle + 60, y - below)
        yield from artist.pointer.click(spot)
        if artist.inputs.preset != "stone":
            break
    take_picture(artist.pictures / "clicked.png")
    assert artist.inputs.preset != "stone", "no picture could be clicked"
    yield from artist.pointer.key("ESC")
    yield from artist.picture("closed")
    yield from choose_by_picture(artist)


def choose_by_picture(artist: Artist) -> Steps[None]:
    """A click on the preset's picture shows all of them, and the arrow keys go from one to the next."""
    chosen, region = artist.inputs.preset, artist.sidebar.region
    places = yield from artist.sidebar.find("patina.negative")
    _, y = places["patina.negative"]
    yield from artist.pointer.click((region.x + int(PICTURE_ACROSS * region.width), y - PICTURE_BELOW))
    yield POPUP_S
    take_picture(artist.pictures / "pictures.png")
    for key in ("DOWN_ARROW", "RET"):
        yield from artist.pointer.key(key)
        yield REDRAW_S
    unwanted = {chosen, ""}  # empty: a number that belongs to no preset
    yield from until(lambda: artist.inputs.preset not in unwanted, "another preset by its picture", 5)


def open_gallery(artist: Artist) -> Steps[Place]:
    """Click where its button has to be, until it is drawn. Returns where the click was."""
    places = yield from artist.sidebar.find("patina.negative")
    x, y = places["patina.negative"]
    with artist.sidebar.draws("PATINA_PT_gallery") as draws:
        for below in GALLERY_BELOW:
            yield from artist.pointer.click(place := (x + 30, y - below))
            with suppress(OverdueError):
                yield from until(lambda: draws, "the gallery", 3)
                return place
    raise LookupError(f"no button below {places} opens the gallery")
