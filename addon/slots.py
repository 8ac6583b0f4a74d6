"""Material slots: putting a material on an object, or on some of its faces."""

import bmesh
from bpy.types import Material, Object

from .words import tr

UNSHADED = {"GPENCIL", "GREASEPENCIL", "VOLUME"}  # their materials are strokes, fills and fog, not surfaces


def accepts(item: Object | None) -> bool:
    """Whether a material can be put on an object."""
    return item is not None and not why_not(item)


def why_not(item: Object) -> str:
    """Why a material cannot be put on an object, in a sentence; empty where it can."""
    if item.library is not None:
        return tr(
            "{object} is linked from another file: make it local or a library override", object=item.name
        )
    if item.data is None or not hasattr(item.data, "materials") or item.type in UNSHADED:
        return tr("{object} can have no surface material", object=item.name)
    if item.data.library is not None and not item.material_slots:
        return tr(
            "The data of {object} are linked from another file and have no material slot", object=item.name
        )
    return ""


def put(item: Object, material: Material) -> None:
    """Put a material into the object's active slot; where its data belong to another file, on the object."""
    if item.data.library is None:
        item.active_material = material
    else:
        slot = item.material_slots[item.active_material_index]
        slot.link, slot.material = "OBJECT", material


def put_on_selected_faces(item: Object, material: Material) -> int:
    """In Edit Mode: give the selected faces a slot with the material. Returns how many they are."""
    materials = item.data.materials
    if not materials:
        materials.append(None)  # the other faces are in slot 0, and shall not change
    index = next((i for i, slot in enumerate(item.material_slots) if slot.material == material), None)
    if index is None:
        materials.append(material)
        index = len(item.material_slots) - 1
    mesh = bmesh.from_edit_mesh(item.data)
    chosen = [face for face in mesh.faces if face.select and not face.hide]
    for face in chosen:
        face.material_index = index
    bmesh.update_edit_mesh(item.data, loop_triangles=False, destructive=False)
    if chosen:
        item.active_material_index = index
    return len(chosen)
