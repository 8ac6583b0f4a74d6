"""Telling of an engine's trouble once, and in one place."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

import bpy
from bpy.types import Operator

from ..link import EngineError


def tell(operator: Operator, error: EngineError) -> None:
    """In a window the panel says it; an error would open a pop-up over the panel as well."""
    operator.report({"ERROR"} if bpy.app.background else {"WARNING"}, error.message)
