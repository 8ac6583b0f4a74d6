"""The sidebar's tab. Panels draw what properties hold; they read no file and ask no process."""

import bpy

from . import details, files, main, start, using

CLASSES = (*main.CLASSES, *using.CLASSES, *start.CLASSES, *files.CLASSES, *details.CLASSES)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
