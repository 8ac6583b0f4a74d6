"""Looking after the engine: restart, log, folders, preferences."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

import platform
from pathlib import Path

import bpy
from bpy.types import Context, Operator

from .. import preferences, pump, setup
from ..link import EngineError, disk
from ..link.process import tail
from . import folders, trouble

COPIED_LINES = 200


class PATINA_OT_restart_engine(Operator):
    bl_idname = "patina.restart_engine"
    bl_label = "Restart Engine"
    bl_description = "End the engine, whatever it does, and start it again"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, _context: Context) -> bool:
        return trouble.holds(cls, pump.session is not None, trouble.OFF)

    def execute(self, _context: Context) -> set[str]:
        try:
            pump.session.restart()
        except EngineError as error:
            trouble.tell(self, error)
            return {"CANCELLED"}
        finally:
            pump.wake()
        return {"FINISHED"}


class PATINA_OT_dismiss(Operator):
    bl_idname = "patina.dismiss"
    bl_label = "Dismiss"
    bl_description = "Put this message away"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, _context: Context) -> bool:
        there = pump.session is not None and pump.session.error is not None
        return trouble.holds(cls, there, "There is no message to put away")

    def execute(self, _context: Context) -> set[str]:
        pump.session.error = None
        pump.mirror()
        return {"FINISHED"}


class PATINA_OT_copy_log(Operator):
    bl_idname = "patina.copy_log"
    bl_label = "Copy Log"
    bl_description = "Copy the message and the end of the engine's log, to send to someone who can help"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, _context: Context) -> bool:
        return trouble.holds(cls, pump.session is not None, trouble.OFF)

    def execute(self, context: Context) -> set[str]:
        context.window_manager.clipboard = report()
        self.report({"INFO"}, "The log is in the clipboard")
        return {"FINISHED"}


def report() -> str:
    """Versions, the message, and the end of the log, as text."""
    engine, error = pump.session.engine, pump.session.error or pump.session.engine.failure
    head = f"Blender {bpy.app.version_string}, {platform.platform()}, engine {engine.facts.version or '?'}"
    lines = [head, f"State: {engine.state.value}"]
    if error is not None:
        lines += [f"Message: {error.message}", f"Details: {error.details}"]
    if engine.log is not None:
        lines += [f"Log: {engine.log}", *tail(Path(engine.log), COPIED_LINES)]
    lines += setup.report()
    return "\n".join(lines)


class PATINA_OT_open_log(Operator):
    bl_idname = "patina.open_log"
    bl_label = "Open Logs"
    bl_description = "Show the folder with the engine's logs"
    bl_options = {"REGISTER"}

    def execute(self, _context: Context) -> set[str]:
        return folders.show(self, preferences.log_folder())


class PATINA_OT_open_folder(Operator):
    bl_idname = "patina.open_folder"
    bl_label = "Open Results"
    bl_description = "Show the folder with the textures of the last run"
    bl_options = {"REGISTER"}

    def execute(self, _context: Context) -> set[str]:
        last = pump.session.folder if pump.session is not None else None
        there = last is not None and disk.has_folder(last)  # or it was deleted by hand
        return folders.show(self, last if there else preferences.results_folder())


class PATINA_OT_open_preferences(Operator):
    bl_idname = "patina.open_preferences"
    bl_label = "Preferences"
    bl_description = "Show Patina's preferences"
    bl_options = {"INTERNAL"}

    def execute(self, _context: Context) -> set[str]:
        bpy.ops.preferences.addon_show(module=preferences.ADDON)
        return {"FINISHED"}


CLASSES = (
    PATINA_OT_restart_engine,
    PATINA_OT_dismiss,
    PATINA_OT_copy_log,
    PATINA_OT_open_log,
    PATINA_OT_open_folder,
    PATINA_OT_open_preferences,
)
