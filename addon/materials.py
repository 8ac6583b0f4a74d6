"""A Principled material from a result's maps, laid out as Node Wrangler lays them out.

Our nodes are known by their names. Building again finds them, sets what the result and the options say, and
leaves where they lie, what the artist linked otherwise, and every node of the artist's own as they are.
"""

from dataclasses import dataclass

import bpy
from bpy.types import Image, Material, Node, NodeSocket, NodeTree, Object
from mathutils import Vector

from . import compat, mapping, slots, textures
from .session import Result
from .words import tr

BSDF_AT = Vector((10, 300))
TAG = "patina_result"  # the material's property that says whose it is
OURS = "Patina "  # what the names of our nodes begin with
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
    ("Alpha", "alpha", True),  # in decals
)


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
    depth = result.relief * options.tile_size if options.depth is None else options.depth
    _build(material, images, layout, depth, options)
    _describe(material, result)
    return material


def replace(material: Material, result: Result, tile_size: float) -> None:
    """Put the result's maps in the place of a Patina material's own; everything else of it stays.

    Args:
        material: one for which `is_ours` holds.
        result: whose maps it gets.
        tile_size: metres, of the material as it is.

    Raises:
        MissingFilesError: see there.
    """
    images = _images(result)
    tree = material.node_tree
    for label, name, _ in TEXTURES:
        node = find(tree, name)
        if node is not None and name in images:
            node.image = images[name]
        elif node is not None:
            _drop(tree, node)
        elif name in images:
            _add_texture(tree, label, name, images)
    _some(material)
    depth = result.relief * tile_size
    if displacement := find(tree, "Displacement"):
        displacement.inputs["Scale"].default_value = depth
    if bump := find(tree, "Bump"):
        bump.inputs["Distance"].default_value = depth * material.get("patina_strength", 1.0)
    if material.name.startswith(material.get("patina_name", "\0")):  # the artist has not named it
        material.name = title(result)
    _describe(material, result)


def is_ours(material: Material | None) -> bool:
    """Whether a material is one of Patina's, with its nodes still in it."""
    return (
        material is not None
        and TAG in material
        and material.node_tree is not None
        and find(material.node_tree, "basecolor") is not None
    )


def find(tree: NodeTree, role: str) -> Node | None:
    """Our node for a role: a map's name, "Mapping", "Normal Map", "Bump", "Displacement", "Principled"."""
    return tree.nodes.get(OURS + role)


def title(result: Result) -> str:
    """What a material is called until the artist calls it otherwise."""
    return f"{result.prompt[:40].strip().capitalize()} {result.rank}"


def _images(result: Result) -> dict[str, Image]:
    return {name: _load(result, name, data=data) for _, name, data in TEXTURES if name in result.files}


def _load(result: Result, name: str, *, data: bool) -> Image:
    path = result.files[name]
    if not path.is_file():
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
        if material.library is None and material.get(TAG) == result.key:
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


def _build(
    material: Material, images: dict[str, Image], layout: mapping.Mapping, depth: float, options: Options
) -> None:
    """Depth: metres from the lowest to the highest point."""
    if TAG not in material or find(material.node_tree, "Principled") is None:
        compat.use_nodes(material)
        material.node_tree.nodes.clear()  # of what a new material begins with
    tree = material.node_tree
    bsdf = _node(tree, "Principled", "ShaderNodeBsdfPrincipled", BSDF_AT)
    output = _node(tree, "Output", "ShaderNodeOutputMaterial", BSDF_AT + Vector((290, 0)))
    _feed(bsdf.outputs["BSDF"], output.inputs["Surface"])

    place = _place(tree, layout, options.rotation)
    for label, name, _ in TEXTURES:
        if name in images:
            node = find(tree, name) or _add_texture(tree, label, name, images)
            node.image = images[name]
            node.projection = "BOX" if layout.box else "FLAT"
            node.projection_blend = BLEND if layout.box else 0.0
            _feed(place, node.inputs["Vector"])
        elif (node := find(tree, name)) is not None:
            _drop(tree, node)
    for name, socket in (("basecolor", "Base Color"), ("metallic", "Metallic"), ("roughness", "Roughness")):
        _feed(find(tree, name).outputs["Color"], bsdf.inputs[socket])
    _some(material)
    relief_by(material, way(layout.box, options), depth, options.normal_strength)
    _frame(tree)
    tree.nodes.active = find(tree, "basecolor")  # what Solid shading and Texture Paint show
    bsdf.select = False


def way(box: bool, options: Options) -> str:
    """What can make the relief, given what was asked for: "NORMAL", "BUMP" or "REAL".

    A normal map needs the directions of a UV map, unturned: box projection has none, and a rotation of the
    texture would turn the pattern and not its light.
    """
    if options.displacement == "OFF":
        return "BUMP" if box or options.rotation else "NORMAL"
    return options.displacement


def relief_by(material: Material, means: str, depth: float, strength: float) -> None:
    """Let one thing make the relief; two would make it twice. What is not linked stays at hand.

    Args:
        material: one with our nodes.
        means: see `way`.
        depth: metres from the lowest to the highest point.
        strength: of the normal map; of bump, times the depth.
    """
    tree = material.node_tree
    bsdf, output, height = find(tree, "Principled"), find(tree, "Output"), find(tree, "height")
    material["patina_strength"] = strength
    normal = _normal_map(tree, find(tree, "normal_gl"), strength)
    displacement = _displacement(tree, height, depth)
    bump = _bump(tree, height, depth * strength) if means == "BUMP" else find(tree, "Bump")
    if means == "REAL":
        _cut(bsdf.inputs["Normal"])
        _feed(displacement.outputs["Displacement"], output.inputs["Displacement"])
    else:
        _cut(output.inputs["Displacement"])
        _feed((bump if means == "BUMP" else normal).outputs["Normal"], bsdf.inputs["Normal"])
    if means != "BUMP" and bump is not None and not bump.outputs["Normal"].links:
        tree.nodes.remove(bump)
    # BOTH: what the mesh is too coarse for becomes bump.
    compat.set_displacement_method(material, "BOTH" if means == "REAL" else "BUMP")


def _add_texture(tree: NodeTree, label: str, name: str, images: dict[str, Image]) -> Node:
    """In its row of the column, set up as the others are."""
    wanted = [other for _, other, _ in TEXTURES if other in images]
    at = BSDF_AT + Vector((-550, 200 - 280 * wanted.index(name)))
    node = _node(tree, name, "ShaderNodeTexImage", at, label)
    node.image = images[name]
    node.extension = "REPEAT"
    node.interpolation = "Linear"
    like = find(tree, "basecolor")
    if like is not None:
        node.projection, node.projection_blend = like.projection, like.projection_blend
    if (place := find(tree, "Reroute")) is not None:
        _feed(place.outputs[0], node.inputs["Vector"])
    return node


def _some(material: Material) -> None:
    """What only some results have: light of their own, an outline."""
    tree = material.node_tree
    bsdf, light, outline = (find(tree, role) for role in ("Principled", "emission", "alpha"))
    if bsdf is not None and light is not None:
        _glow(bsdf, light)
    if bsdf is not None and outline is not None:
        _feed(outline.outputs["Color"], bsdf.inputs["Alpha"])
        compat.cut_out(material)


def _glow(bsdf: Node, texture: Node) -> None:
    colour = bsdf.inputs[compat.emission_socket()]
    if not colour.links:
        bsdf.inputs["Emission Strength"].default_value = GLOW  # 1 by default up to 3.6, 0 from 4.0 on
    _feed(texture.outputs["Color"], colour)


def _drop(tree: NodeTree, texture: Node) -> None:
    """Take away a texture that the result has none for. Without it, the light would be plain white."""
    bsdf = find(tree, "Principled")
    lit = bsdf is not None and texture == find(tree, "emission")
    if lit and any(link.to_node == bsdf for link in texture.outputs["Color"].links):
        bsdf.inputs["Emission Strength"].default_value = 0.0
    tree.nodes.remove(texture)


def _normal_map(tree: NodeTree, texture: Node, strength: float) -> Node:
    node = _node(tree, "Normal Map", "ShaderNodeNormalMap", texture.location + Vector((300, 0)))
    node.space = "TANGENT"
    node.inputs["Strength"].default_value = strength
    _feed(texture.outputs["Color"], node.inputs["Color"])
    return node


def _bump(tree: NodeTree, texture: Node, distance: float) -> Node:
    node = _node(tree, "Bump", "ShaderNodeBump", texture.location + Vector((300, 0)))
    node.inputs["Strength"].default_value = 1.0
    node.inputs["Distance"].default_value = distance  # 1 by default up to 4.4, 0.001 from 4.5 on
    _feed(texture.outputs["Color"], node.inputs["Height"])
    return node


def _displacement(tree: NodeTree, texture: Node, scale: float) -> Node:
    node = _node(tree, "Displacement", "ShaderNodeDisplacement", BSDF_AT + Vector((100, -700)))
    node.space = "WORLD"  # metres, whatever the scale of the object
    node.inputs["Midlevel"].default_value = 0.5
    node.inputs["Scale"].default_value = scale  # 1 by default up to 4.4, 0.01 from 4.5 on
    _feed(texture.outputs["Color"], node.inputs["Height"])
    return node


def _place(tree: NodeTree, layout: mapping.Mapping, rotation: float) -> NodeSocket:
    """Texture Coordinate → Mapping → the point from which all textures get it."""
    node = _node(tree, "Mapping", "ShaderNodeMapping", BSDF_AT + Vector((-1050, 0)))
    node.inputs["Scale"].default_value = layout.scale
    node.inputs["Rotation"].default_value = (0.0, 0.0, rotation)
    source = _node(tree, "Coordinates", "ShaderNodeTexCoord", node.location + Vector((-200, 0)))
    _feed(source.outputs[layout.source], node.inputs["Vector"])
    reroute = _node(tree, "Reroute", "NodeReroute", BSDF_AT + Vector((-600, -620)))
    _feed(node.outputs["Vector"], reroute.inputs[0])
    return reroute.outputs[0]


def _frame(tree: NodeTree) -> None:
    """Two frames around what has none: the artist may have put our nodes into others."""
    maps = [name for _, name, _ in TEXTURES]
    for label, members in (("Mapping", ["Mapping", "Coordinates"]), ("Textures", [*maps, "Reroute"])):
        frame = tree.nodes.get(f"{OURS}{label} Frame")
        if frame is None:
            frame = tree.nodes.new("NodeFrame")
            frame.name, frame.label = f"{OURS}{label} Frame", label
        for node in filter(None, (find(tree, role) for role in members)):
            if node.parent is None:
                node.parent = frame


def _node(tree: NodeTree, role: str, kind: str, location: Vector, label: str = "") -> Node:
    """Our node for a role, where the artist has put it, or a new one."""
    node = find(tree, role)
    if node is None:
        node = tree.nodes.new(kind)
        node.name = OURS + role
        node.location = location
        node.label = label
        node.select = False
    return node


def _feed(source: NodeSocket, target: NodeSocket) -> None:
    """Link two sockets, unless the artist has put something of their own there."""
    if not target.links or target.links[0].from_node.name.startswith(OURS):
        target.id_data.links.new(source, target)


def _cut(socket: NodeSocket) -> None:
    """Take away our own link to a socket."""
    for link in socket.links:
        if link.from_node.name.startswith(OURS):
            socket.id_data.links.remove(link)
