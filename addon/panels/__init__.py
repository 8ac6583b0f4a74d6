"""The sidebar's tab. Panels draw what properties hold; they read no file and ask no process."""

import bpy

from . import details, files, gallery, history, library, main, prompts, start, using

CLASSES = (  # in the order of the sub-panels: what a run is made of, what becomes of it, what there is
    *prompts.CLASSES,
    *gallery.CLASSES,
    *main.CLASSES,
    details.PATINA_PT_settings,
    *start.CLASSES,
    *using.CLASSES,
    *files.CLASSES,
    *history.CLASSES,
    *library.CLASSES,
    details.PATINA_PT_engine,
)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
