"""What Apply is about: which objects or faces, and why it cannot be."""

from dataclasses import dataclass

from bpy.types import Context, Material, Mesh, Object

from . import choice, materials, slots
from .remedies import RefusedError, Remedy, setting
from .words import tr

OBJECT_MODE = Remedy("object.mode_set", "Go to Object Mode", {"mode": "OBJECT"})
ALL_FACES = Remedy("mesh.select_all", "Select All Faces", {"action": "SELECT"})
SHOW = Remedy("patina.show_active", "Show It")
AS_NEW = setting("scene.patina_using.apply_as", "NEW", "Apply as New Material")
BOX = setting("scene.patina.mapping", "BOX", "Use Box Mapping")


@dataclass(frozen=True)
class Targets:
    """Attributes:
    objects: that get the material; the first sets its scale.
    faces: whether only their selected faces do.
    left_out: a sentence for each object that is selected and cannot have it.
    """

    objects: list[Object]
    faces: bool
    left_out: list[str]


def find(context: Context) -> Targets:
    """What the artist has chosen.

    Raises:
        RefusedError: nothing that could have a material, or not in this mode.
    """
    if context.mode == "EDIT_MESH":
        return _faces(context)
    if context.mode != "OBJECT":
        raise RefusedError("Apply works in Object Mode and, on faces, in Edit Mode", OBJECT_MODE)
    chosen = _chosen(context)
    objects = [item for item in chosen if slots.accepts(item)]
    if not objects and len(chosen) == 1:
        raise RefusedError(
            tr("{reason}. Select an object that can have a material", reason=slots.why_not(chosen[0]))
        )
    if not objects:
        raise RefusedError("Select an object that can have a material")
    return Targets(objects, False, [slots.why_not(item) for item in chosen if item not in objects])


def of_ours(context: Context) -> list[Material]:
    """The Patina materials that the targets have now, each once.

    Raises:
        RefusedError: as `find`, or there are none that could be changed.
    """
    edited = context.mode == "EDIT_MESH"  # whatever is selected there: materials change as a whole
    chosen = list(context.objects_in_mode) if edited else find(context).objects
    found = dict.fromkeys(item.active_material for item in chosen if materials.is_ours(item.active_material))
    if not found:
        raise RefusedError(
            tr("{object} has no Patina material whose maps could be replaced", object=chosen[0].name), AS_NEW
        )
    own = [material for material in found if material.library is None]
    if not own:
        raise RefusedError(tr("{material} belongs to another file", material=next(iter(found)).name), AS_NEW)
    return own


def check(context: Context) -> None:
    """See that Apply can do what it is set to. Cheap enough for a panel's draw.

    Raises:
        RefusedError: it cannot.
    """
    if context.scene.patina_using.apply_as == "REPLACE":
        of_ours(context)
        return
    chosen = find(context).objects
    if choice.material_value(context.scene.patina, "mapping") == "UV":
        bare = next((item for item in chosen if not getattr(item.data, "uv_layers", None)), None)
        if bare is not None:
            raise RefusedError(tr("{object} has no UV map", object=bare.name), BOX)


def _chosen(context: Context) -> list[Object]:
    active, selected = context.active_object, list(context.selected_objects)
    if active is not None and not active.visible_get():
        if not selected or context.scene.patina_using.target == "ACTIVE":
            raise RefusedError(tr("{object} is hidden", object=active.name), SHOW)
        active = None
    if context.scene.patina_using.target == "ACTIVE":
        if active is None:
            raise RefusedError("There is no active object. Click one")
        return [active]
    if active in selected or (active is not None and not selected):
        return [active, *(item for item in selected if item != active)]
    return selected


def _faces(context: Context) -> Targets:
    edited = [item for item in context.objects_in_mode if isinstance(item.data, Mesh)]
    objects = [item for item in edited if item.data.total_face_sel]
    if not objects:
        raise RefusedError("No faces are selected", ALL_FACES)
    objects.sort(key=lambda item: item != context.active_object)
    return Targets(objects, True, [])
