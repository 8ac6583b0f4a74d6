"""Apply pressed, and what lies in the material that it leaves."""

from __future__ import annotations

import bmesh
import bpy

LABELS = ["Ambient Occlusion", "Base Color", "Metallic", "Roughness", "Displacement", "Normal"]


def apply(**options):
    inputs = bpy.context.scene.patina
    for name, value in options.items():
        setattr(inputs, name, value)
    assert bpy.ops.patina.apply() == {"FINISHED"}
    return bpy.context.active_object.active_material


def node(material, kind):
    found = [item for item in material.node_tree.nodes if item.bl_idname == kind]
    assert len(found) == 1, f"{len(found)} of {kind}"
    return found[0]


def texture(material, label):
    return next(item for item in material.node_tree.nodes if item.label == label and item.type == "TEX_IMAGE")


def source(socket):
    """Node and output that feed a socket; None for none."""
    return (socket.links[0].from_node, socket.links[0].from_socket.name) if socket.links else None


def ours(material, role):
    return material.node_tree.nodes["Patina " + role]


def undone(action):
    """Run an operator as one step, and take it back."""
    bpy.ops.ed.undo_push(message="before")
    action()
    bpy.ops.ed.undo_push(message="after")
    bpy.ops.ed.undo()


def select_faces(item, *indices):
    bpy.context.tool_settings.mesh_select_mode = (False, False, True)
    bpy.ops.object.mode_set(mode="EDIT")
    mesh = bmesh.from_edit_mesh(item.data)
    mesh.faces.ensure_lookup_table()
    for face in mesh.faces:
        face.select_set(False)
    for index in indices:
        mesh.faces[index].select_set(True)
    mesh.select_flush_mode()
    bmesh.update_edit_mesh(item.data)


def second_cube():
    bpy.ops.mesh.primitive_cube_add(location=(4, 0, 0))
    return bpy.context.active_object
