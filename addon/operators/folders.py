"""Showing a folder in the system's file manager."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from pathlib import Path

import bpy
from bpy.types import Operator

from ..words import tr


def show(operator: Operator, folder: Path) -> set[str]:
    """Show a folder, made if it is missing; says so where it cannot be, as on a disk that is not there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        operator.report(
            {"ERROR"}, tr("Cannot open {folder}: {reason}", folder=folder, reason=error.strerror or error)
        )
        return {"CANCELLED"}
    bpy.ops.wm.path_open(filepath=str(folder))
    return {"FINISHED"}
