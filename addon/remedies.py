"""What stands in the way, in a sentence, and the button that removes it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bpy.types import UILayout

from .words import tr


@dataclass(frozen=True)
class Remedy:
    """An operator, what its button says, and what its properties are set to."""

    operator: str
    text: str
    settings: dict[str, Any] = field(default_factory=dict)


class RefusedError(Exception):
    """Raised on purpose. Its text is one sentence for the artist."""

    def __init__(self, sentence: str, remedy: Remedy | None = None) -> None:
        super().__init__(tr(sentence))
        self.remedy = remedy


def setting(path: str, value: str, text: str) -> Remedy:
    """A button that sets an enum property; `path` is seen from the context: "scene.patina.mapping"."""
    return Remedy("wm.context_set_enum", text, {"data_path": path, "value": value})


def refusal(check: Callable[..., object], *arguments: object) -> RefusedError | None:
    """What a check has against it; None for nothing."""
    try:
        check(*arguments)
    except RefusedError as error:
        return error
    return None


def button(layout: UILayout, remedy: Remedy | None) -> None:
    """Draw the remedy's button, if there is one."""
    if remedy is not None:
        properties = layout.operator(remedy.operator, text=remedy.text)
        for name, value in remedy.settings.items():
            setattr(properties, name, value)
