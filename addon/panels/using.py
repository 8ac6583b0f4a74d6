"""Putting a result to use: how it is applied, and what can be changed on the object afterwards."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

import bpy
from bpy.types import Context, Material, Node, Panel, UILayout

from .. import remedies, tuning
from ..materials import find
from .details import Detail
from .text import paragraph

MEANS = {"NORMAL": "Normal Map", "BUMP": "Bump", "REAL": "Displacement", "": "Your own nodes"}


class PATINA_PT_material(Detail, Panel):
    bl_idname = "PATINA_PT_material"
    bl_label = "Material"

    def draw(self, context: Context) -> None:
        inputs, using, layout = context.scene.patina, context.scene.patina_using, self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        column = layout.column()
        column.prop(using, "target")
        column.prop(using, "apply_as")
        column = layout.column()
        column.active = using.apply_as == "NEW"  # a material whose maps are replaced keeps the rest
        column.prop(inputs, "tile_size")
        column.prop(inputs, "mapping")
        column.prop(using, "scale")
        column.prop(using, "rotation")
        column.prop(inputs, "displacement")
        if inputs.displacement == "REAL":
            column.prop(using, "subdivide")
        else:
            column.prop(inputs, "normal_strength")
        state = context.window_manager.patina
        if state.selected < len(state.results):
            depth = state.results[state.selected].relief * inputs.tile_size
            column.label(text=f"Relief: {length(context, depth)} deep")


class PATINA_PT_edit(Detail, Panel):
    bl_idname = "PATINA_PT_edit"
    bl_label = "Active Material"

    @classmethod
    def poll(cls, context: Context) -> bool:
        return tuning.active(context.active_object) is not None

    def draw(self, context: Context) -> None:
        material, layout = tuning.active(context.active_object), self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(material, "name", text="")
        if (users := tuning.users(material)) > 1:
            layout.label(text=f"Changes show on all its {users} users")
        _draw_place(layout, context, material)
        _draw_relief(layout, context, material)


def _draw_place(layout: UILayout, context: Context, material: Material) -> None:
    row = layout.row()
    row.label(text="Tile Size")
    row.operator("patina.set_tile_size", text=length(context, tuning.tile_size(material)))
    place = find(material.node_tree, "Mapping")
    column = layout.column()
    _draw_socket(column, place, "Scale", "Repeats")
    if place is not None:
        column.prop(place.inputs["Rotation"], "default_value", index=2, text="Rotation")
        column.prop(place.inputs["Location"], "default_value", text="Offset")


def _draw_relief(layout: UILayout, context: Context, material: Material) -> None:
    means, tree = tuning.means(material), material.node_tree
    layout.operator_menu_enum("patina.set_relief", "means", text=f"Relief By {MEANS[means]}")
    column = layout.column()
    if means == "NORMAL":
        _draw_socket(column, find(tree, "Normal Map"), "Strength", "Strength")
    elif means == "BUMP":
        _draw_socket(column, find(tree, "Bump"), "Strength", "Strength")
        _draw_socket(column, find(tree, "Bump"), "Distance", "Relief (m)")
    elif means == "REAL":
        _draw_socket(column, find(tree, "Displacement"), "Scale", "Relief (m)")
        layout.operator_menu_enum("patina.subdivide", "kind", text="Subdivide the Mesh")
    column.label(text=f"Relief: {length(context, tuning.depth(material))} deep")
    if means == "NORMAL" and (tuning.turned(material) or tuning.boxed(material)):
        box = layout.box()
        paragraph(
            box, context, "A normal map does not turn with the pattern: its light is wrong.", icon="INFO"
        )
        remedies.button(box, USE_BUMP)


USE_BUMP = remedies.Remedy("patina.set_relief", "Use Bump", {"means": "BUMP"})


def _draw_socket(layout: UILayout, node: Node | None, socket: str, text: str) -> None:
    """The value itself, unless something is linked to it."""
    if node is not None and not node.inputs[socket].is_linked:
        layout.prop(node.inputs[socket], "default_value", text=text)


def length(context: Context, value: float) -> str:
    """In the scene's units."""
    units = context.scene.unit_settings
    if units.system == "NONE":
        return f"{value:.4g}"
    return bpy.utils.units.to_string(units.system, "LENGTH", value * units.scale_length, precision=4)


CLASSES = (PATINA_PT_material, PATINA_PT_edit)
