"""The button that puts a result on objects, or what stands in its way."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from bpy.types import Context, UILayout

from .. import remedies, targets
from .text import paragraph


def draw(layout: UILayout, context: Context) -> None:
    """The large button, or what stands in its way with a button that removes it."""
    refused = remedies.refusal(targets.check, context)
    if refused is not None:
        box = layout.box()
        paragraph(box, context, f"{refused}.", icon="INFO")
        remedies.button(box, refused.remedy)
    row = layout.row()
    row.scale_y = 1.5
    using = context.scene.patina_using
    if using.apply_as == "REPLACE":
        row.operator("patina.apply", text="Replace Maps")
    else:
        row.operator("patina.apply", text="Apply to Faces" if context.mode == "EDIT_MESH" else "Apply")
