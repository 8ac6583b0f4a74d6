"""Showing a run on an object while it goes on."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from bpy.types import Context, Operator

from .. import live_object, pump, slots
from .material import options


def begin(context: Context) -> bool:
    """Show the run under way, where every run is to be shown and nothing is against it. Whether it began."""
    wanted = context.scene.patina_using.show_live and pump.session.busy and not live_object.on()
    if not wanted or not slots.accepts(context.active_object):
        return False
    live_object.lend(context.active_object, options(context))
    pump.mirror()
    return True


class PATINA_OT_live_on_object(Operator):
    bl_idname = "patina.live_on_object"
    bl_label = "Show While Made"
    bl_description = (
        "Show the first variation of this run and the next ones on the active object while it is being made, "
        "in Material Preview; the object gets its own material back when the last of them is over, or when "
        "this is pressed again"
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
            context.scene.patina_using.show_live = False
        else:
            context.scene.patina_using.show_live = True
            live_object.lend(context.active_object, options(context))
        pump.mirror()
        return {"FINISHED"}


CLASSES = (PATINA_OT_live_on_object,)
