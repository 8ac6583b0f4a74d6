"""The nodes of Patina's materials, of results and of the library, laid out as Node Wrangler lays them out.

Our nodes are known by their names. Building again finds them, sets what is asked for, and leaves where they
lie, what the artist linked otherwise, and every node of the artist's own as they are.
"""

from bpy.types import Image, Material, Node, NodeSocket, NodeTree
from mathutils import Vector

from . import compat, mapping

BSDF_AT = Vector((10, 300))
OURS = "Patina "  # what the names of our nodes begin with
BLEND = 0.25  # of neighbouring sides in box projection: hides the edges, blurs little
FLIP = ("Normal Channels", "Normal Flip", "Normal Joined")  # turn DirectX's normal map, the last gives it
GLOW = 4.0  # emission strength: outshines the surface in daylight, too

TEXTURES = (  # from the top, as Node Wrangler has them: label, map, whether it is data
    ("Ambient Occlusion", "ao", True),
    ("Base Color", "basecolor", False),
    ("Metallic", "metallic", True),
    ("Specular", "specular", True),  # this, gloss and arm: of other people's textures
    ("Roughness", "roughness", True),
    ("Gloss", "gloss", True),
    ("Occlusion, Roughness, Metallic", "arm", True),
    ("Displacement", "height", True),
    ("Normal", "normal_gl", True),
    (compat.emission_socket(), "emission", False),  # in results that glow
    ("Alpha", "alpha", True),  # in decals
)


def build(
    material: Material,
    images: dict[str, Image],
    layout: mapping.Mapping,
    depth: float,
    means: str,
    strength: float,
    *,
    rotation: float = 0.0,
    directx: bool = False,
) -> None:
    """Give a material our nodes.

    Args:
        material: one of ours, or a new one.
        images: by map, as `TEXTURES` names them; "basecolor" at least.
        layout: how they lie on objects.
        depth: metres from the lowest to the highest point.
        means, strength: see `relief_by`.
        rotation: of the pattern, radians.
        directx: whether green points down in the normal map.
    """
    if not has_ours(material):
        compat.use_nodes(material)
        material.node_tree.nodes.clear()  # of what a new material begins with
    tree = material.node_tree
    bsdf = _node(tree, "Principled", "ShaderNodeBsdfPrincipled", BSDF_AT)
    output = _node(tree, "Output", "ShaderNodeOutputMaterial", BSDF_AT + Vector((290, 0)))
    _feed(bsdf.outputs["BSDF"], output.inputs["Surface"])

    place = _place(tree, layout, rotation)
    for label, name, _ in TEXTURES:
        if name in images:
            node = find(tree, name) or _add_texture(tree, label, name, images)
            node.image = images[name]
            node.projection = "BOX" if layout.box else "FLAT"
            node.projection_blend = BLEND if layout.box else 0.0
            _feed(place, node.inputs["Vector"])
        elif (node := find(tree, name)) is not None:
            _drop(tree, node)
    _drop_between(tree, directx=directx)
    _feed(find(tree, "basecolor").outputs["Color"], bsdf.inputs["Base Color"])
    for name, source in (("Roughness", _roughness(tree)), ("Metallic", _metallic(tree))):
        if source is not None:
            _feed(source, bsdf.inputs[name])
    _some(material)
    if directx and find(tree, "normal_gl") is not None:
        _flip_green(tree)
    relief_by(material, means, depth, strength)
    _frame(tree)
    tree.nodes.active = find(tree, "basecolor")  # what Solid shading and Texture Paint show
    bsdf.select = False


def has_ours(material: Material) -> bool:
    """Whether there are any nodes of ours in a material."""
    tree = material.node_tree
    return tree is not None and any(node.name.startswith(OURS) for node in tree.nodes)


def is_the_artists(material: Material) -> bool:
    """Whether there are nodes in a material, and none of them ours."""
    return material.node_tree is not None and len(material.node_tree.nodes) > 0 and not has_ours(material)


def find(tree: NodeTree, role: str) -> Node | None:
    """Our node for a role: a map's name, "Mapping", "Normal Map", "Bump", "Displacement", "Principled"."""
    return tree.nodes.get(OURS + role)


def exchange(material: Material, images: dict[str, Image]) -> None:
    """Put other images in the place of those of a material that was built; everything else of it stays."""
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


def relief_by(material: Material, means: str, depth: float, strength: float) -> None:
    """Let one thing make the relief; two would make it twice. What is not linked stays at hand.

    Where the map for it is missing, the other one makes what it can.

    Args:
        material: one with our nodes.
        means: "NORMAL", "BUMP" or "REAL".
        depth: metres from the lowest to the highest point.
        strength: of the normal map; of bump, times the depth.
    """
    tree = material.node_tree
    bsdf, output = find(tree, "Principled"), find(tree, "Output")
    lit = bsdf.inputs["Normal"] if bsdf is not None else None
    moved = output.inputs["Displacement"] if output is not None else None
    height, texture = find(tree, "height"), find(tree, "normal_gl")
    if height is None or (means == "NORMAL" and texture is None):
        means = "NORMAL" if height is None else "BUMP"
    material["patina_strength"] = strength
    normal = _normal_map(tree, texture, strength) if texture is not None else None
    displacement = _displacement(tree, height, depth) if height is not None else None
    bump = _bump(tree, height, depth * strength) if means == "BUMP" else find(tree, "Bump")
    if means == "REAL":
        _cut(lit)
        _feed(displacement.outputs["Displacement"], moved)
    else:
        _cut(moved)
        if (bent := bump if means == "BUMP" else normal) is not None:
            _feed(bent.outputs["Normal"], lit)
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


def _drop_between(tree: NodeTree, *, directx: bool) -> None:
    """Take away what stood between earlier textures and the shader and these ones have no use for."""
    there = {name for _, name, _ in TEXTURES if find(tree, name) is not None}
    wanted = {
        "Inverted Gloss": "gloss" in there and "roughness" not in there,
        "Channels": "arm" in there and ("metallic" not in there or not there & {"roughness", "gloss"}),
        **dict.fromkeys(FLIP, directx and "normal_gl" in there),
        "Normal Map": "normal_gl" in there,
        "Bump": "height" in there,
        "Displacement": "height" in there,
    }
    texture, turned = find(tree, "normal_gl"), find(tree, FLIP[-1])
    if texture is not None and turned is not None and not directx:
        for link in tuple(turned.outputs[0].links):  # to nodes of the artist's, too
            tree.links.new(texture.outputs["Color"], link.to_socket)
    for role, is_wanted in wanted.items():
        if not is_wanted and (node := find(tree, role)) is not None:
            tree.nodes.remove(node)


def _roughness(tree: NodeTree) -> NodeSocket | None:
    """Whichever way it comes: by itself, as gloss, or as the green of a packed texture."""
    if (texture := find(tree, "roughness")) is not None:
        return texture.outputs["Color"]
    if (gloss := find(tree, "gloss")) is not None:
        invert = _node(tree, "Inverted Gloss", "ShaderNodeInvert", gloss.location + Vector((300, 0)))
        _feed(gloss.outputs["Color"], invert.inputs["Color"])
        return invert.outputs["Color"]
    channels = _channels(tree)
    return channels.outputs[1] if channels is not None else None


def _metallic(tree: NodeTree) -> NodeSocket | None:
    """By itself, or as the blue of a packed texture."""
    if (texture := find(tree, "metallic")) is not None:
        return texture.outputs["Color"]
    channels = _channels(tree)
    return channels.outputs[2] if channels is not None else None


def _channels(tree: NodeTree) -> Node | None:
    packed = find(tree, "arm")
    if packed is None:
        return None
    node = _node(tree, "Channels", "ShaderNodeSeparateColor", packed.location + Vector((300, 0)))
    _feed(packed.outputs["Color"], node.inputs[0])
    return node


def _flip_green(tree: NodeTree) -> None:
    """Turn a normal map of DirectX, whose green points down, into one of OpenGL."""
    texture = find(tree, "normal_gl")
    at = texture.location
    channels, flipped, joined = FLIP
    parts = _node(tree, channels, "ShaderNodeSeparateColor", at + Vector((140, -40)))
    flip = _node(tree, flipped, "ShaderNodeMath", at + Vector((140, -190)))
    whole = _node(tree, joined, "ShaderNodeCombineColor", at + Vector((140, -340)))
    flip.operation = "SUBTRACT"
    flip.inputs[0].default_value = 1.0
    _feed(texture.outputs["Color"], parts.inputs[0])
    _feed(parts.outputs[1], flip.inputs[1])
    for channel, socket in enumerate((parts.outputs[0], flip.outputs[0], parts.outputs[2])):
        _feed(socket, whole.inputs[channel])


def _normal_map(tree: NodeTree, texture: Node, strength: float) -> Node:
    node = _node(tree, "Normal Map", "ShaderNodeNormalMap", texture.location + Vector((300, 0)))
    node.space = "TANGENT"
    node.inputs["Strength"].default_value = strength
    turned = find(tree, FLIP[-1])
    _feed((turned or texture).outputs[0], node.inputs["Color"])
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


def _feed(source: NodeSocket, target: NodeSocket | None) -> None:
    """Link two sockets, unless the artist has put something of their own there, or taken our node away."""
    if target is not None and (not target.links or target.links[0].from_node.name.startswith(OURS)):
        target.id_data.links.new(source, target)


def _cut(socket: NodeSocket | None) -> None:
    """Take away our own link to a socket, if it is there."""
    for link in socket.links if socket is not None else ():
        if link.from_node.name.startswith(OURS):
            socket.id_data.links.remove(link)
