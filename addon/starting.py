"""What a run begins from: a picture and a mask, as Blender has them, and the files made of them.

The engine reads files. An image becomes a copy under a name made from its content: what is painted afterwards
changes no run that is still to come or to be made again.
"""

import array
import errno
import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

import bpy
from bpy.props import EnumProperty, FloatProperty, PointerProperty, StringProperty
from bpy.types import Image, Material, Object, PropertyGroup, Scene

from . import live_object, preferences, pump, sources
from .link import disk
from .remedies import RefusedError, setting
from .session import slug
from .words import mark, tr

try:
    import numpy as np
except ImportError:  # Debian's Blender has none
    np = None

MAX_PIXELS = 4096 * 4096  # that are taken from memory
SIGNATURES = {b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg"}  # files that the engine reads as Blender does
PNG_END = b"IEND\xaeB`\x82"
UNREADABLE = {
    "MOVIE": mark("{image} is a movie. Choose an image, or save one of its frames as PNG"),
    "SEQUENCE": mark("{image} is a sequence. Choose an image, or one file of it"),
    "TILED": mark("{image} has UDIM tiles. Choose an image with one tile"),
    "VIEWER": mark("{image} is only shown and not stored. Save it as PNG and choose that"),
}
NO_IMAGE = setting("scene.patina_start.source", "NONE", "Start Without an Image")
NO_MASK = setting("scene.patina_start.mask_source", "NONE", "Use No Mask")


class PatinaStart(PropertyGroup):
    """Stored with the scene. No property has a callback."""

    source: EnumProperty(
        name="Start From",
        description="What the picture is begun from",
        items=(
            ("NONE", "Words", "The prompt alone"),
            ("IMAGE", "Image", "An image of this file"),
            ("OBJECT", "Active Object", "The base colour of the active object's material as it is now"),
            (
                "FILE",
                "File",
                "A picture, or a result of Patina with all its maps, such as one of the library",
            ),
        ),
    )
    path: StringProperty(
        name="File", description="A picture, or a result's JSON file, to begin from", subtype="FILE_PATH"
    )
    image: PointerProperty(name="Image", description="The image to begin from", type=Image)
    strength: FloatProperty(
        name="Change",
        description="How far the result may go from the start image: 0 not at all, 1 in every detail",
        default=0.5,
        min=0,
        max=1,
        subtype="FACTOR",
    )
    mask_source: EnumProperty(
        name="Mask",
        description="What says which parts may change",
        items=(
            ("NONE", "None", "All of it may change"),
            ("IMAGE", "Image", "White may change, black is kept"),
            ("STENCIL", "Paint Stencil", "What the stencil mask of Texture Paint protects is kept"),
        ),
    )
    mask: PointerProperty(name="Mask Image", description="White may change, black is kept", type=Image)


def check(scene: Scene, item: Object | None) -> None:
    """See that image and mask can be had. Cheap enough for a panel's draw.

    Raises:
        RefusedError: they cannot.
    """
    _images(scene, item)


def settings(scene: Scene, item: Object | None) -> dict[str, Any]:
    """The settings `image`, `strength` and `mask` of a run, with the files written. Empty without any.

    Raises:
        RefusedError: a file cannot be made.
    """
    image, mask, inverted = _images(scene, item)
    if image is None:
        return {}
    folder = pump.session.inputs_folder(preferences.results_folder())
    begin = str(image if isinstance(image, Path) else export(image, folder))
    strength = round(scene.patina_start.strength, 6)
    found: dict[str, Any] = {"image": begin, "strength": strength, "start": "auto"}  # others leave it aside
    if mask is not None:
        found["mask"] = str(export(mask, folder, inverted=inverted))
    return found


def name_of(scene: Scene, item: Object | None) -> str:
    """What the next run begins from, for people; empty where that is words alone, or cannot be had."""
    try:
        image, _, _ = _images(scene, item)
    except RefusedError:
        return ""
    return image.name if image is not None else ""


def use(scene: Scene, path: str) -> None:
    """Have the next run begin from a file, and change all of it."""
    scene.patina_start.source, scene.patina_start.path = "FILE", path
    scene.patina_start.mask_source = "NONE"


def clear(scene: Scene) -> None:
    """Have the next run begin from words alone."""
    scene.patina_start.source = scene.patina_start.mask_source = "NONE"


def take(scene: Scene, made: dict[str, Any]) -> None:
    """Begin as a result did; its mask is none of the images here.

    Args:
        scene: to set up.
        made: the settings of the result.
    """
    clear(scene)
    if made.get("image"):
        use(scene, str(made["image"]))
        scene.patina_start.strength = float(made.get("strength", 0.5))


def base_colour(material: Material | None) -> Image | None:
    """The image that a material's base colour comes from, through whatever nodes are between."""
    tree = material.node_tree if material is not None else None
    bsdf = next((node for node in tree.nodes if node.type == "BSDF_PRINCIPLED"), None) if tree else None
    waiting, seen = [bsdf.inputs["Base Color"]] if bsdf is not None else [], set()
    while waiting:
        for link in waiting.pop(0).links:
            node = link.from_node
            if node.type == "TEX_IMAGE" and node.image is not None:
                return node.image
            if node.name not in seen:
                seen.add(node.name)
                waiting.extend(node.inputs)
    return None


def export(image: Image, folder: Path, *, inverted: bool = False) -> Path:
    """A file that holds what the image shows now. Written once for each content.

    Args:
        folder: made if it is missing.
        inverted: white where the image is black or transparent.

    Raises:
        RefusedError: it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        content = None if inverted else _stored(image)
        if content is None:
            content = _encoded(image, folder, inverted=inverted)
        suffix = next(end for start, end in SIGNATURES.items() if content.startswith(start))
        path = folder / f"{slug(image.name)}_{hashlib.sha256(content).hexdigest()[:12]}{suffix}"
        if not disk.has_file(path):
            unfinished = path.with_name(f".{path.name}.part")
            unfinished.write_bytes(content)
            unfinished.replace(path)
    except OSError as error:
        raise RefusedError(
            tr(
                "Cannot write {image} to {folder}: {reason}",
                image=image.name,
                folder=folder,
                reason=error.strerror,
            )
        ) from error
    return path


def _images(scene: Scene, item: Object | None) -> tuple[Image | Path | None, Image | None, bool]:
    """The start image or file, the mask, and whether its black is what may change."""
    start = scene.patina_start
    if start.source == "NONE":
        if start.mask_source != "NONE":
            raise RefusedError("A mask keeps parts of a start image. Choose that, too", NO_MASK)
        return None, None, False
    if start.source == "FILE":
        image = _file(start.path)
    else:
        image = start.image if start.source == "IMAGE" else _of_object(item)
        if image is None:
            raise RefusedError("Choose the image to start from", NO_IMAGE)
        _see(image, NO_IMAGE)
    if start.mask_source == "NONE":
        return image, None, False
    paint = scene.tool_settings.image_paint
    stencil = start.mask_source == "STENCIL"
    mask = paint.stencil_image if stencil else start.mask
    if mask is None:
        words = "Texture Paint has no stencil mask. Make one in its Masking panel" if stencil else ""
        raise RefusedError(words or "Choose the mask's image", NO_MASK)
    _see(mask, NO_MASK)
    return image, mask, stencil and not paint.invert_stencil  # Blender paints where the stencil is black


def _file(path: str) -> Path:
    if not path:
        raise RefusedError("Choose the file to start from", NO_IMAGE)
    found = Path(sources.absolute(path))
    if not disk.has_file(found):
        raise RefusedError(tr("The file {file} to start from is gone", file=found.name), NO_IMAGE)
    return found


def _of_object(item: Object | None) -> Image:
    image = base_colour(live_object.own_material(item))
    if image is None:
        name = item.name if item is not None else tr("No object")
        raise RefusedError(
            tr("{object} has no material with an image for its base color", object=name), NO_IMAGE
        )
    return image


def _see(image: Image, remedy: Any) -> None:
    if image.source in UNREADABLE:
        raise RefusedError(tr(UNREADABLE[image.source], image=image.name), remedy)
    width, height = image.size
    if not width or not height:
        raise RefusedError(
            tr("{image} has no pixels: its file is missing or is no image", image=image.name), remedy
        )
    if width * height > MAX_PIXELS:
        raise RefusedError(
            tr("{image} is larger than 4096 x 4096 pixels. Scale it down", image=image.name), remedy
        )


def _stored(image: Image) -> bytes | None:
    """The image's own file, packed or not, where it still is what the image shows and plain enough."""
    if image.is_dirty or image.is_float or image.source != "FILE":
        return None
    if image.packed_file:
        content = bytes(image.packed_file.data)
    else:
        path = Path(bpy.path.abspath(image.filepath, library=image.library))
        if not disk.has_file(path):  # gone since it was loaded
            return None
        content = path.read_bytes()
    return content if content.startswith(tuple(SIGNATURES)) else None


def _encoded(image: Image, folder: Path, *, inverted: bool) -> bytes:
    """A PNG of the pixels that Blender has in memory.

    Raises:
        OSError: there is no room for it. Blender's own saving says nothing of that.
    """
    pixels = array.array("f", bytes(4 * image.size[0] * image.size[1] * image.channels))
    image.pixels.foreach_get(pixels)
    linear = image.is_float and not image.colorspace_settings.is_data
    if linear or inverted or image.channels != 4:
        pixels = _converted(image, pixels, linear=linear, inverted=inverted)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        made = bpy.data.images.new("Patina start image", *image.size, alpha=True)
        try:
            made.pixels.foreach_set(pixels)
            made.filepath_raw, made.file_format = str(Path(place) / "image.png"), "PNG"
            made.save()
        finally:
            bpy.data.images.remove(made)
        content = (Path(place) / "image.png").read_bytes()
    if not content.endswith(PNG_END):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return content


def _converted(image: Image, pixels: array.array, *, linear: bool, inverted: bool) -> Any:
    """Opaque sRGB, four channels. What is transparent is black, or white where inverted."""
    if np is None:
        raise RefusedError(
            tr("This Blender cannot convert {image}, as it has no NumPy. Save it as PNG", image=image.name)
        )
    source = np.frombuffer(pixels, np.float32).reshape(-1, image.channels)
    rgba = np.ones((len(source), 4), np.float32)
    rgba[:, :3] = source[:, :3] if image.channels >= 3 else source[:, :1]
    if linear:  # IEC 61966-2-1
        light = np.clip(rgba[:, :3], 0, 1)
        rgba[:, :3] = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    if inverted:
        shown = rgba[:, :3].mean(axis=1)
        if image.channels == 4 and not image.is_float:  # colours of float images are dimmed by it already
            shown = shown * source[:, 3]
        rgba[:, :3] = (1 - shown)[:, None]
    return rgba.ravel()


def register() -> None:
    bpy.utils.register_class(PatinaStart)
    bpy.types.Scene.patina_start = PointerProperty(type=PatinaStart)


def unregister() -> None:
    del bpy.types.Scene.patina_start
    bpy.utils.unregister_class(PatinaStart)
