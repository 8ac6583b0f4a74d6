"""The library in this Blender: what was asked for, icons of what was found, and the pump's part of it."""

import time
from pathlib import Path
from typing import Any

import bpy
import bpy.utils.previews
from bpy.props import BoolProperty, CollectionProperty, FloatProperty, PointerProperty, StringProperty
from bpy.types import PropertyGroup
from bpy.utils.previews import ImagePreviewCollection

from . import preferences, pump
from .library import Found, Library
from .link import disk

ICONS_S = 0.003  # a turn of the pump makes one more icon while this time lasts
MOST_ICONS = 2000  # 64 KiB each
SMALL_BYTES = 1 << 21  # of a picture that is decoded at once where there is no thumbnail

library: Library | None = None
_icons: ImagePreviewCollection | None = None


class PatinaLabel(PropertyGroup):
    """A tag that textures have: its name, for the field that offers them."""


class PatinaLibrary(PropertyGroup):
    """What the artist looks for. Of this Blender, and never saved with a scene."""

    text: StringProperty(
        name="Search",
        description="What to look for among your textures, in your own words, such as mossy bricks",
        maxlen=2000,
    )
    tag: StringProperty(name="Tag", description="Show only textures that have this tag")
    seamless: BoolProperty(name="Seamless Only", description="Show only textures that repeat without a seam")
    labels: CollectionProperty(name="Tags", description="The tags that textures have", type=PatinaLabel)
    progress_value: FloatProperty(
        name="Progress", description="How much of the work is done", subtype="FACTOR", min=0, max=1
    )


def inputs() -> Any:
    """The artist's search."""
    return bpy.context.window_manager.patina_library


def results_folder() -> Path:
    """Patina's own results: in the library without asking."""
    return preferences.results_folder()


def icon(found: Found) -> int:
    """The icon of a texture; 0 until the pump has loaded it."""
    known = _icons.get(found.key) if _icons is not None else None
    return known.icon_id if known else 0


def turn() -> bool:
    """The pump's part: some icons, what panels need as properties. True if there is more to do soon."""
    if library is None:
        return False
    library.follow(preferences.device())
    _mirror()
    return _load_icons() or library.busy


def _mirror() -> None:
    state = inputs()
    state.progress_value = library.progress
    if [item.name for item in state.labels] != list(library.labels):
        state.labels.clear()
        for label in library.labels:
            state.labels.add().name = label


def _load_icons() -> bool:
    """Load icons of the page for as long as a frame can bear. True if some are missing still."""
    end = time.monotonic() + ICONS_S
    missing = [found for found in library.shown() if found.key not in _icons]
    if missing and len(_icons) > MOST_ICONS:
        _icons.clear()
    for number, found in enumerate(missing):
        if number and time.monotonic() >= end:
            pump.redraw()
            return True
        _icons.load(found.key, _picture_of(found), "IMAGE")  # Blender decodes it beside its work
    if missing:
        pump.redraw()
    return False


def _picture_of(found: Found) -> str:
    """The thumbnail, or the texture itself if it is small, or nothing: an empty icon."""
    if disk.has_file(Path(found.thumbnail)):
        return found.thumbnail
    try:
        return found.key if found.main.stat().st_size <= SMALL_BYTES else ""
    except OSError:
        return ""


CLASSES = (PatinaLabel, PatinaLibrary)


def register() -> None:
    global library, _icons
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.WindowManager.patina_library = PointerProperty(type=PatinaLibrary)
    _icons = bpy.utils.previews.new()
    library = Library(pump.session.ask, pump.session.engine.cancel)
    pump.chores.append(turn)


def unregister() -> None:
    global library, _icons
    pump.chores.remove(turn)
    library = None
    bpy.utils.previews.remove(_icons)
    _icons = None
    del bpy.types.WindowManager.patina_library
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
