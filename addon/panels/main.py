"""The main panel: describe, generate, choose, apply."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from typing import Any

from bpy.types import Context, Panel, UILayout

from .. import compat, images
from ..words import tr
from . import gallery, pressing, prompts, queue, results, setup
from .grid import grid, scale
from .text import BUTTON_PX, MARGIN_PX, paragraph


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
        waiting = setup.draw(layout, context)
        _draw_inputs(layout, context, inputs)
        pressing.before_generate(layout, context)
        _draw_generate(layout, context, state)
        queue.draw(layout, context)
        if not (waiting and state.state == "missing"):  # said above, with what to do about it
            _draw_message(layout, context, state)
        if state.job and state.live:
            _draw_live(layout, state)
            if len(state.results):  # or the pictures of two runs would stand in one heap
                layout.separator()
                layout.label(text="Made Before")
        if len(state.results):
            results.draw(layout, context)


def _draw_inputs(layout: UILayout, context: Context, inputs: Any) -> None:
    column = layout.column(align=True)
    prompts.draw(column, inputs, "prompt", "Describe a surface")
    prompts.draw(column, inputs, "negative", "Avoid")
    gallery.draw_choice(layout, context, inputs)
    column = layout.column()
    column.use_property_split = True
    column.use_property_decorate = False
    column.prop(inputs, "size")
    if inputs.size == "CUSTOM":
        pair = column.column(align=True)
        pair.prop(inputs, "width")
        pair.prop(inputs, "height")
    column.prop(inputs, "tile")
    column.prop(inputs, "variations")
    whole = column.row(align=True)
    whole.use_property_split = False  # beside a title, three words do not fit into a narrow sidebar
    whole.prop(inputs, "quality", expand=True)
    row = column.row(align=True)
    row.prop(inputs, "seed")
    row.prop(inputs, "lock_seed", text="", icon="LOCKED" if inputs.lock_seed else "UNLOCKED")
    row.operator("patina.shuffle_seed", text="", icon="FILE_REFRESH")


def _draw_generate(layout: UILayout, context: Context, state: Any) -> None:
    shown = context.window_manager.patina_queue
    if state.job:
        queue.draw_running(layout, shown)
    row = layout.row(align=True)
    row.scale_y = 1.5
    if state.job:
        compat.progress(row, state, "progress", state.status)
        row.operator("patina.cancel", text="", icon="X")
        row = layout.row(align=True)
        row.operator("patina.generate", text="Add to Queue", icon="ADD")
        row.operator("patina.live_on_object", text="", icon="MATERIAL", depress=shown.live_on_object)
    else:
        row.operator("patina.generate")
        row.prop(context.scene.patina_using, "show_live", text="", icon="MATERIAL")


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
            "patina.apply_remedy",
            text=tr(
                "Set {setting} to {value}",
                setting=tr(_title(state.setting)),
                value=state.value.strip(chr(34)),
            ),
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
    layout.label(text="Being Made")
    cells = grid(layout, state.live)
    for variation in range(state.live):
        cells.template_icon(icon_value=images.live_icon(variation), scale=scale(state.live))


def _title(setting: str) -> str:
    return setting.replace("_", " ").title()


CLASSES = (PATINA_PT_main,)
