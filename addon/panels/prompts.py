"""The prompt and what to avoid, each with a menu of the last ones."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from typing import Any

from bpy.types import Context, Menu, UILayout

from .. import compat, prompts

LETTERS = 60


class LastWords:
    """A menu of what was in a field lately."""

    field = ""

    def draw(self, _context: Context) -> None:
        words = prompts.recent[self.field]
        if not words:
            self.layout.label(text="Nothing yet")
        for text in words:
            short = text if len(text) <= LETTERS else f"{text[: LETTERS - 3]}..."
            button = self.layout.operator("patina.use_words", text=short)
            button.field, button.words = self.field, text


class PATINA_MT_prompts(LastWords, Menu):
    bl_idname = "PATINA_MT_prompts"
    bl_label = "Last Prompts"
    bl_description = "Prompts that were used lately"
    field = "prompt"


class PATINA_MT_negatives(LastWords, Menu):
    bl_idname = "PATINA_MT_negatives"
    bl_label = "Last Avoided"
    bl_description = "What was to be avoided lately"
    field = "negative"


def draw(layout: UILayout, inputs: Any, name: str, hint: str) -> None:
    """A text field and its menu."""
    row = layout.row(align=True)
    compat.prop_with_hint(row, inputs, name, hint)
    menu = PATINA_MT_prompts if name == "prompt" else PATINA_MT_negatives
    row.menu(menu.bl_idname, text="", icon="DOWNARROW_HLT")


CLASSES = (PATINA_MT_prompts, PATINA_MT_negatives)
