"""Sentences in a panel: Blender's labels do not wrap."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

import textwrap

from bpy.types import Context, UILayout

from ..words import tr

LETTER_PX = 6.6  # about the mean width of a letter at a user interface scale of 1
MARGIN_PX = 75  # tabs, panel edges and an icon
BUTTON_PX = 35  # what a box and a small button beside the text take


def paragraph(
    layout: UILayout,
    context: Context,
    text: str,
    icon: str = "NONE",
    margin_px: float = MARGIN_PX,
    share: float = 1.0,
) -> None:
    """Draw a text in as many labels as the region's width asks for; the icon is on the first.

    Args:
        margin_px: what is not the text's of the region's width.
        share: of the rest that the text's column has, 0..1.
    """
    scale = context.preferences.system.ui_scale or 1.0
    width = context.region.width if context.region else 300
    letters = max(12, int((width / scale - margin_px) * share / LETTER_PX))
    column = layout.column(align=True)
    column.scale_y = 0.8
    lines = [line for part in tr(text).splitlines() for line in textwrap.wrap(part, letters)]
    for index, line in enumerate(lines):
        column.label(
            text=line, translate=False, icon=icon if index == 0 else "NONE" if icon == "NONE" else "BLANK1"
        )
