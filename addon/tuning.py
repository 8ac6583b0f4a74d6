"""Changing a Patina material after it was applied: what its nodes hold, in the artist's units."""

from bpy.types import Material

from . import materials, nodes
from .nodes import find


def active(item: object) -> Material | None:
    """The Patina material of an object that can be changed here; None where there is none."""
    material = getattr(item, "active_material", None)
    return material if materials.is_ours(material) and material.library is None else None


def users(material: Material) -> int:
    """How many objects and data have it; being kept as an asset is not counted."""
    return material.users - material.use_fake_user


def tile_size(material: Material) -> float:
    """Metres, along X, by the Mapping node's scale as it is now."""
    place = find(material.node_tree, "Mapping")
    scale = abs(place.inputs["Scale"].default_value[0]) if place is not None else 1.0
    return material.get("patina_span", 1.0) / max(scale, 1e-9)


def set_tile_size(material: Material, metres: float) -> None:
    """Make the pattern larger or smaller, and its relief with it."""
    tree, ratio = material.node_tree, metres / tile_size(material)
    place = find(tree, "Mapping")
    if place is None:
        return
    place.inputs["Scale"].default_value = tuple(side / ratio for side in place.inputs["Scale"].default_value)
    for role, socket in (("Displacement", "Scale"), ("Bump", "Distance")):
        if (node := find(tree, role)) is not None:
            node.inputs[socket].default_value *= ratio


def depth(material: Material) -> float:
    """Metres from the lowest to the highest point of the surface."""
    node = find(material.node_tree, "Displacement")
    return node.inputs["Scale"].default_value if node is not None else 0.0


def means(material: Material) -> str:
    """What makes the relief: "NORMAL", "BUMP", "REAL", or "" where the artist has wired it otherwise."""
    tree = material.node_tree
    for role, name in (("Displacement", "REAL"), ("Bump", "BUMP"), ("Normal Map", "NORMAL")):
        node = find(tree, role)
        if node is not None and node.outputs[0].links:
            return name
    return ""


def strength(material: Material) -> float:
    """Of the relief's light, as the nodes have it."""
    node, full = find(material.node_tree, "Bump"), depth(material)
    if node is not None and full:
        return node.inputs["Distance"].default_value / full
    node = find(material.node_tree, "Normal Map")
    return node.inputs["Strength"].default_value if node is not None else 1.0


def turned(material: Material) -> bool:
    """Whether the texture is turned against the UV map, which a normal map does not notice."""
    place = find(material.node_tree, "Mapping")
    return place is not None and abs(place.inputs["Rotation"].default_value[2]) > 1e-4


def boxed(material: Material) -> bool:
    """Whether the textures are projected from six sides."""
    return find(material.node_tree, "basecolor").projection == "BOX"


def set_means(material: Material, name: str) -> None:
    """Let something else make the relief, as deep and as strong as it is."""
    nodes.relief_by(material, name, depth(material), strength(material))
