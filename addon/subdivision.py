"""A finely divided mesh, which real displacement needs: a modifier, never without being asked for."""

from bpy.types import Context, Mesh, Object

from . import compat
from .words import tr

NAME = "Patina Subdivision"
SHOWN_FACES, RENDERED_FACES = 100_000, 1_000_000  # about what a viewport and a render bear per object
MAX_LEVELS = 8


def add(context: Context, item: Object, kind: str) -> str:
    """Divide an object's faces. Says what was done.

    Args:
        kind: "PLAIN", or "ADAPTIVE": as finely as the camera sees it (Cycles).
    """
    if not isinstance(item.data, Mesh):
        return tr("{object} is not a mesh: it was not subdivided", object=item.name)
    modifier = next((other for other in item.modifiers if other.type == "SUBSURF"), None)
    if modifier is not None and modifier.name != NAME:
        return tr("{object} has a subdivision already", object=item.name)
    if modifier is None:
        modifier = item.modifiers.new(NAME, "SUBSURF")
        modifier.subdivision_type = "SIMPLE"  # the shape stays as it is
    faces = max(1, len(item.data.polygons))
    modifier.levels, modifier.render_levels = _levels(faces, SHOWN_FACES), _levels(faces, RENDERED_FACES)
    if kind == "ADAPTIVE" and compat.use_adaptive_subdivision(context.scene, item, modifier):
        return tr(
            "{object} has an adaptive subdivision now, which needs Cycles' experimental features: they are on"
            if compat.ADAPTIVE_IS_NEW
            else "{object} has an adaptive subdivision now",
            object=item.name,
        )
    return tr(
        "{object} has a subdivision of {levels} levels now, {rendered} in renders",
        object=item.name,
        levels=modifier.levels,
        rendered=modifier.render_levels,
    )


def _levels(faces: int, most: int) -> int:
    levels = 0
    while faces * 4 ** (levels + 1) <= most and levels < MAX_LEVELS:
        levels += 1
    return levels
