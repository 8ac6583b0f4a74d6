"""Comparing results where they will be: on the object, by turns."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from bpy.props import IntProperty
from bpy.types import Context, Material, Operator

from .. import comparing, materials, pump, tuning
from ..session import Result
from ..words import mark
from . import trouble

NO_OBJECT = mark("Select an object with a material from Patina")


def _shown(operator: Operator, material: Material, result: Result) -> bool:
    """Puts a result's maps on a material that is there; False, and a message, where its files are gone."""
    try:
        materials.replace(material, result, tuning.tile_size(material))
    except materials.MissingFilesError as error:
        operator.report({"ERROR"}, str(error))
        return False
    return True


class PATINA_OT_compare(Operator):
    bl_idname = "patina.compare"
    bl_label = "Show on Object"
    bl_description = (
        "Show another variation on the active object, in place of the one that its material shows"
    )
    bl_options = {"REGISTER", "UNDO"}

    index: IntProperty(
        name="Variation", description="Which one; -1: the next or previous", default=-1, options={"SKIP_SAVE"}
    )
    step: IntProperty(
        name="Step", description="1 the next, -1 the previous", default=1, options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: Context) -> bool:
        there = pump.session is not None and pump.session.results
        return trouble.holds(cls, there, "Generate a material first") and trouble.holds(
            cls, tuning.active(context.active_object), NO_OBJECT
        )

    def execute(self, context: Context) -> set[str]:
        session = pump.session
        count = len(session.results)
        index = self.index if self.index >= 0 else (session.selected + self.step) % count
        if index >= count:
            self.report({"WARNING"}, "There is no such variation")
            return {"CANCELLED"}
        if not _shown(self, tuning.active(context.active_object), session.results[index]):
            return {"CANCELLED"}
        session.selected = index
        pump.mirror()
        return {"FINISHED"}


class PATINA_OT_compare_with(Operator):
    bl_idname = "patina.compare_with"
    bl_label = "Compare With…"
    bl_description = (
        "Remember the chosen result. Then choose another, be it of another run or of the history, and swap "
        "the two on the active object"
    )
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, _context: Context) -> bool:
        there = pump.session is not None and pump.session.chosen
        return trouble.holds(cls, there, "Generate a material first")

    def execute(self, _context: Context) -> set[str]:
        pump.session.marked = comparing.here(pump.session)
        pump.mirror()
        return {"FINISHED"}


class PATINA_OT_compare_swap(Operator):
    bl_idname = "patina.compare_swap"
    bl_label = "Swap"
    bl_description = (
        "Show the other of the two results on the active object: the chosen one, or the one remembered before"
    )
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        session = pump.session
        if session is None or session.marked is None or session.chosen is None:
            cls.poll_message_set("Press Compare With first")
            return False
        if session.chosen.key == session.marked.result.key:
            cls.poll_message_set("Choose another result to compare this one with")
            return False
        return trouble.holds(cls, tuning.active(context.active_object), NO_OBJECT)

    def execute(self, context: Context) -> set[str]:
        session, material = pump.session, tuning.active(context.active_object)
        is_shown = material.get(materials.TAG) == session.chosen.key
        wanted = session.marked if is_shown else comparing.here(session)
        if not _shown(self, material, wanted.result):
            return {"CANCELLED"}
        if is_shown:
            comparing.swap(session)
        pump.mirror()
        return {"FINISHED"}


class PATINA_OT_compare_end(Operator):
    bl_idname = "patina.compare_end"
    bl_label = "Stop Comparing"
    bl_description = "Forget the result that was remembered to compare with; the material stays as it is"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, _context: Context) -> bool:
        there = pump.session is not None and pump.session.marked
        return trouble.holds(cls, there, "Press Compare With first")

    def execute(self, _context: Context) -> set[str]:
        pump.session.marked = None
        pump.mirror()
        return {"FINISHED"}


CLASSES = (
    PATINA_OT_compare,
    PATINA_OT_compare_with,
    PATINA_OT_compare_swap,
    PATINA_OT_compare_end,
)
