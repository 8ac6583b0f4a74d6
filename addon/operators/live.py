"""Showing a run on an object while it goes on."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from bpy.types import Context, Operator

from .. import live_object, pump, slots
from .material import options


class PATINA_OT_live_on_object(Operator):
    bl_idname = "patina.live_on_object"
    bl_label = "Live on Object"
    bl_description = (
        "Show the first variation on the active object while it is being made, in Material Preview; "
        "the object gets its own material back when the run is over, or when this is pressed again"
    )
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        if pump.session is None or not pump.session.busy:
            cls.poll_message_set("Nothing is running")
            return False
        if not live_object.on() and not slots.accepts(context.active_object):
            cls.poll_message_set("Select an object that can have a material")
            return False
        return True

    def execute(self, context: Context) -> set[str]:
        if live_object.on():
            live_object.take_back()
        else:
            live_object.lend(context.active_object, options(context))
        pump.mirror()
        return {"FINISHED"}


CLASSES = (PATINA_OT_live_on_object,)
