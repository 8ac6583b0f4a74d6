"""A finished run, and a cube to put its results on."""

from __future__ import annotations

import bpy
import pytest


@pytest.fixture(autouse=True)
def cube(finished):
    assert finished.session.results
    item = bpy.data.objects["Cube"]
    bpy.context.view_layer.objects.active = item
    item.select_set(True)
    return item


@pytest.fixture
def using():
    return bpy.context.scene.patina_using
