"""What the artist can press. Each is one small thing; those that change the scene are one undo step."""

import bpy

from . import (
    compare,
    engine,
    files,
    history,
    install,
    library,
    live,
    material,
    models,
    presets,
    prompts,
    queue,
    results,
    run,
    starting,
)

CLASSES = (
    *run.CLASSES,
    *queue.CLASSES,
    *results.CLASSES,
    *compare.CLASSES,
    *history.CLASSES,
    *prompts.CLASSES,
    *starting.CLASSES,
    *presets.CLASSES,
    *live.CLASSES,
    *material.CLASSES,
    *files.CLASSES,
    *library.CLASSES,
    *engine.CLASSES,
    *install.CLASSES,
    *models.CLASSES,
)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
