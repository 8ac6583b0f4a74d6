"""A Principled material from whatever maps a texture of the library has; `nodes` lays it out."""

from pathlib import Path
from typing import Any

import bpy
from bpy.types import Image, Material, Object

from . import mapping, nodes, slots
from .library import Found
from .link import disk
from .materials import MissingFilesError, Options, way
from .using import chosen_depth
from .words import tr

TAG = "patina_library"  # the material's property that says which texture it is of


def files_of(found: Found, made: dict[str, Path]) -> dict[str, Path]:
    """The maps to build from: the texture's own, and for what it has not, those that the estimator made.

    Of a lone picture even the base colour is the estimator's: that has no light in it.
    """
    own = dict(found.files)
    if not made:
        return own
    estimated = {"normal" if role == "normal_gl" else role: path for role, path in made.items()}
    if set(own) == {"basecolor"}:
        return estimated
    return {**{role: estimated[role] for role in (*found.lacking, "ao") if role in estimated}, **own}


def apply(objects: list[Object], found: Found, made: dict[str, Path], inputs: Any) -> Material:
    """Put the texture on the objects, in place of their active material.

    Args:
        objects: one at least.
        found: the texture.
        made: maps that the estimator made, if any.
        inputs: tile size, mapping and so on, the scene's own.

    Raises:
        MissingFilesError: its base colour is gone.
    """
    material = build(found, made, inputs, mapping.choose(objects, inputs.mapping, inputs.tile_size))
    for item in objects:
        slots.put(item, material)
    return material


def build(found: Found, made: dict[str, Path], inputs: Any, layout: mapping.Mapping) -> Material:
    """The material alone; built again, it is the same one.

    Raises:
        MissingFilesError: its base colour is gone.
    """
    files, only_bump = _named(files_of(found, made))
    if "basecolor" not in files:
        raise MissingFilesError(
            tr("The file {file} is gone. Bring the library up to date", file=found.main.name)
        )
    images = {name: _load(files[name], data=data) for _, name, data in nodes.TEXTURES if name in files}
    material = _material(found)
    depth = chosen_depth(inputs.id_data.patina_using)
    asked = Options(
        inputs.tile_size, inputs.normal_strength, inputs.displacement, inputs.mapping, depth=depth
    )
    means = way(layout.box, asked)
    material["patina_span"] = inputs.tile_size * layout.scale[0]  # metres, see `tuning.tile_size`
    nodes.build(
        material,
        images,
        layout,
        found.relief() * inputs.tile_size if depth is None else depth,
        "BUMP" if only_bump and means == "REAL" else means,
        inputs.normal_strength,
        directx=found.directx and "normal" in found.files,
    )
    return material


def _named(files: dict[str, Path]) -> tuple[dict[str, Path], bool]:
    """The files that are there, by our names of maps, and whether the height is good for bump alone."""
    there = {role: path for role, path in files.items() if disk.has_file(path)}
    only_bump = "bump" in there and "height" not in there
    if "normal" in there:
        there["normal_gl"] = there.pop("normal")
    if only_bump:
        there["height"] = there.pop("bump")
    return there, only_bump


def _material(found: Found) -> Material:
    for material in bpy.data.materials:
        ours = material.library is None and material.get(TAG) == found.key
        if ours and not nodes.is_the_artists(material):
            return material
    material = bpy.data.materials.new(found.name.replace("_", " ").strip().capitalize()[:60] or "Texture")
    material[TAG] = found.key
    return material


def _load(path: Path, *, data: bool) -> Image:
    try:
        image = bpy.data.images.load(str(path), check_existing=True)
    except RuntimeError as error:
        raise MissingFilesError(tr("The file {file} cannot be read", file=path.name)) from error
    if image.colorspace_settings.is_data != data:
        image.colorspace_settings.is_data = data
    return image
