"""Installing the engine, looking whether it is whole, and taking it away."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

import bpy
from bpy.types import Context, Event, Operator

from .. import compat, preferences, pump, setup
from ..link import EngineError
from . import trouble


def _idle(cls: type[Operator]) -> bool:
    if setup.installation.running:
        cls.poll_message_set("The installer is at work")
        return False
    if pump.session is None or pump.session.engine.jobs:
        cls.poll_message_set("The engine is at work")
        return False
    return True


def _begin(operator: Operator, task: str) -> set[str]:
    if task != "verify":
        pump.session.engine.stop()  # a running engine holds its files, on Windows against everybody
    try:
        setup.start(task)
    except EngineError as error:
        setup.installation.failure = error
        trouble.tell(operator, error)
        return {"CANCELLED"}
    finally:
        setup.refresh()
        pump.wake()
    return {"FINISHED"}


class PATINA_OT_install_engine(Operator):
    bl_idname = "patina.install_engine"
    bl_label = "Install Engine"
    bl_description = (
        "Install the engine that makes the pictures, into a folder outside Blender's. What has come already "
        "is kept, so that it can be cancelled and gone on with"
    )
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, _context: Context) -> bool:
        if not _idle(cls):
            return False
        if setup.needs_network() and not compat.online():
            cls.poll_message_set("Blender may not use the internet: allow it, or choose a folder of wheels")
            return False
        return True

    def execute(self, _context: Context) -> set[str]:
        return _begin(self, "install")


class PATINA_OT_cancel_install(Operator):
    bl_idname = "patina.cancel_install"
    bl_label = "Stop Installing"
    bl_description = "Stop; what has come is kept for the next time"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, _context: Context) -> bool:
        return trouble.holds(cls, setup.installation.running, "Nothing is being installed") and trouble.holds(
            cls, not setup.installation.cancelling, "The installer is being stopped already"
        )

    def execute(self, _context: Context) -> set[str]:
        setup.installation.cancel()
        pump.wake()
        return {"FINISHED"}


class PATINA_OT_verify_engine(Operator):
    bl_idname = "patina.verify_engine"
    bl_label = "Verify"
    bl_description = "Look whether every file of the engine is as it came, and whether it works"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        return _idle(cls) and _installed(cls, context)

    def execute(self, _context: Context) -> set[str]:
        return _begin(self, "verify")


class PATINA_OT_repair_engine(Operator):
    bl_idname = "patina.repair_engine"
    bl_label = "Repair"
    bl_description = "Install again what of the engine is damaged or does not work"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        return PATINA_OT_install_engine.poll(context) and _installed(cls, context)

    def execute(self, _context: Context) -> set[str]:
        return _begin(self, "repair")


class PATINA_OT_remove_engine(Operator):
    bl_idname = "patina.remove_engine"
    bl_label = "Remove Engine"
    bl_description = "Delete the engine that was installed. Results and downloaded models stay"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        return _idle(cls) and _installed(cls, context)

    def invoke(self, context: Context, event: Event) -> set[str]:
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, _context: Context) -> set[str]:
        return _begin(self, "remove")


class PATINA_OT_allow_online(Operator):
    bl_idname = "patina.allow_online"
    bl_label = "Allow Online Access"
    bl_description = (
        "Turn on Blender's own preference Allow Online Access, for all add-ons. Patina uses it to download "
        "its engine and models when you press a button for it, and for nothing else"
    )
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, _context: Context) -> bool:
        if compat.online_is_fixed():
            cls.poll_message_set("Blender was started with --offline-mode")
            return False
        return trouble.holds(cls, not compat.online(), "Blender may use the internet already")

    def execute(self, _context: Context) -> set[str]:
        compat.allow_online()
        setup.refresh()
        return {"FINISHED"}


class PATINA_OT_dismiss_install(Operator):
    bl_idname = "patina.dismiss_install"
    bl_label = "Dismiss"
    bl_description = "Put this message away"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, _context: Context) -> bool:
        there = setup.installation.failure is not None
        return trouble.holds(cls, there, "There is no message to put away")

    def execute(self, _context: Context) -> set[str]:
        setup.installation.failure = None
        setup.refresh()
        return {"FINISHED"}


class PATINA_OT_choose_engine_file(Operator):
    bl_idname = "patina.choose_engine_file"
    bl_label = "Choose Engine File"
    bl_description = "Choose the file patina-engine-….zip that was published with this add-on"
    bl_options = {"REGISTER"}

    filepath: bpy.props.StringProperty(
        name="File", description="The file patina-engine-….zip", subtype="FILE_PATH"
    )
    filter_glob: bpy.props.StringProperty(
        name="Filter", description="Files that are shown", default="*.zip", options={"HIDDEN"}
    )

    def invoke(self, context: Context, _event: Event) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, _context: Context) -> set[str]:
        chosen = preferences.get()
        if chosen is None:
            return {"CANCELLED"}
        chosen.engine_source = self.filepath
        setup.refresh()
        return {"FINISHED"}


def _installed(cls: type[Operator], context: Context) -> bool:
    """As `setup.refresh` has seen it: a poll is asked with every redraw."""
    there = context.window_manager.patina_setup.installed
    return trouble.holds(cls, there, "No engine is installed in the chosen folder")


CLASSES = (
    PATINA_OT_install_engine,
    PATINA_OT_cancel_install,
    PATINA_OT_verify_engine,
    PATINA_OT_repair_engine,
    PATINA_OT_remove_engine,
    PATINA_OT_allow_online,
    PATINA_OT_dismiss_install,
    PATINA_OT_choose_engine_file,
)
