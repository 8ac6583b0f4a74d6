"""What the next run begins from and comes near to, besides words: pictures. Stored with the scene."""

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

    image: StringProperty(
        name="Start From",
        description="A picture, or a result's JSON file, that the next run begins from",
        subtype="FILE_PATH",
    )
    strength: FloatProperty(
        name="Change",
        description="How far from the start: 0 not at all, 0.5 in tones, 1 in detail too",
        default=0.5,
        min=0,
        max=1,
        subtype="FACTOR",
    )
    pictures: CollectionProperty(
        name="Pictures", description="Pictures that the next run comes near to", type=PatinaPicture
    )


def run_settings(scene: Scene) -> dict[str, Any]:
    """What pictures add to the parameters of a `generate` request: nothing where there are none."""
    sources, settings = scene.patina_sources, {}
    if sources.image:
        settings = {
            "image": absolute(sources.image),
            "strength": round(sources.strength, 6),
            "start": "auto",  # any other would not begin from the picture
        }
    pictures = [
        {"path": absolute(item.path), "weight": round(item.weight, 6), "aligned": item.aligned}
        for item in sources.pictures
        if item.path
    ]
    return {**settings, "pictures": pictures} if pictures else settings


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
