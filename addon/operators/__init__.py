"""What the artist can press. Each is one small thing; those that change the scene are one undo step."""

import bpy

from . import engine, files, material, run

CLASSES = (*run.CLASSES, *material.CLASSES, *files.CLASSES, *engine.CLASSES)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
