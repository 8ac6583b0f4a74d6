"""The first lines of the sidebar while the engine is not there yet; nothing when all is well."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from typing import Any

from bpy.types import Context, UILayout

from .. import compat, preferences
from ..words import mark, tr
from .text import BUTTON_PX, MARGIN_PX, paragraph

WHAT = {
    "missing": mark("Patina's engine makes the pictures. It is installed once."),
    "incomplete": mark("The engine is not completely installed. What has come is kept."),
    "outdated": mark("The engine is of another version than the add-on."),
}
LABELS = {
    "missing": mark("Install Engine"),
    "incomplete": mark("Go On Installing"),
    "outdated": mark("Update Engine"),
}

WITH_FOLDER = ("missing", "incomplete")  # in these it matters where the engine goes


def draw(layout: UILayout, context: Context) -> bool:
    """Whether there was something to draw."""
    state = context.window_manager.patina_setup
    if state.running:
        draw_progress(layout, state)
        return True
    if state.message:
        box = layout.box()
        draw_message(box, context, state)
        if state.state != "ready":
            draw_install(box, context, state)
        return True
    if state.state == "ready":
        return False
    box = layout.box()
    paragraph(box, context, WHAT.get(state.state, state.problem), icon="INFO", margin_px=MARGIN_PX)
    draw_install(box, context, state)
    return True


def draw_progress(layout: UILayout, state: Any) -> None:
    """A bar and a way to stop."""
    row = layout.row(align=True)
    compat.progress(row, state, "progress", state.text)
    row.operator("patina.cancel_install", text="", icon="X")


def draw_message(layout: UILayout, context: Context, state: Any) -> None:
    """One sentence, and its log."""
    row = layout.row()
    paragraph(row.column(), context, state.message, icon="ERROR", margin_px=MARGIN_PX + BUTTON_PX)
    row.operator("patina.dismiss_install", text="", icon="X", emboss=False)
    layout.operator("patina.copy_log")


def draw_install(layout: UILayout, context: Context, state: Any) -> None:
    """What has to be said first, and the button."""
    if state.offline:
        paragraph(layout, context, "Blender may not use the internet, which this needs once.")
        layout.operator("patina.allow_online")
    if not state.source and state.state != "incomplete":
        paragraph(
            layout, context, tr("Its file, {file}, was published beside this add-on's.", file=state.file)
        )
        layout.operator("patina.choose_engine_file")
    if state.state in WITH_FOLDER:
        draw_folder(layout, context, state)
    row = layout.row()
    row.scale_y = 1.5
    row.operator("patina.install_engine", text=LABELS.get(state.state, "Install Engine"))
    layout.operator("patina.open_preferences")


def draw_folder(layout: UILayout, context: Context, state: Any) -> None:
    """Where the engine will be, to be changed, and whether there is room for it."""
    chosen = preferences.get()
    if chosen is not None:
        layout.prop(chosen, "install_folder", text="")
    paragraph(layout, context, tr("In {folder}", folder=state.folder))
    if state.room:
        icon = "ERROR" if state.short else "DISK_DRIVE"
        paragraph(layout, context, state.room, icon=icon, margin_px=MARGIN_PX)
