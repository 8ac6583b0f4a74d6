"""The sidebar's tab. Panels draw what properties hold; they read no file and ask no process."""

import bpy

from . import details, files, gallery, history, library, main, prompts, start, using

CLASSES = (
    *prompts.CLASSES,
    *main.CLASSES,
    *using.CLASSES,
    *start.CLASSES,
    *files.CLASSES,
    *gallery.CLASSES,
    *history.CLASSES,
    *library.CLASSES,
    *details.CLASSES,
)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
