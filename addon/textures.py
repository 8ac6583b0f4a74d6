"""The image files behind a material: found from the .blend, packed into it, or copied beside it."""

import os
import shutil
from pathlib import Path

import bpy
from bpy.types import Image, Material

from .link import disk

FOLDER = "textures"  # beside the .blend


def of(material: Material) -> list[Image]:
    """The images of a material's own nodes, each once; those of a linked library are not ours to change."""
    nodes = material.node_tree.nodes if material.node_tree is not None else ()
    images = dict.fromkeys(node.image for node in nodes if node.type == "TEX_IMAGE" and node.image)
    return [image for image in images if image.library is None]


def make_relative(image: Image) -> None:
    """Write the path as seen from the .blend, where that is saved; the first save does it for all others."""
    if bpy.data.filepath and image.source == "FILE" and not image.filepath.startswith("//"):
        try:
            relative = bpy.path.relpath(image.filepath)
        except ValueError:  # on another drive of Windows there is no way from here to there
            return
        image.filepath_raw = relative  # not filepath: the file would be read again, over what was painted


def missing(images: list[Image]) -> list[str]:
    """Names of the files that are neither in the .blend nor where it looks for them."""
    return [path_of(image).name for image in images if _has_file(image) and not disk.has_file(path_of(image))]


def _has_file(image: Image) -> bool:
    """Whether a file holds what the image shows: it is not packed, painted on, or made in Blender."""
    return not (image.packed_file or image.is_dirty or image.source == "GENERATED")


def path_of(image: Image) -> Path:
    """Where the image's file is."""
    return Path(bpy.path.abspath(image.filepath, library=image.library))


def _is_drawn(image: Image) -> bool:
    """Whether Blender draws it anew whenever it is needed, as a blank image: it has no pixels to keep."""
    return image.source == "GENERATED" and not image.is_dirty


def place(path: Path) -> str:
    """Names a file: however two paths to it are written, through links or "..", they give the same."""
    return os.path.normcase(os.path.realpath(path))


def in_use() -> set[str]:
    """Places of the files that images of this .blend show, those of its linked libraries included."""
    return {place(path_of(image)) for image in bpy.data.images if image.filepath}


def pack(images: list[Image]) -> int:
    """Put the files into the .blend. Returns how many were not there yet."""
    loose = [image for image in images if not image.packed_file and not _is_drawn(image)]
    for image in loose:
        image.pack()
    return len(loose)


def copy_beside(images: list[Image]) -> int:
    """Copy the files to textures/ beside the .blend, and have the images look there. Returns how many.

    A file of the same name and other content is another texture: the copy gets a number. Of an image that was
    painted on, what it shows is written.

    Raises:
        OSError: the folder cannot be written to, or a file is gone.
    """
    folder = Path(bpy.data.filepath).parent / FOLDER
    folder.mkdir(exist_ok=True)
    count = 0
    for image in images:
        if _is_drawn(image):
            continue
        source = path_of(image)
        if not image.packed_file and not _has_file(image):
            image.pack()  # into memory, as PNG
        if image.packed_file:
            content = bytes(image.packed_file.data)
        elif source.parent == folder:
            continue
        else:
            content = source.read_bytes()
        target = _free(folder, source.name or f"{bpy.path.clean_name(image.name)}.png", content)
        if not disk.has_file(target):
            _write(target, content)
        if image.packed_file:
            image.filepath_raw = str(target)
            image.unpack(method="REMOVE")
        image.filepath = bpy.path.relpath(str(target))
        count += 1
    return count


def _free(folder: Path, name: str, content: bytes) -> Path:
    path, number = folder / name, 1
    while disk.has_file(path) and path.read_bytes() != content:
        path = folder / f"{Path(name).stem}_{number}{Path(name).suffix}"
        number += 1
    return path


def _write(path: Path, content: bytes) -> None:
    unfinished = path.with_name(f".{path.name}.part")
    unfinished.write_bytes(content)
    shutil.move(unfinished, path)
