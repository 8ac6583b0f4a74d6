"""The runs that wait, and those that failed."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from bpy.props import IntProperty
from bpy.types import Context, Operator

from .. import pump, queue_view
from . import trouble


class PATINA_OT_queue_remove(Operator):
    bl_idname = "patina.queue_remove"
    bl_label = "Remove from Queue"
    bl_description = "Take this run out of the queue"
    bl_options = {"INTERNAL"}

    number: IntProperty(name="Number", description="Names the run", options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, _context: Context) -> bool:
        return trouble.holds(cls, pump.session is not None, trouble.OFF)

    def execute(self, _context: Context) -> set[str]:
        pump.session.queue.forget(self.number)
        pump.mirror()
        return {"FINISHED"}


class PATINA_OT_queue_clear(Operator):
    bl_idname = "patina.queue_clear"
    bl_label = "Clear Queue"
    bl_description = "Take all runs out of the queue that wait or have failed; the one under way goes on"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, _context: Context) -> bool:
        if pump.session is None or not (pump.session.queue.waiting or pump.session.queue.lost):
            cls.poll_message_set("The queue is empty")
            return False
        return True

    def execute(self, _context: Context) -> set[str]:
        pump.session.queue.clear()
        pump.mirror()
        return {"FINISHED"}


class PATINA_OT_cancel_all(Operator):
    bl_idname = "patina.cancel_all"
    bl_label = "Cancel All"
    bl_description = "Stop the run, keep what there is of it, and take all others out of the queue"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, _context: Context) -> bool:
        session = pump.session
        there = session is not None and (session.busy or session.queue.waiting or session.queue.lost)
        return trouble.holds(cls, there, "Nothing is running")

    def execute(self, _context: Context) -> set[str]:
        pump.session.queue.clear()
        if pump.session.busy and not pump.session.cancelling:
            pump.session.cancel()
        pump.wake()
        return {"FINISHED"}


class PATINA_OT_queue_retry(Operator):
    bl_idname = "patina.queue_retry"
    bl_label = "Try Again"
    bl_description = "Begin the run again that failed, before those that wait"
    bl_options = {"REGISTER"}

    number: IntProperty(name="Number", description="Names the run", options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, _context: Context) -> bool:
        return trouble.holds(cls, pump.session is not None, trouble.OFF)

    def execute(self, _context: Context) -> set[str]:
        pump.session.retry(self.number)
        pump.wake()
        return {"FINISHED"}


class PATINA_OT_queue_go_on(Operator):
    bl_idname = "patina.queue_go_on"
    bl_label = "Go On"
    bl_description = "Start the engine again, for the runs that wait"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, _context: Context) -> bool:
        if pump.session is None or not pump.session.queue.waiting or pump.session.busy:
            cls.poll_message_set("No run waits for the engine")
            return False
        return True

    def execute(self, _context: Context) -> set[str]:
        pump.session.error = None
        pump.session.queue.held = False
        pump.session.go_on()
        pump.wake()
        return {"FINISHED"}


class OfLeft:
    """For what can be done with prompts that an earlier Blender left."""

    @classmethod
    def poll(cls, _context: Context) -> bool:
        there = pump.session is not None and queue_view.left
        return trouble.holds(cls, there, "No prompts are left from an earlier Blender")


class PATINA_OT_queue_again(OfLeft, Operator):
    bl_idname = "patina.queue_again"
    bl_label = "Queue Again"
    bl_description = "Make what the prompts ask for that waited when Blender closed"
    bl_options = {"REGISTER"}

    def execute(self, _context: Context) -> set[str]:
        pump.session.queue.waiting += queue_view.claim()
        pump.session.queue.held = False
        pump.session.go_on()
        pump.wake()
        return {"FINISHED"}


class PATINA_OT_queue_forget_left(OfLeft, Operator):
    bl_idname = "patina.queue_forget_left"
    bl_label = "Forget"
    bl_description = "Let go of the prompts that waited when Blender closed"
    bl_options = {"REGISTER"}

    def execute(self, _context: Context) -> set[str]:
        queue_view.claim()
        pump.mirror()
        return {"FINISHED"}


CLASSES = (
    PATINA_OT_queue_remove,
    PATINA_OT_queue_clear,
    PATINA_OT_cancel_all,
    PATINA_OT_queue_retry,
    PATINA_OT_queue_go_on,
    PATINA_OT_queue_again,
    PATINA_OT_queue_forget_left,
)
