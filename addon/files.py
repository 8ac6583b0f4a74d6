"""What the artist sets for assets and files, and how saving stands. No property has a callback."""

from pathlib import Path

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, PointerProperty, StringProperty
from bpy.types import Context, PropertyGroup

from .assets import Credits
from .link import disk
from .remedies import RefusedError, Remedy
from .words import tr

SAVE = Remedy("wm.save_as_mainfile", "Save the File")
ADD_LIBRARY = Remedy("preferences.asset_library_add", "Add Asset Library")
SHOW_LIBRARIES = Remedy("screen.userpref_show", "Show Preferences")


class PatinaFiles(PropertyGroup):
    """Stored with the scene."""

    library: StringProperty(
        name="Library", description="The asset library to save to; empty: the first in the preferences"
    )
    author: StringProperty(name="Author", description="Who is named as the author of assets")
    licence: StringProperty(name="License", description="The license that assets carry, such as CC0")
    thumbnail: EnumProperty(
        name="Thumbnail",
        description="What the asset browser shows",
        items=(
            ("RENDER", "Rendered", "The material on a ball, rendered by Blender"),
            ("PICTURE", "Picture", "The base colour as it is"),
        ),
    )


class PatinaSaving(PropertyGroup):
    """How saving to the library stands, for the panel. Written by `saving` alone."""

    busy: BoolProperty()
    failed: BoolProperty()
    status: StringProperty()
    progress: FloatProperty(name="Progress", subtype="FACTOR", min=0, max=1)


def credit(context: Context) -> Credits:
    """Who made it, as the artist has set it."""
    chosen = context.scene.patina_files
    return Credits(chosen.author.strip(), chosen.licence.strip())


def check_saved(_context: Context) -> None:
    """See that the .blend has a place.

    Raises:
        RefusedError: it was never saved.
    """
    if not bpy.data.filepath:
        raise RefusedError("Save the file first: this goes beside it", SAVE)


def check_library(context: Context) -> None:
    """See that there is a library, and that nothing is being saved to it.

    Raises:
        RefusedError: there is none, or something is.
    """
    if context.window_manager.patina_saving.busy:
        raise RefusedError("Results are being saved")
    _library(context)


def library_folder(context: Context) -> Path:
    """The chosen library's folder.

    Raises:
        RefusedError: there is none, or it is gone.
    """
    library = _library(context)
    named = bool(context.scene.patina_files.library)
    others = () if named else context.preferences.filepaths.asset_libraries
    for item in (library, *others):  # Blender's own first library often has no folder yet
        folder = Path(bpy.path.abspath(item.path))
        if item.path and disk.has_folder(folder):
            return folder
    raise RefusedError(
        tr("The folder of the asset library {name} is gone", name=library.name), SHOW_LIBRARIES
    )


def _library(context: Context) -> bpy.types.UserAssetLibrary:
    libraries = context.preferences.filepaths.asset_libraries
    name = context.scene.patina_files.library
    found = libraries.get(name) if name else next((item for item in libraries if item.path), None)
    if found is None or not found.path:
        if name:
            raise RefusedError(
                tr("There is no asset library {name}. Add a folder as one", name=name), ADD_LIBRARY
            )
        raise RefusedError("There is no asset library. Add a folder as one", ADD_LIBRARY)
    return found


CLASSES = (PatinaFiles, PatinaSaving)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Scene.patina_files = PointerProperty(type=PatinaFiles)
    bpy.types.WindowManager.patina_saving = PointerProperty(type=PatinaSaving)


def unregister() -> None:
    del bpy.types.WindowManager.patina_saving
    del bpy.types.Scene.patina_files
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
