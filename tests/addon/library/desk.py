"""The library's buttons and panels, and the add-on's modules behind them."""

from __future__ import annotations

import sys

import bpy

from tests.addon.support import draw

PANELS = ("PATINA_PT_library", "PATINA_PT_library_folders", "PATINA_PT_sources")


def module(name):
    return sys.modules[f"patina.{name}"]


def press(name, **properties):
    return getattr(bpy.ops.patina, name)(**properties)


def choose(library, number=0):
    press("library_choose", key=library.results[number].key)
    return library.chosen()


def panels():
    return [draw(getattr(bpy.types, name)) for name in PANELS]
