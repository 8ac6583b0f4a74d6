"""The preset of the scene with its picture, and all presets as pictures in groups."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

import textwrap
from typing import Any

from bpy.types import Context, Menu, Panel, UILayout

from .. import choice, gallery, presets, properties
from ..words import tr
from .text import paragraph

COLUMNS = 4  # pictures side by side in a group; two groups stand side by side
UNITS = 40  # width of the gallery, in buttons' heights
PICTURE_SCALE = 3.4
POPUP_SCALE = 5.0  # wide enough for the longest name below a picture
CHOSEN_SCALE = 2.8
LETTERS = 110  # of a line as wide as the gallery
EDGES_PX = 56  # of the panel and its tabs: no icon stands before this text
PICTURE_SHARE = 0.3  # of the panel's width for the chosen one's picture


def draw_choice(layout: UILayout, context: Context, inputs: Any) -> None:
    """The scene's preset: its picture, its name, which opens the gallery, and what it is for."""
    preset, message = choice.preset_of(inputs), context.window_manager.patina_gallery.message
    row = layout.split(factor=PICTURE_SHARE)
    row.template_icon_view(inputs, "preset", show_labels=True, scale=CHOSEN_SCALE, scale_popup=POPUP_SCALE)
    column = row.column()
    buttons = column.row(align=True)
    buttons.popover("PATINA_PT_gallery", text=preset.label if preset else "Plain")
    buttons.menu("PATINA_MT_presets", text="", icon="DOWNARROW_HLT")
    if preset and preset.description:
        paragraph(column, context, preset.description, margin_px=EDGES_PX, share=1 - PICTURE_SHARE)
    if message and (preset is None or preset.id == presets.DEFAULT):  # else another was chosen since
        paragraph(layout, context, message, icon="INFO")


def draw_left_to_preset(layout: UILayout, context: Context, inputs: Any, values: dict[str, Any]) -> None:
    """Say which settings the preset chooses, and how."""
    for name, value in values.items():
        label = tr(inputs.bl_rna.properties[name].name)
        words = tr(
            "The preset sets {setting} to {value} until you do",
            setting=label,
            value=_shown(inputs, name, value),
        )
        paragraph(layout, context, words, icon="INFO")


def draw_left_to_quality(layout: UILayout, context: Context, inputs: Any, values: dict[str, Any]) -> None:
    """Say which settings the quality chooses, and how, where that is not what they show."""
    known = inputs.bl_rna.properties
    told = [
        f"{tr(known[name].name)} {_shown(inputs, name, value)}"
        for name, value in values.items()
        if value is not False and value != properties.plain(known[name].default)
    ]
    if told:
        chosen = properties.set_by_preset(inputs).get("quality", inputs.quality)
        words = tr(
            "{quality} quality sets {settings} until you do",
            quality=tr(known["quality"].enum_items[chosen].name),
            settings=", ".join(told),
        )
        paragraph(layout, context, words, icon="INFO")


def _shown(inputs: Any, name: str, value: Any) -> str:
    known = inputs.bl_rna.properties[name]
    if isinstance(value, bool) and name == "coarse":
        value = "ON" if value else "OFF"
    if known.type == "ENUM" and value in known.enum_items:
        return tr(known.enum_items[value].name)
    return f"{value:g}" if isinstance(value, float) else str(value)


class PATINA_PT_gallery(Panel):
    bl_idname = "PATINA_PT_gallery"
    bl_label = "Presets"
    bl_description = "Choose a preset by its picture"
    bl_space_type = "VIEW_3D"
    bl_region_type = "HEADER"  # drawn nowhere by itself: it opens from a button
    bl_ui_units_x = UNITS

    def draw(self, context: Context) -> None:
        chosen = choice.preset_of(context.scene.patina)
        sides = self.layout.row()
        columns, filled = (sides.column(), sides.column()), [0, 0]
        for heading, members in presets.in_groups().items():
            side = filled.index(min(filled))
            filled[side] += -(-len(members) // COLUMNS)
            _draw_group(columns[side], heading, members, chosen)
        _draw_broken(self.layout)


def _draw_group(
    layout: UILayout, heading: str, members: list[presets.Preset], chosen: "presets.Preset | None"
) -> None:
    layout.label(text=heading)
    grid = layout.grid_flow(row_major=True, columns=COLUMNS, even_columns=True, even_rows=True, align=True)
    for preset in members:
        cell = grid.column(align=True)
        cell.template_icon(icon_value=gallery.icon(preset), scale=PICTURE_SCALE)
        button = cell.operator("patina.choose_preset", text=preset.label, depress=preset == chosen)
        button.preset = preset.id
    for _ in range(-len(members) % COLUMNS):  # so that a short row's pictures are as wide as the others
        grid.column().label(text="")


def _draw_broken(layout: UILayout) -> None:
    for item in presets.broken():
        lines = textwrap.wrap(item.reason, LETTERS)
        column = layout.column(align=True)
        column.enabled = False  # nothing to choose
        for index, line in enumerate(lines):
            column.label(text=line, icon="ERROR" if index == 0 else "BLANK1")


class PATINA_MT_presets(Menu):
    bl_idname = "PATINA_MT_presets"
    bl_label = "Presets"
    bl_description = "Save, share and tidy presets"

    def draw(self, _context: Context) -> None:
        layout = self.layout
        layout.operator("patina.save_preset", text="Save as Preset…", icon="ADD")
        layout.operator("patina.follow_preset", icon="LOOP_BACK")
        layout.separator()
        layout.operator("patina.rename_preset", text="Rename…")
        layout.operator("patina.delete_preset", icon="TRASH")
        layout.separator()
        layout.operator("patina.import_preset", text="Import…", icon="IMPORT")
        layout.operator("patina.export_preset", text="Export…", icon="EXPORT")
        layout.separator()
        layout.operator("patina.refresh_presets", icon="FILE_REFRESH")
        layout.operator("patina.open_presets", icon="FILE_FOLDER")


CLASSES = (PATINA_PT_gallery, PATINA_MT_presets)
