"""The main panel: describe, generate, choose, apply."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from typing import Any

from bpy.types import Context, Panel, UILayout

from .. import compat, images
from . import pressing
from .text import BUTTON_PX, MARGIN_PX, paragraph

TILE_SCALE = 5.0  # icons in the grid, in rows of buttons
SINGLE_SCALE = 9.0


class Sidebar:
    """Where all of Patina's panels are."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Patina"


class PATINA_PT_main(Sidebar, Panel):
    bl_idname = "PATINA_PT_main"
    bl_label = "Patina"

    def draw(self, context: Context) -> None:
        layout = self.layout
        inputs, state = context.scene.patina, context.window_manager.patina
        _draw_inputs(layout, inputs)
        pressing.before_generate(layout, context)
        _draw_generate(layout, state)
        _draw_message(layout, context, state)
        if state.job and state.live:
            _draw_live(layout, state)
        elif len(state.results):
            _draw_results(layout, context, state)


def _draw_inputs(layout: UILayout, inputs: Any) -> None:
    column = layout.column(align=True)
    compat.prop_with_hint(column, inputs, "prompt", "Describe a surface")
    compat.prop_with_hint(column, inputs, "negative", "Avoid")
    column = layout.column()
    column.use_property_split = True
    column.use_property_decorate = False
    column.prop(inputs, "preset")
    column.prop(inputs, "size")
    if inputs.size == "CUSTOM":
        pair = column.column(align=True)
        pair.prop(inputs, "width")
        pair.prop(inputs, "height")
    column.prop(inputs, "tile")
    column.prop(inputs, "variations")
    row = column.row(align=True)
    row.prop(inputs, "seed")
    row.operator("patina.shuffle_seed", text="", icon="FILE_REFRESH")


def _draw_generate(layout: UILayout, state: Any) -> None:
    row = layout.row(align=True)
    row.scale_y = 1.5
    if state.job:
        compat.progress(row, state, "progress", state.status)
        row.operator("patina.cancel", text="", icon="X")
    else:
        row.operator("patina.generate")


def _draw_message(layout: UILayout, context: Context, state: Any) -> None:
    """One sentence, and what can be done about it. Nothing while all is well."""
    if not state.message:
        return
    box = layout.box()
    row = box.row()
    paragraph(row.column(), context, state.message, icon="ERROR", margin_px=MARGIN_PX + BUTTON_PX)
    row.operator("patina.dismiss", text="", icon="X", emboss=False)
    if state.setting:
        box.operator(
            "patina.apply_remedy", text=f"Set {_title(state.setting)} to {state.value.strip(chr(34))}"
        )
    if state.state == "missing":
        box.operator("patina.open_preferences")
    elif state.state == "failed":
        if state.log_tail:
            paragraph(box, context, state.log_tail)
        row = box.row(align=True)
        row.operator("patina.restart_engine", text="Restart")
        row.operator("patina.copy_log")


def _draw_live(layout: UILayout, state: Any) -> None:
    grid = _grid(layout, state.live)
    for variation in range(state.live):
        grid.template_icon(icon_value=images.live_icon(variation), scale=_scale(state.live))


def _draw_results(layout: UILayout, context: Context, state: Any) -> None:
    grid = _grid(layout, len(state.results))
    for index, result in enumerate(state.results):
        cell = grid.column(align=True)
        cell.template_icon(icon_value=images.file_icon(result.basecolor), scale=_scale(len(state.results)))
        chosen = index == state.selected
        button = cell.operator(
            "patina.select", text=f"{result.rank}:  {result.judge_score:.2f}", depress=chosen
        )
        button.index = index
    if state.warnings:
        paragraph(layout, context, state.warnings, icon="INFO")
    pressing.apply(layout, context)


def _grid(layout: UILayout, count: int) -> UILayout:
    columns = 1 if count == 1 else 2
    return layout.grid_flow(row_major=True, columns=columns, even_columns=True, even_rows=True, align=False)


def _scale(count: int) -> float:
    return SINGLE_SCALE if count == 1 else TILE_SCALE


def _title(setting: str) -> str:
    return setting.replace("_", " ").title()


CLASSES = (PATINA_PT_main,)
