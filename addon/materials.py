"""A Principled material from a result's maps, laid out as Node Wrangler lays them out."""

from dataclasses import dataclass

import bpy
from bpy.types import Image, Material, Node, NodeTree, Object
from mathutils import Vector

from . import compat, mapping
from .session import Result

BSDF_AT = Vector((10, 300))
TAG = "patina_result"  # the material's property that says whose it is
BLEND = 0.25  # of neighbouring sides in box projection: hides the edges, blurs little
GLOW = 4.0  # emission strength: outshines the surface in daylight, too

TEXTURES = (  # from the top, as Node Wrangler has them: label, map, whether it is data
    ("Ambient Occlusion", "ao", True),
    ("Base Color", "basecolor", False),
    ("Metallic", "metallic", True),
    ("Roughness", "roughness", True),
    ("Displacement", "height", True),
    ("Normal", "normal_gl", True),
    (compat.emission_socket(), "emission", False),  # in results that glow
)


class MissingFilesError(Exception):
    """A map of the result is no longer where it was written."""


@dataclass(frozen=True)
class Options:
    """How the artist wants the material; see the properties of the same names."""

    tile_size: float
    normal_strength: float
    displacement: str
    mapping: str


def apply(objects: list[Object], result: Result, options: Options) -> Material:
    """Put the result's material on the objects, in place of their active one.

    Applied again, it is built anew in the same material, so that what else uses it follows.

    Raises:
        MissingFilesError: see there.
    """
    images = {name: _load(result, name, data=data) for _, name, data in TEXTURES if name in result.files}
    material = _material(result)
    layout = mapping.choose(objects, options.mapping, options.tile_size)
    _build(material, images, layout, result.relief * options.tile_size, options)
    for item in objects:
        item.active_material = material
    return material


def accepts(item: Object | None) -> bool:
    """Whether a material can be put on an object: it has slots, and it is no linked library's."""
    return (
        item is not None
        and item.library is None
        and item.data is not None
        and item.data.library is None
        and hasattr(item.data, "materials")
    )


def _load(result: Result, name: str, *, data: bool) -> Image:
    path = result.files[name]
    if not path.is_file():
        raise MissingFilesError(f"The file {path.name} of this variation is gone. Generate it again")
    image = bpy.data.images.load(str(path), check_existing=True)
    # Before anything reads the pixels. is_data and not a name: those depend on the colour configuration.
    if image.colorspace_settings.is_data != data:
        image.colorspace_settings.is_data = data
    return image


def _material(result: Result) -> Material:
    for material in bpy.data.materials:
        if material.library is None and material.get(TAG) == result.key:
            return material
    name = f"{result.prompt[:40].strip().capitalize()} {result.rank}"
    material = bpy.data.materials.new(name)
    material[TAG] = result.key
    return material


def _build(
    material: Material, images: dict[str, Image], layout: mapping.Mapping, depth: float, options: Options
) -> None:
    """Depth: metres from the lowest to the highest point."""
    compat.use_nodes(material)
    tree = material.node_tree
    tree.nodes.clear()
    bsdf = _node(tree, "ShaderNodeBsdfPrincipled", BSDF_AT)
    output = _node(tree, "ShaderNodeOutputMaterial", BSDF_AT + Vector((290, 0)))
    _link(tree, bsdf, "BSDF", output, "Surface")

    textures = {}
    wanted = [(label, name) for label, name, _ in TEXTURES if name in images]
    for row, (label, name) in enumerate(wanted):
        node = _node(tree, "ShaderNodeTexImage", BSDF_AT + Vector((-550, 200 - 280 * row)), label)
        node.image = images[name]
        node.extension = "REPEAT"
        node.interpolation = "Linear"
        if layout.box:
            node.projection, node.projection_blend = "BOX", BLEND
        textures[name] = node
    for name, socket in (("basecolor", "Base Color"), ("metallic", "Metallic"), ("roughness", "Roughness")):
        _link(tree, textures[name], "Color", bsdf, socket)
    if "emission" in textures:
        _link(tree, textures["emission"], "Color", bsdf, compat.emission_socket())
        bsdf.inputs["Emission Strength"].default_value = GLOW  # 1 by default up to 3.6, 0 from 4.0 on

    # One of the three makes the relief; two would make it twice. What is not linked stays at hand.
    normal = _normal_map(tree, textures["normal_gl"], options.normal_strength)
    displacement = _displacement(tree, textures["height"], depth)
    method = "BUMP"
    if options.displacement == "REAL":
        _link(tree, displacement, "Displacement", output, "Displacement")
        method = "BOTH"  # what the mesh is too coarse for becomes bump
    elif options.displacement == "BUMP" or layout.box:
        # A normal map needs the directions of a UV map; box projection has none.
        bump = _bump(tree, textures["height"], depth * options.normal_strength)
        _link(tree, bump, "Normal", bsdf, "Normal")
    else:
        _link(tree, normal, "Normal", bsdf, "Normal")
    compat.set_displacement_method(material, method)
    _map(tree, list(textures.values()), layout)
    tree.nodes.active = textures["basecolor"]  # what Solid shading and Texture Paint show
    bsdf.select = False


def _normal_map(tree: NodeTree, texture: Node, strength: float) -> Node:
    node = _node(tree, "ShaderNodeNormalMap", texture.location + Vector((300, 0)))
    node.space = "TANGENT"
    node.inputs["Strength"].default_value = strength
    _link(tree, texture, "Color", node, "Color")
    return node


def _bump(tree: NodeTree, texture: Node, distance: float) -> Node:
    node = _node(tree, "ShaderNodeBump", texture.location + Vector((300, 0)))
    node.inputs["Strength"].default_value = 1.0
    node.inputs["Distance"].default_value = distance  # 1 by default up to 4.4, 0.001 from 4.5 on
    _link(tree, texture, "Color", node, "Height")
    return node


def _displacement(tree: NodeTree, texture: Node, scale: float) -> Node:
    node = _node(tree, "ShaderNodeDisplacement", BSDF_AT + Vector((100, -700)))
    node.space = "WORLD"  # metres, whatever the scale of the object
    node.inputs["Midlevel"].default_value = 0.5
    node.inputs["Scale"].default_value = scale  # 1 by default up to 4.4, 0.01 from 4.5 on
    _link(tree, texture, "Color", node, "Height")
    return node


def _map(tree: NodeTree, textures: list[Node], layout: mapping.Mapping) -> None:
    """Texture Coordinate → Mapping → all textures, and the two frames around them."""
    place = _node(tree, "ShaderNodeMapping", BSDF_AT + Vector((-1050, 0)))
    place.inputs["Scale"].default_value = layout.scale
    source = _node(tree, "ShaderNodeTexCoord", place.location + Vector((-200, 0)))
    _link(tree, source, layout.source, place, "Vector")
    middle = sum(node.location.y for node in textures) / len(textures)
    reroute = _node(tree, "NodeReroute", Vector((textures[0].location.x - 50, middle - 120)))
    tree.links.new(place.outputs["Vector"], reroute.inputs[0])
    for node in textures:
        tree.links.new(reroute.outputs[0], node.inputs["Vector"])
    for label, members in (("Mapping", [place, source]), ("Textures", [*textures, reroute])):
        frame = tree.nodes.new("NodeFrame")
        frame.label = label
        for node in members:
            node.parent = frame


def _node(tree: NodeTree, kind: str, location: Vector, label: str = "") -> Node:
    node = tree.nodes.new(kind)
    node.location = location
    node.label = label
    node.select = False
    return node


def _link(tree: NodeTree, source: Node, output: str, target: Node, socket: str) -> None:
    tree.links.new(source.outputs[output], target.inputs[socket])
