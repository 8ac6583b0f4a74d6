"""The prompt and what to avoid, each with a menu of the last ones."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from typing import Any

from bpy.types import Context, Menu, UILayout

from .. import compat, prompts

LETTERS = 60


class PATINA_MT_prompts(Menu):
    bl_idname = "PATINA_MT_prompts"
    bl_label = "Last Prompts"
    bl_description = "Prompts that were used lately"

    def draw(self, _context: Context) -> None:
        _draw_words(self.layout, "prompt")


class PATINA_MT_negatives(Menu):
    bl_idname = "PATINA_MT_negatives"
    bl_label = "Last Avoided"
    bl_description = "What was to be avoided lately"

    def draw(self, _context: Context) -> None:
        _draw_words(self.layout, "negative")


def _draw_words(layout: UILayout, field: str) -> None:
    """A line for each of the last words of a field."""
    if not prompts.recent[field]:
        layout.label(text="Nothing yet")
    for words in prompts.recent[field]:
        short = words if len(words) <= LETTERS else f"{words[: LETTERS - 3]}..."
        button = layout.operator("patina.use_words", text=short, translate=False)
        button.field, button.words = field, words


def draw(layout: UILayout, inputs: Any, name: str, hint: str) -> None:
    """A text field and its menu."""
    compat.title_without_hint(layout, inputs, name)
    row = layout.row(align=True)
    compat.prop_with_hint(row, inputs, name, hint)
    menu = PATINA_MT_prompts if name == "prompt" else PATINA_MT_negatives
    row.menu(menu.bl_idname, text="", icon="DOWNARROW_HLT")


CLASSES = (PATINA_MT_prompts, PATINA_MT_negatives)
