"""A Principled material from a result's maps; `nodes` lays it out."""

from dataclasses import dataclass

import bpy
from bpy.types import Image, Material, Object

from . import mapping, nodes, slots, textures
from .link import disk
from .nodes import find
from .session import Result
from .words import tr

TAG = "patina_result"  # the material's property that says whose it is
NAME_BYTES = 55  # of a prompt in a name: Blender ends it at 63, with the rank and with a .001 to come


class MissingFilesError(Exception):
    """A map of the result is no longer where it was written."""


@dataclass(frozen=True)
class Options:
    """How the artist wants the material; see the properties of the same names.

    Attributes:
        depth: metres from the lowest to the highest point; None: as deep as the result is, at the tile size.
    """

    tile_size: float
    normal_strength: float
    displacement: str
    mapping: str
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    rotation: float = 0.0
    depth: float | None = None


def apply(objects: list[Object], result: Result, options: Options) -> Material:
    """Put the result's material on the objects, in place of their active one.

    Raises:
        MissingFilesError: see there.
    """
    material = make(objects, result, options)
    for item in objects:
        slots.put(item, material)
    return material


def make(objects: list[Object], result: Result, options: Options) -> Material:
    """The result's material, mapped for the objects. Made again, it is the same, set anew.

    Raises:
        MissingFilesError: see there.
    """
    images = _images(result)
    material = _material(result)
    layout = mapping.choose(objects, options.mapping, options.tile_size, options.scale)
    material["patina_span"] = options.tile_size * layout.scale[0]  # metres, see `tuning.tile_size`
    nodes.build(
        material,
        images,
        layout,
        result.relief * options.tile_size if options.depth is None else options.depth,
        way(layout.box, options),
        options.normal_strength,
        rotation=options.rotation,
    )
    material["patina_depth_chosen"] = options.depth is not None
    _describe(material, result)
    return material


def replace(material: Material, result: Result, tile_size: float) -> None:
    """Put the result's maps in the place of a Patina material's own; everything else of it stays.

    So does a relief that was chosen in metres; another one follows the result.

    Args:
        material: one for which `is_ours` holds.
        result: whose maps it gets.
        tile_size: metres, of the material as it is.

    Raises:
        MissingFilesError: see there.
    """
    images = _images(result)
    nodes.exchange(material, images)
    if not material.get("patina_depth_chosen"):
        _set_depth(material, result.relief * tile_size)
    if material.name.startswith(material.get("patina_name", "\0")):  # the artist has not named it
        material.name = title(result)
    _describe(material, result)


def _set_depth(material: Material, depth: float) -> None:
    """Metres, where bump and displacement take them."""
    if displacement := find(material.node_tree, "Displacement"):
        displacement.inputs["Scale"].default_value = depth
    if bump := find(material.node_tree, "Bump"):
        bump.inputs["Distance"].default_value = depth * material.get("patina_strength", 1.0)


def is_ours(material: Material | None) -> bool:
    """Whether a material is one of Patina's, with its nodes still in it."""
    return (
        material is not None
        and TAG in material
        and material.node_tree is not None
        and find(material.node_tree, "basecolor") is not None
    )


def title(result: Result) -> str:
    """What a material is called until the artist calls it otherwise."""
    words = result.prompt[:40].strip().capitalize().encode()[:NAME_BYTES].decode(errors="ignore")
    return f"{words.strip()} {result.rank}"


def _images(result: Result) -> dict[str, Image]:
    return {name: _load(result, name, data=data) for _, name, data in nodes.TEXTURES if name in result.files}


def _load(result: Result, name: str, *, data: bool) -> Image:
    path = result.files[name]
    if not disk.has_file(path):
        raise MissingFilesError(
            tr("The file {file} of this variation is gone. Generate it again", file=path.name)
        )
    image = bpy.data.images.load(str(path), check_existing=True)
    # Before anything reads the pixels. is_data and not a name: those depend on the colour configuration.
    if image.colorspace_settings.is_data != data:
        image.colorspace_settings.is_data = data
    written = str(path.stat().st_mtime_ns)
    if image.get("patina_written", written) != written and not (image.is_dirty or image.packed_file):
        image.reload()  # the run was cancelled, and has gone on since
    image["patina_written"] = written
    textures.make_relative(image)
    return image


def _material(result: Result) -> Material:
    for material in bpy.data.materials:
        ours = material.library is None and material.get(TAG) == result.key
        if ours and not nodes.is_the_artists(material):
            return material
    return bpy.data.materials.new(title(result))


def _describe(material: Material, result: Result) -> None:
    """Leave in the material what assets and later changes need to know of its result."""
    material[TAG] = result.key
    material["patina_name"] = title(result)
    material["patina_prompt"] = result.prompt
    material["patina_preset"] = result.preset
    material["patina_relief"] = result.relief
    material["patina_tags"] = "\n".join(f"{tag.facet}:{tag.label}" for tag in result.tags)


def way(box: bool, options: Options) -> str:
    """What can make the relief, given what was asked for: "NORMAL", "BUMP" or "REAL".

    A normal map needs the directions of a UV map, unturned: box projection has none, and a rotation of the
    texture would turn the pattern and not its light.
    """
    if options.displacement == "OFF":
        return "BUMP" if box or options.rotation else "NORMAL"
    return options.displacement
