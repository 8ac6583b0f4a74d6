"""Pictures that the next run comes near to, besides words. Stored with the scene."""

from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, CollectionProperty, FloatProperty, PointerProperty, StringProperty
from bpy.types import PropertyGroup, Scene

MOST = 8  # picture prompts, as the engine has it


class PatinaPicture(PropertyGroup):
    """A picture to come near to."""

    path: StringProperty(name="Picture", description="The picture to come near to", subtype="FILE_PATH")
    weight: FloatProperty(
        name="Weight",
        description="How strongly to come near to the picture; below 0, how strongly to keep away from it",
        default=1.0,
        min=-10,
        max=10,
        soft_min=-2,
        soft_max=2,
    )
    aligned: BoolProperty(
        name="Same Places",
        description="Also have things where the picture has them, and not only look alike",
        default=False,
    )


class PatinaSources(PropertyGroup):
    """Pictures that go with the prompt."""

    pictures: CollectionProperty(
        name="Pictures", description="Pictures that the next run comes near to", type=PatinaPicture
    )


def run_settings(scene: Scene) -> dict[str, Any]:
    """What pictures add to the parameters of a `generate` request: nothing where there are none."""
    pictures = [
        {"path": absolute(item.path), "weight": round(item.weight, 6), "aligned": item.aligned}
        for item in scene.patina_sources.pictures
        if item.path
    ]
    return {"pictures": pictures} if pictures else {}


def take(scene: Scene, made: dict[str, Any]) -> None:
    """Come near to the pictures that a result came near to, and to no others.

    Args:
        scene: to set up.
        made: the settings of the result.
    """
    pictures = scene.patina_sources.pictures
    pictures.clear()
    for told in made.get("pictures") or ():
        item = pictures.add()
        item.path, item.weight = str(told["path"]), float(told.get("weight", 1.0))
        item.aligned = bool(told.get("aligned", True))


def absolute(path: str) -> str:
    """A path as the engine wants it; Blender writes "//" for the folder of the file."""
    return str(Path(bpy.path.abspath(path)).absolute())


CLASSES = (PatinaPicture, PatinaSources)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Scene.patina_sources = PointerProperty(type=PatinaSources)


def unregister() -> None:
    del bpy.types.Scene.patina_sources
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
