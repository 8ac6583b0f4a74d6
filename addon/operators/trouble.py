"""What an operator says when it cannot: once, and in one place."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

import bpy
from bpy.types import Operator

from ..link import EngineError
from ..words import mark

OFF = mark("Patina is being turned off")


def holds(cls: type[Operator], fact: object, otherwise: str) -> bool:
    """For `poll`: whether the fact holds; where not, the grey button's tooltip says why."""
    if not fact:
        cls.poll_message_set(otherwise)
    return bool(fact)


def tell(operator: Operator, error: EngineError) -> None:
    """In a window the panel says it; an error would open a pop-up over the panel as well."""
    operator.report({"ERROR"} if bpy.app.background else {"WARNING"}, error.message)
