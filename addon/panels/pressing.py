"""What stands in the way of the two large buttons, with a button that removes it."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from bpy.types import Context, UILayout

from .. import remedies, starting, targets
from .text import paragraph


def before_generate(layout: UILayout, context: Context) -> None:
    """Why the start image cannot be had. Nothing where it can."""
    _box(layout, context, remedies.refusal(starting.check, context.scene, context.active_object))


def apply(layout: UILayout, context: Context) -> None:
    """The button that puts a result on objects."""
    _box(layout, context, remedies.refusal(targets.check, context))
    row = layout.row()
    row.scale_y = 1.5
    if context.scene.patina_using.apply_as == "REPLACE":
        row.operator("patina.apply", text="Replace Maps")
    else:
        row.operator("patina.apply", text="Apply to Faces" if context.mode == "EDIT_MESH" else "Apply")


def _box(layout: UILayout, context: Context, refused: remedies.RefusedError | None) -> None:
    if refused is not None:
        box = layout.box()
        paragraph(box, context, f"{refused}.", icon="INFO")
        remedies.button(box, refused.remedy)
