"""Taking away what the next run begins from and comes near to."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from bpy.props import IntProperty
from bpy.types import Context, Operator, OperatorProperties

from .. import starting
from ..words import tr


class PATINA_OT_source_clear(Operator):
    bl_idname = "patina.source_clear"
    bl_label = "Remove Picture"
    bl_description = "Leave this picture out of the next run"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    index: IntProperty(
        name="Number", description="-1 is the start", default=-1, min=-1, options={"SKIP_SAVE"}
    )

    @classmethod
    def description(cls, _context: Context, operator: OperatorProperties) -> str:
        return tr("Begin from words alone, and use no mask") if operator.index < 0 else tr(cls.bl_description)

    def execute(self, context: Context) -> set[str]:
        pictures = context.scene.patina_sources.pictures
        if self.index < 0:
            starting.clear(context.scene)
        elif self.index < len(pictures):
            pictures.remove(self.index)
        return {"FINISHED"}


CLASSES = (PATINA_OT_source_clear,)
