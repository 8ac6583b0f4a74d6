"""Another variation in a material that is there: its textures change, its nodes stay."""

import bpy
from bpy.types import Material, Object

from . import materials
from .session import Result


def material_of(item: Object | None) -> Material | None:
    """The object's active material, if it is of Patina's making and can be changed."""
    material = item.active_material if item is not None else None
    if material is None or material.library is not None or material.node_tree is None:
        return None
    return material if materials.TAG in material else None


def swap(item: Object, result: Result, options: materials.Options) -> Material:
    """Show a variation in the object's material, on whatever has it. Returns the material.

    A variation with other maps, one that glows for instance, needs other nodes: it is applied instead.

    Raises:
        MissingFilesError: a map of the result is gone; the material stays as it is.
    """
    material = material_of(item)
    nodes = {node.label: node for node in material.node_tree.nodes if node.type == "TEX_IMAGE"}
    textures = {name: (nodes[label], data) for label, name, data in materials.TEXTURES if label in nodes}
    if set(textures) != set(result.files):
        return materials.apply([item], result, options)
    for path in result.files.values():
        if not path.is_file():
            raise materials.MissingFilesError(f"The file {path.name} of this variation is gone")
    for name, (node, data) in textures.items():
        image = bpy.data.images.load(str(result.files[name]), check_existing=True)
        if image.colorspace_settings.is_data != data:
            image.colorspace_settings.is_data = data
        node.image = image
    _deepen(material, result.relief * options.tile_size, options.normal_strength)
    material[materials.TAG] = result.key
    return material


def _deepen(material: Material, depth: float, strength: float) -> None:
    """Give the nodes that make the relief its depth in metres: every variation has its own."""
    for node in material.node_tree.nodes:
        if node.type == "DISPLACEMENT":
            node.inputs["Scale"].default_value = depth
        elif node.type == "BUMP":
            node.inputs["Distance"].default_value = depth * strength
