"""What the sidebar and the preferences draw of the engine."""

from __future__ import annotations

import bpy

from tests.addon.support import Layout, draw


def main():
    return draw(bpy.types.PATINA_PT_main)


def preferences_layout(chosen):
    """What the preferences draw, on a layout that records."""

    class Stand:
        layout, bl_rna = Layout(), chosen.bl_rna

        def __getattr__(self, name):
            return getattr(chosen, name)

    stand = Stand()
    type(chosen).draw(stand, bpy.context)
    return stand.layout
