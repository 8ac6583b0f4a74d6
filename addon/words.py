"""Every sentence goes through here on its way to the artist. No bpy, so that any module may use it.

English is written where it is said; `translations` has the other languages and puts Blender's own look-up in
here while the add-on is on. What Blender draws by itself (names and descriptions of properties and operators,
plain texts of labels and buttons) it looks up itself: `tr` is for what is put together, wrapped or stored.
"""

from __future__ import annotations

from collections.abc import Callable

CONTEXT = "Patina"
"""Of our translations: of words that Blender has too, such as Engine, its own dictionary would come first."""


def _as_it_is(text: str) -> str:
    return text


_look_up: Callable[[str], str] = _as_it_is


def use(look_up: Callable[[str], str] = _as_it_is) -> None:
    """Have sentences looked up by this function; without it they stay English."""
    global _look_up
    _look_up = look_up


def tr(text: str, **values: object) -> str:
    """A sentence in the artist's language, with the values in its {placeholders}.

    What has no translation, as what the engine says or what is translated already, comes back as it is.
    """
    words = _look_up(text) if text else text  # Blender takes an empty text for the header of a language
    return words.format(**values) if values else words


def mark(text: str) -> str:
    """Returns the text. It is in a table here, and looked up where it is drawn."""
    return text
