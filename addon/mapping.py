"""How a material lies on an object: by its UV map in real size, or by box projection."""

import array
from dataclasses import dataclass

import bmesh
from bpy.types import Mesh, Object
from mathutils import Vector

SAMPLES = 20_000  # polygons that are looked at: enough for an average, and quick without numpy


@dataclass(frozen=True)
class Mapping:
    """What the Texture Coordinate and Mapping nodes are set to.

    Attributes:
        source: output of Texture Coordinate, "UV" or "Object".
        scale: of the Mapping node.
    """

    source: str
    scale: tuple[float, float, float]

    @property
    def box(self) -> bool:
        """Whether the textures are projected from six sides."""
        return self.source == "Object"


def choose(
    objects: list[Object], wanted: str, tile_size: float, stretch: tuple[float, float, float] = (1, 1, 1)
) -> Mapping:
    """The mapping of one material for all the objects; the first of them sets its scale.

    Without objects, one tile fills the UV square.

    Args:
        wanted: "AUTO", "UV" or "BOX", as the property has it.
        tile_size: metres.
        stretch: of the pattern along each axis; 2 makes it twice as wide.
    """
    widths = [uv_width(item) for item in objects] or [tile_size]
    if wanted == "BOX" or None in widths:
        size = objects[0].matrix_world.to_scale() if objects else (1, 1, 1)
        repeats = tuple((abs(side) or 1.0) / tile_size for side in size)  # a side of no length shows nothing
        source = "Object"
    else:
        repeats = (1.0 if wanted == "UV" else widths[0] / tile_size,) * 3
        source = "UV"
    return Mapping(source, tuple(a / b for a, b in zip(repeats, stretch, strict=True)))


def uv_width(item: Object) -> float | None:
    """Metres on the object that one unit of its UV map covers, on average; None where there is no telling."""
    mesh = item.data
    if not isinstance(mesh, Mesh) or not mesh.polygons:
        return None
    layer = next((layer for layer in mesh.uv_layers if layer.active_render), None)
    if layer is None:
        return None
    surface, square = _areas_in_edit_mode(mesh, layer.name) if mesh.is_editmode else _areas(mesh, layer)
    if square <= 1e-9 * max(surface, 1.0):
        return None  # unwrapped to points or lines: a smear
    x, y, z = (abs(side) for side in item.matrix_world.to_scale())
    return (surface * (x * y + y * z + z * x) / 3 / square) ** 0.5 or None  # scaled to nothing


def _areas(mesh: Mesh, layer: object) -> tuple[float, float]:
    """The area of the mesh and of its UV map, over the same sample of polygons."""
    coordinates = array.array("f", bytes(8 * len(mesh.loops)))
    layer.data.foreach_get("uv", coordinates)
    surface = square = 0.0
    for index in range(0, len(mesh.polygons), max(1, len(mesh.polygons) // SAMPLES)):
        polygon = mesh.polygons[index]
        corners = [Vector(coordinates[2 * loop : 2 * loop + 2]) for loop in polygon.loop_indices]
        surface += polygon.area
        square += _area(corners)
    return surface, square


def _areas_in_edit_mode(mesh: Mesh, layer: str) -> tuple[float, float]:
    """The same while the mesh is edited: its own arrays are empty then."""
    edited = bmesh.from_edit_mesh(mesh)
    edited.faces.ensure_lookup_table()
    uv = edited.loops.layers.uv[layer]
    surface = square = 0.0
    for index in range(0, len(edited.faces), max(1, len(edited.faces) // SAMPLES)):
        face = edited.faces[index]
        surface += face.calc_area()
        square += _area([corner[uv].uv for corner in face.loops])
    return surface, square


def _area(corners: list[Vector]) -> float:
    return abs(sum(a.cross(b) for a, b in zip(corners, corners[1:] + corners[:1], strict=True))) / 2
