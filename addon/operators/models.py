"""Model packs: list, download, remove; and the graphics card's memory."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from typing import Any

from bpy.props import StringProperty
from bpy.types import Context, Event, Operator

from .. import compat, packs, pump
from ..link import EngineError, State
from ..words import mark
from . import trouble


def _ask(operator: Operator, method: str, params: dict[str, Any], text: str, said: str = "") -> set[str]:
    try:
        packs.ask(pump.session, method, params, text, said)
    except EngineError as error:
        packs.transfer.message = error.message
        trouble.tell(operator, error)
        return {"CANCELLED"}
    finally:
        pump.wake()
    return {"FINISHED"}


def _free(cls: type[Operator]) -> bool:
    if pump.session is None or packs.transfer.job is not None:
        cls.poll_message_set("The engine is still busy with models")
        return False
    return True


class PATINA_OT_list_packs(Operator):
    bl_idname = "patina.list_packs"
    bl_label = "Show Models"
    bl_description = "Ask the engine which model packs there are; it is started if need be"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, _context: Context) -> bool:
        return _free(cls)

    def execute(self, _context: Context) -> set[str]:
        return _ask(self, "models/list", {}, mark("Asking the engine"))


class PATINA_OT_download_pack(Operator):
    bl_idname = "patina.download_pack"
    bl_label = "Download"
    bl_description = "Download this model pack; a second try goes on where the first one stopped"
    bl_options = {"REGISTER"}

    pack: StringProperty(name="Pack", description="Which", options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, _context: Context) -> bool:
        if not compat.online():
            cls.poll_message_set("Blender may not use the internet: see System in its preferences")
            return False
        return _free(cls)

    def execute(self, _context: Context) -> set[str]:
        return _ask(
            self, "models/download", {"pack": self.pack}, mark("Waiting for the engine"), mark("It is here.")
        )


class PATINA_OT_cancel_download(Operator):
    bl_idname = "patina.cancel_download"
    bl_label = "Stop"
    bl_description = "Stop the download; what has come is kept for the next time"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, _context: Context) -> bool:
        under_way = pump.session is not None and packs.transfer.job is not None
        return trouble.holds(cls, under_way, "Nothing is being downloaded")

    def execute(self, _context: Context) -> set[str]:
        pump.session.engine.cancel(packs.transfer.job)
        packs.transfer.text = "Stopping"
        pump.wake()
        return {"FINISHED"}


class PATINA_OT_remove_pack(Operator):
    bl_idname = "patina.remove_pack"
    bl_label = "Remove Models"
    bl_description = "Delete this model pack from the disk. Results that were made with it stay"
    bl_options = {"REGISTER"}

    pack: StringProperty(name="Pack", description="Which", options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, _context: Context) -> bool:
        return _free(cls)

    def invoke(self, context: Context, event: Event) -> set[str]:
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, _context: Context) -> set[str]:
        return _ask(
            self, "models/remove", {"pack": self.pack}, mark("Deleting"), mark("{freed} are free again.")
        )


class PATINA_OT_free_memory(Operator):
    bl_idname = "patina.free_memory"
    bl_label = "Free GPU Memory"
    bl_description = "Let the engine drop its networks once it is idle; the next run loads them again"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, _context: Context) -> bool:
        if pump.session is None or pump.session.engine.state not in {State.READY, State.BUSY}:
            cls.poll_message_set("The engine is not running, and so holds no memory")
            return False
        return _free(cls)

    def execute(self, _context: Context) -> set[str]:
        return _ask(
            self, "models/unload", {}, mark("Freeing memory"), mark("The networks are out of memory.")
        )


CLASSES = (
    PATINA_OT_list_packs,
    PATINA_OT_download_pack,
    PATINA_OT_cancel_download,
    PATINA_OT_remove_pack,
    PATINA_OT_free_memory,
)
