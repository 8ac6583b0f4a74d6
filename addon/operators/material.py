"""Putting a result on objects."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from bpy.types import Context, Object, Operator, PropertyGroup

from .. import choice, materials, pump


def targets(context: Context) -> list[Object]:
    """The objects that Apply is about: the active one first, then the others that are selected."""
    active = context.active_object
    others = [item for item in context.selected_objects if item != active]
    return [item for item in (active, *others) if materials.accepts(item)]


def options_of(inputs: PropertyGroup) -> materials.Options:
    """How the artist wants the material."""
    return materials.Options(**{name: choice.material_value(inputs, name) for name in choice.MATERIAL})


class PATINA_OT_apply(Operator):
    bl_idname = "patina.apply"
    bl_label = "Apply"
    bl_description = "Put the selected variation on the selected objects as a material"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        if pump.session is None or pump.session.chosen is None:
            cls.poll_message_set("Generate a material first")
            return False
        if context.mode != "OBJECT":
            cls.poll_message_set("Go to Object Mode first")
            return False
        if not targets(context):
            cls.poll_message_set("Select an object that can have a material")
            return False
        return True

    def execute(self, context: Context) -> set[str]:
        objects, options = targets(context), options_of(context.scene.patina)
        try:
            material = materials.apply(objects, pump.session.chosen, options)
        except materials.MissingFilesError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        names = objects[0].name if len(objects) == 1 else f"{len(objects)} objects"
        self.report({"INFO"}, f"{material.name} is on {names}")
        return {"FINISHED"}


CLASSES = (PATINA_OT_apply,)
