"""Taking an earlier prompt again."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from bpy.props import StringProperty
from bpy.types import Context, Operator, OperatorProperties

from .. import prompts


class PATINA_OT_use_words(Operator):
    bl_idname = "patina.use_words"
    bl_label = "Use Again"
    bl_description = "Put these words into the field"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    field: StringProperty(name="Field", description="prompt or negative", options={"SKIP_SAVE"})
    words: StringProperty(name="Words", description="What to put there", options={"SKIP_SAVE"})

    @classmethod
    def description(cls, _context: Context, operator: OperatorProperties) -> str:
        return operator.words or cls.bl_description

    def execute(self, context: Context) -> set[str]:
        if self.field not in prompts.FIELDS:
            return {"CANCELLED"}
        setattr(context.scene.patina, self.field, self.words)
        return {"FINISHED"}


CLASSES = (PATINA_OT_use_words,)
