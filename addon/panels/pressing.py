"""What stands in the way of the two large buttons, with a button that removes it."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from pathlib import Path

from bpy.types import Context, UILayout

from .. import remedies, starting, targets
from ..words import tr
from .text import paragraph


def before_generate(layout: UILayout, context: Context) -> None:
    """What the next run begins from and comes near to besides words, or why that cannot be had."""
    scene, item = context.scene, context.active_object
    _box(layout, context, remedies.refusal(starting.check, scene, item))
    name, pictures = starting.name_of(scene, item), scene.patina_sources.pictures
    if name:
        row = layout.row(align=True)
        masked = scene.patina_start.mask_source != "NONE"
        words = tr("Within a mask, from {name}", name=name) if masked else tr("From {name}", name=name)
        row.label(text=words, icon="IMAGE_DATA")
        row.prop(scene.patina_start, "strength", text="")
        row.operator("patina.source_clear", text="", icon="X").index = -1
    for index, picture in enumerate(pictures):
        row = layout.row(align=True)
        row.label(text=tr("Near to {name}", name=Path(picture.path).name), icon="IMAGE_REFERENCE")
        row.operator("patina.source_clear", text="", icon="X").index = index


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
