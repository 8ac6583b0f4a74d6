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
    gallery,
    history_view,
    images,
    live_object,
    operators,
    packs,
    panels,
    preferences,
    prompts,
    properties,
    pump,
    queue_view,
    saving,
    setup,
    shelf,
    sources,
    starting,
    translations,
    using,
)

MODULES = (
    translations,
    properties,
    starting,
    using,
    files,
    sources,
    preferences,
    setup,
    packs,
    images,
    gallery,
    pump,
    queue_view,
    history_view,
    live_object,
    shelf,
    saving,
    prompts,
    operators,
    panels,
)


def register() -> None:
    for module in MODULES:
        module.register()
    pump.mirror()  # or panels would show what was when the add-on was last disabled


def unregister() -> None:
    for module in reversed(MODULES):
        module.unregister()
