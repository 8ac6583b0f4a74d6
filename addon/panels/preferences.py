"""How the engine's part of the preferences is drawn: engine, computing, models, elsewhere, log, about."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from typing import Any

from bpy.types import Context, UILayout

from .. import compat, paths
from ..preferences import VERSION
from ..words import CONTEXT, mark, tr
from . import setup as setup_panel
from .text import paragraph

GUIDE = paths.guide()  # here, as the disk may be slow and this is drawn often
STATES = {
    "ready": mark("The engine is there"),
    "missing": mark("Not installed"),
    "incomplete": mark("Not completely installed"),
    "outdated": mark("The engine is of another version than the add-on"),
}


def draw(layout: UILayout, context: Context, preferences: Any) -> None:
    """Everything below the folder for results."""
    _draw_engine(layout, context, preferences)
    _draw_computing(layout, preferences)
    _draw_models(layout, context)
    _draw_elsewhere(layout, preferences)
    _draw_log(layout, context)
    _draw_about(layout)


def _section(layout: UILayout, title: str) -> UILayout:
    layout.separator()
    column = layout.column()
    column.label(text=title, text_ctxt=CONTEXT)
    return column


def _draw_engine(layout: UILayout, context: Context, preferences: Any) -> None:
    state, column = context.window_manager.patina_setup, _section(layout, "Engine")
    column.label(
        text=state.problem or STATES.get(state.state, ""), icon="INFO" if state.problem else "CHECKMARK"
    )
    if state.running:
        setup_panel.draw_progress(column, state)
        return
    if state.message:
        setup_panel.draw_message(column, context, state)
    if state.offline and state.state != "ready":
        column.label(text="Blender may not use the internet, which installing needs.", icon="INFO")
        column.operator("patina.allow_online")
    row = column.row(align=True)
    row.operator("patina.install_engine", text=setup_panel.LABELS.get(state.state, "Update Engine"))
    row.operator("patina.verify_engine")
    row.operator("patina.repair_engine")
    row.operator("patina.remove_engine", text="Remove")
    column.prop(preferences, "install_folder")
    column.label(text=tr("In {folder}", folder=state.folder))
    if state.room and state.state != "ready":
        column.label(text=state.room, icon="ERROR" if state.short else "DISK_DRIVE")
    column.prop(preferences, "backend")


def _draw_computing(layout: UILayout, preferences: Any) -> None:
    column = _section(layout, "Computing")
    column.prop(preferences, "device")
    column.prop(preferences, "memory_gb")
    column.operator("patina.free_memory")


def _draw_models(layout: UILayout, context: Context) -> None:
    state, column = context.window_manager.patina_packs, _section(layout, "Models")
    for pack in state.items:
        _draw_pack(column, context, state, pack)
    if state.message:
        paragraph(column, context, state.message, icon="INFO")
    if state.busy and not state.pack:
        column.label(text=state.text)
    column.operator("patina.list_packs", text="Look Again" if len(state.items) else "Show Models")


def _draw_pack(layout: UILayout, context: Context, state: Any, pack: Any) -> None:
    box = layout.box()
    row = box.row()
    row.label(text=pack.label, icon="CHECKMARK" if pack.installed else "NONE")
    row.label(text=f"{pack.size}, {pack.licence}")
    if state.busy and state.pack == pack.key:
        row = box.row(align=True)
        compat.progress(row, state, "progress", state.text)
        row.operator("patina.cancel_download", text="", icon="X")
    elif pack.installed and pack.ships:
        row.label(text="Comes with Patina")
    elif pack.installed:
        row.operator("patina.remove_pack", text="Remove").pack = pack.key
    else:
        row.operator("patina.download_pack").pack = pack.key
    paragraph(box, context, pack.about)
    if not pack.installed and not pack.verified:
        paragraph(box, context, "Its files have not been checked by us: their hashes are not known before.")


def _draw_elsewhere(layout: UILayout, preferences: Any) -> None:
    column = _section(layout, "An Engine of Your Own")
    column.prop(preferences, "engine_source")
    column.prop(preferences, "wheels_folder")
    column.prop(preferences, "installer_python")
    column.separator()
    column.prop(preferences, "engine_root")
    column.prop(preferences, "engine_python")
    column.prop(preferences, "engine_command")
    if preferences.engine_command:
        column.prop(preferences, "remote_folder")


def _draw_log(layout: UILayout, context: Context) -> None:
    state, column = context.window_manager.patina, _section(layout, "Log")
    if state.state == "failed" and state.log_tail:
        paragraph(column, context, state.log_tail)
    row = column.row(align=True)
    row.operator("patina.restart_engine")
    row.operator("patina.copy_log")
    row.operator("patina.open_log")
    row.operator("patina.open_folder")
    if state.version:
        facts = {"version": state.version, "device": state.device or "?"}
        column.label(text=tr("Engine {version} on {device}", **facts))


def _draw_about(layout: UILayout) -> None:
    column = _section(layout, "About")
    column.label(text=tr("Patina {version}", version=VERSION))
    column.label(text="GPL-3.0-or-later, without warranty")
    if GUIDE is not None:
        column.operator("wm.path_open", text="Open the Guide", icon="HELP").filepath = str(GUIDE)
