"""Patina materials as assets: catalogue, tags, description, thumbnail."""

import contextlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

import bpy
from bpy.types import Material

from . import catalogs, compat, presets, textures, thumbnail
from .nodes import find

FACET = "material"  # of the tag that names the catalogue where no preset does


@dataclass(frozen=True)
class Credits:
    """Who made it, and under what licence; empty where the artist has not said."""

    author: str = ""
    licence: str = ""


def mark(material: Material, library: Path, credit: Credits, shown: str) -> str:
    """Make a material an asset. Returns the path of its catalogue.

    Args:
        library: the folder whose catalogue file is written: the library's, or that of the .blend.
        shown: "RENDER", or "PICTURE": the base colour.

    Raises:
        OSError, catalogs.UnknownVersionError: the catalogue cannot be written.
    """
    path = catalogs.path_of(group(material))
    catalog = catalogs.ensure(library, path)
    material.asset_mark()
    data = material.asset_data
    data.catalog_id = catalog
    data.author = credit.author
    data.description = material.get("patina_prompt", "")
    compat.set_licence(data, credit.licence)
    for label in ("Patina", *(label for _, label in _tags(material))):
        data.tags.new(label, skip_if_exists=True)
    show_base_colour(material)  # at once, and for good where nothing is rendered
    if shown == "RENDER":
        render_thumbnail(material)
    return path


def render_thumbnail(material: Material) -> None:
    """Show the material on a ball. Blender's own preview comes some time soon, and without a window never."""
    if not bpy.app.background:
        material.asset_generate_preview()
        return
    with contextlib.suppress(RuntimeError):  # no Cycles in this Blender: the thumbnail stays as it is
        thumbnail.render(material)


def group(material: Material) -> str:
    """What kind of surface it is: its preset's group, else what the engine takes it for."""
    name = material.get("patina_preset", "")
    preset = presets.load_all().get(name)
    if preset is not None and name != presets.DEFAULT:
        return (preset.group or preset.label).replace("_", " ").title()
    return next((label.title() for facet, label in _tags(material) if facet == FACET), catalogs.OTHER)


def show_base_colour(material: Material) -> None:
    """Take the base colour as the material's thumbnail, if there is one."""
    image = find(material.node_tree, "basecolor").image
    if image is None:
        return
    path = textures.path_of(image)
    with tempfile.TemporaryDirectory() as place:
        if image.packed_file:
            path = Path(place) / "basecolor.png"
            path.write_bytes(bytes(image.packed_file.data))
        thumbnail.take(material, path)


def library_of(blend: Path) -> Path:
    """The asset library that a .blend is in; its own folder where it is in none."""
    for library in bpy.context.preferences.filepaths.asset_libraries:
        root = Path(bpy.path.abspath(library.path))
        if library.path and root in blend.parents:
            return root
    return blend.parent


def _tags(material: Material) -> list[tuple[str, str]]:
    lines = material.get("patina_tags", "").splitlines()
    return [(facet, label) for facet, _, label in (line.partition(":") for line in lines)]
