"""Patina in Blender: describe a surface, get a material."""

bl_info = {
    "name": "Patina",
    "author": "Patina",
    "version": (0, 1, 0),
    "blender": (3, 4, 0),
    "location": "3D Viewport > Sidebar > Patina",
    "description": "Describe a surface, get a seamless PBR material",
    "category": "Material",
}

from . import (  # noqa: E402
    files,
    images,
    operators,
    panels,
    preferences,
    properties,
    pump,
    saving,
    starting,
    using,
)

MODULES = (properties, starting, using, files, preferences, images, pump, saving, operators, panels)


def register() -> None:
    for module in MODULES:
        module.register()


def unregister() -> None:
    for module in reversed(MODULES):
        module.unregister()
