"""Which presets there are, for Blender: the scene's choice among them, their icons, and what is amiss."""

import bpy
from bpy.app.handlers import persistent
from bpy.props import PointerProperty, StringProperty
from bpy.types import PropertyGroup

from . import images, presets, properties

GONE = "This scene's preset is not here any more. Plain is used instead."

icons: dict[str, int] = {}


class PatinaGallery(PropertyGroup):
    """What the gallery has to say. Never saved with a scene."""

    message: StringProperty(name="Message", description="What became of the scene's preset")


def refresh() -> None:
    """Read the presets again, and let scenes choose among those that there are now."""
    presets.forget()
    _load_icons()
    _define_choice()
    fall_back()


def icon(preset: presets.Preset) -> int:
    """The icon of a preset's picture; 0 where it has none."""
    return icons.get(preset.id, 0)


def fall_back() -> bool:
    """Give scenes whose preset is gone the plain one, and say so. Whether there were any."""
    lost = [scene for scene in bpy.data.scenes if not scene.patina.preset]
    for scene in lost:
        scene.patina.preset = presets.DEFAULT
    state = bpy.context.window_manager.patina_gallery
    state.message = GONE if lost else ""
    return bool(lost)


def _define_choice() -> None:
    """Blender keeps what scenes have chosen: it stores a number that belongs to the preset's id."""
    properties.PatinaInputs.preset = properties.preset_choice(icons)


def _load_icons() -> None:
    """Here and not while a panel is drawn; Blender decodes the files when it shows them."""
    icons.clear()
    for preset in presets.load_all().values():
        if picture := preset.picture:
            icons[preset.id] = images.picture_icon(picture, fresh=preset.is_own)


@persistent
def _file_loaded(*_: object) -> None:
    fall_back()


def register() -> None:
    bpy.utils.register_class(PatinaGallery)
    bpy.types.WindowManager.patina_gallery = PointerProperty(type=PatinaGallery)
    presets.forget()
    _load_icons()
    _define_choice()
    bpy.app.handlers.load_post.append(_file_loaded)


def unregister() -> None:
    bpy.app.handlers.load_post.remove(_file_loaded)
    icons.clear()
    del bpy.types.WindowManager.patina_gallery
    bpy.utils.unregister_class(PatinaGallery)
