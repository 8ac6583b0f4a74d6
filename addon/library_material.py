"""A Principled material from whatever maps a texture of the library has."""

from pathlib import Path
from typing import Any

import bpy
from bpy.types import Image, Material, Node, NodeTree, Object
from mathutils import Vector

from . import compat, mapping
from .library import Found
from .materials import BLEND, GLOW, MissingFilesError
from .words import tr

TAG = "patina_library"  # the material's property that says which texture it is of
BSDF_AT = Vector((10, 300))
COLOURS = ("basecolor", "emission")  # all other maps are data
LABELS = {
    "basecolor": "Base Color",
    "ao": "Ambient Occlusion",
    "metallic": "Metallic",
    "specular": "Specular",
    "roughness": "Roughness",
    "gloss": "Gloss",
    "arm": "Occlusion, Roughness, Metallic",
    "emission": "Emission",
    "alpha": "Alpha",
    "normal": "Normal",
    "height": "Displacement",
    "bump": "Bump",
}


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
        inputs: tile size, mapping and so on, as the scene has them.

    Raises:
        MissingFilesError: its base colour is gone.
    """
    material = build(found, made, inputs, mapping.choose(objects, inputs.mapping, inputs.tile_size))
    for item in objects:
        item.active_material = material
    return material


def build(found: Found, made: dict[str, Path], inputs: Any, layout: mapping.Mapping) -> Material:
    """The material alone; built again, it is the same one.

    Raises:
        MissingFilesError: its base colour is gone.
    """
    files = {role: path for role, path in files_of(found, made).items() if path.is_file() and role in LABELS}
    if "basecolor" not in files:
        raise MissingFilesError(
            tr("The file {file} is gone. Bring the library up to date", file=found.main.name)
        )
    images = {role: _load(path, data=role not in COLOURS) for role, path in files.items()}
    material = _material(found)
    depth = found.relief() * inputs.tile_size
    _Builder(material, images, layout, directx=found.directx and "normal" in found.files).build(inputs, depth)
    return material


def _material(found: Found) -> Material:
    for material in bpy.data.materials:
        if material.library is None and material.get(TAG) == found.key:
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


class _Builder:
    """Lays out one material's nodes as Node Wrangler does."""

    def __init__(
        self, material: Material, images: dict[str, Image], layout: mapping.Mapping, *, directx: bool
    ) -> None:
        compat.use_nodes(material)
        self._material, self._layout, self._directx = material, layout, directx
        self._tree: NodeTree = material.node_tree
        self._tree.nodes.clear()
        self._bsdf = self._node("ShaderNodeBsdfPrincipled", BSDF_AT)
        self._output = self._node("ShaderNodeOutputMaterial", BSDF_AT + Vector((290, 0)))
        self._link(self._bsdf.outputs["BSDF"], self._output.inputs["Surface"])
        self._textures = {
            role: self._texture(role, images[role], row)
            for row, role in enumerate(role for role in LABELS if role in images)
        }

    def build(self, inputs: Any, depth: float) -> None:
        """Depth: metres from the lowest to the highest point."""
        self._colours()
        self._channels()
        self._relief(inputs, depth)
        self._place()
        self._tree.nodes.active = self._textures["basecolor"]  # what Solid shading shows
        self._bsdf.select = False

    def _colours(self) -> None:
        self._link(self._colour("basecolor"), self._bsdf.inputs["Base Color"])
        if "emission" in self._textures:
            self._link(self._colour("emission"), self._bsdf.inputs[compat.emission_socket()])
            self._bsdf.inputs["Emission Strength"].default_value = GLOW
        if "alpha" in self._textures:
            self._link(self._colour("alpha"), self._bsdf.inputs["Alpha"])
            compat.cut_out(self._material)

    def _channels(self) -> None:
        """Roughness and metal, whichever way they come."""
        packed = None
        if "arm" in self._textures:
            packed = self._node("ShaderNodeSeparateColor", self._textures["arm"].location + Vector((300, 0)))
            self._link(self._colour("arm"), packed.inputs[0])
        if "roughness" in self._textures:
            self._link(self._colour("roughness"), self._bsdf.inputs["Roughness"])
        elif "gloss" in self._textures:
            invert = self._node("ShaderNodeInvert", self._textures["gloss"].location + Vector((300, 0)))
            self._link(self._colour("gloss"), invert.inputs["Color"])
            self._link(invert.outputs["Color"], self._bsdf.inputs["Roughness"])
        elif packed is not None:
            self._link(packed.outputs[1], self._bsdf.inputs["Roughness"])
        if "metallic" in self._textures:
            self._link(self._colour("metallic"), self._bsdf.inputs["Metallic"])
        elif packed is not None:
            self._link(packed.outputs[2], self._bsdf.inputs["Metallic"])

    def _relief(self, inputs: Any, depth: float) -> None:
        """One of normal, bump and displacement; two would make the relief twice."""
        height = next((role for role in ("height", "bump") if role in self._textures), None)
        method = "BUMP"
        if inputs.displacement == "REAL" and "height" in self._textures:
            node = self._node("ShaderNodeDisplacement", BSDF_AT + Vector((100, -700)))
            node.space = "WORLD"  # metres, whatever the scale of the object
            node.inputs["Midlevel"].default_value = 0.5
            node.inputs["Scale"].default_value = depth
            self._link(self._colour("height"), node.inputs["Height"])
            self._link(node.outputs["Displacement"], self._output.inputs["Displacement"])
            method = "BOTH"
        elif "normal" in self._textures and (
            height is None or not (inputs.displacement == "BUMP" or self._layout.box)
        ):
            self._normal_map(inputs.normal_strength)
        elif height is not None:
            node = self._node("ShaderNodeBump", self._textures[height].location + Vector((300, 0)))
            node.inputs["Strength"].default_value = 1.0
            node.inputs["Distance"].default_value = depth * inputs.normal_strength
            self._link(self._colour(height), node.inputs["Height"])
            self._link(node.outputs["Normal"], self._bsdf.inputs["Normal"])
        compat.set_displacement_method(self._material, method)

    def _normal_map(self, strength: float) -> None:
        at = self._textures["normal"].location
        colour = self._colour("normal")
        if self._directx:  # its green points down
            parts = self._node("ShaderNodeSeparateColor", at + Vector((270, 0)))
            flip = self._node("ShaderNodeMath", at + Vector((270, -150)))
            whole = self._node("ShaderNodeCombineColor", at + Vector((270, -300)))
            flip.operation = "SUBTRACT"
            flip.inputs[0].default_value = 1.0
            self._link(colour, parts.inputs[0])
            self._link(parts.outputs[1], flip.inputs[1])
            for channel, socket in enumerate((parts.outputs[0], flip.outputs[0], parts.outputs[2])):
                self._link(socket, whole.inputs[channel])
            colour = whole.outputs[0]
        node = self._node("ShaderNodeNormalMap", at + Vector((430, 0)))
        node.space = "TANGENT"
        node.inputs["Strength"].default_value = strength
        self._link(colour, node.inputs["Color"])
        self._link(node.outputs["Normal"], self._bsdf.inputs["Normal"])

    def _place(self) -> None:
        """Texture Coordinate → Mapping → all textures."""
        place = self._node("ShaderNodeMapping", BSDF_AT + Vector((-1050, 0)))
        place.inputs["Scale"].default_value = self._layout.scale
        source = self._node("ShaderNodeTexCoord", place.location + Vector((-200, 0)))
        self._link(source.outputs[self._layout.source], place.inputs["Vector"])
        for node in self._textures.values():
            self._link(place.outputs["Vector"], node.inputs["Vector"])

    def _texture(self, role: str, image: Image, row: int) -> Node:
        node = self._node("ShaderNodeTexImage", BSDF_AT + Vector((-550, 200 - 280 * row)), LABELS[role])
        node.image, node.extension, node.interpolation = image, "REPEAT", "Linear"
        if self._layout.box:
            node.projection, node.projection_blend = "BOX", BLEND
        return node

    def _colour(self, role: str) -> Any:
        return self._textures[role].outputs["Color"]

    def _node(self, kind: str, location: Vector, label: str = "") -> Node:
        node = self._tree.nodes.new(kind)
        node.location, node.label, node.select = location, label, False
        return node

    def _link(self, source: Any, target: Any) -> None:
        self._tree.links.new(source, target)
