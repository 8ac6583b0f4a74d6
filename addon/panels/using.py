"""Putting a result to use: how it is applied, and what can be changed on the object afterwards."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from typing import Any

import bpy
from bpy.types import Context, Material, Node, Panel, UILayout

from .. import choice, remedies, tuning
from ..nodes import find
from ..words import mark, tr
from .details import Detail
from .gallery import draw_left_to_preset
from .text import paragraph

MEANS = {
    "NORMAL": mark("Normal Map"),
    "BUMP": mark("Bump"),
    "REAL": mark("Displacement"),
    "": mark("Your own nodes"),
}


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
        by_preset = choice.material_by_preset(inputs)
        _draw_map_setting(column, inputs, "tile_size", by_preset)
        _draw_map_setting(column, inputs, "mapping", by_preset)
        column.prop(using, "scale")
        column.prop(using, "rotation")
        _draw_map_setting(column, inputs, "displacement", by_preset)
        if choice.material_value(inputs, "displacement") == "REAL":
            column.prop(using, "subdivide")
        else:
            _draw_map_setting(column, inputs, "normal_strength", by_preset)
        metres = choice.material_value(inputs, "displacement") != "OFF"
        if metres:
            _draw_depth(column, using)
        draw_left_to_preset(layout, context, inputs, by_preset)
        state = context.window_manager.patina
        if state.selected < len(state.results) and not (metres and using.use_depth):
            depth = state.results[state.selected].relief * choice.material_value(inputs, "tile_size")
            column.label(text=tr("Relief: {length} deep", length=length(context, depth)))


def _draw_depth(layout: UILayout, using: Any) -> None:
    """In metres, whatever the result says."""
    row = layout.column(heading="Relief").row(align=True)
    row.prop(using, "use_depth", text="")
    value = row.row(align=True)
    value.active = using.use_depth
    value.prop(using, "depth", text="")


def _draw_map_setting(layout: UILayout, inputs: Any, name: str, by_preset: dict[str, Any]) -> None:
    """Paler where the preset has the say."""
    row = layout.row()
    row.active = name not in by_preset
    row.prop(inputs, name)


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
            layout.label(text=tr("Changes show on all its {count} users", count=users))
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
    layout.operator_menu_enum(
        "patina.set_relief", "means", text=tr("Relief By {means}", means=tr(MEANS[means]))
    )
    column = layout.column()
    if means == "NORMAL":
        _draw_socket(column, find(tree, "Normal Map"), "Strength", "Strength")
    elif means == "BUMP":
        _draw_socket(column, find(tree, "Bump"), "Strength", "Strength")
        _draw_socket(column, find(tree, "Bump"), "Distance", "Relief (m)")
    elif means == "REAL":
        _draw_socket(column, find(tree, "Displacement"), "Scale", "Relief (m)")
        layout.operator_menu_enum("patina.subdivide", "kind", text="Subdivide the Mesh")
    column.label(text=tr("Relief: {length} deep", length=length(context, tuning.depth(material))))
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
