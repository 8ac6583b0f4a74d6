"""The add-on's words in other languages: a JSON file of English → translation for each.

What is the language, and whether Blender translates at all, is the artist's choice in Blender's preferences.
"""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

import json
from pathlib import Path

import bpy

from .. import engine_words, words

# Where Blender looks: everything else, what buttons of operators say, and what we ask for by name.
CONTEXTS = ("*", "Operator", words.CONTEXT)


def languages() -> dict[str, dict[str, str]]:
    """What is there, by Blender's name of the language: English → translation."""
    files = sorted(Path(__file__).parent.glob("*.json"))
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}


def tables() -> dict[str, dict[tuple[str, str], str]]:
    """The same, as Blender wants it."""
    return {
        language: {(context, text): said for text, said in sentences.items() for context in CONTEXTS}
        for language, sentences in languages().items()
    }


def look_up(text: str) -> str:
    """A text in the artist's language, be it the add-on's or the engine's."""
    said = bpy.app.translations.pgettext_iface(text, words.CONTEXT)
    if said != text or not bpy.context.preferences.view.use_translate_interface:
        return said
    return engine_words.say(text, bpy.app.translations.locale or "")


def register() -> None:
    bpy.app.translations.register(__package__, tables())
    words.use(look_up)


def unregister() -> None:
    words.use()
    bpy.app.translations.unregister(__package__)
