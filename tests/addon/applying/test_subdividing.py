"""The faces that displacement moves."""

from __future__ import annotations

import bpy
import pytest

from tests.addon.applying.cube import apply, undone


def modifiers(item):
    return [modifier for modifier in item.modifiers if modifier.type == "SUBSURF"]


@pytest.mark.parametrize("kind", ["NONE", "PLAIN", "ADAPTIVE"])
def test_a_mesh_is_subdivided_on_request_only_and_it_is_said(cube, using, finished, kind, capfd):
    bpy.ops.preferences.addon_enable(module="cycles")
    finished.inputs.displacement, using.subdivide = "REAL", kind
    apply()
    said = capfd.readouterr().out
    assert len(modifiers(cube)) == (kind != "NONE")
    assert ("subdivision" in said) == (kind != "NONE")
    if kind == "PLAIN":
        modifier = modifiers(cube)[0]
        assert (modifier.subdivision_type, modifier.levels, modifier.render_levels) == ("SIMPLE", 7, 8)
    if kind == "ADAPTIVE":
        adaptive = getattr(modifiers(cube)[0], "use_adaptive_subdivision", None)
        assert adaptive or cube.cycles.use_adaptive_subdivision
        assert adaptive or bpy.context.scene.cycles.feature_set == "EXPERIMENTAL"
        assert adaptive or "experimental features" in said


def test_a_subdivision_of_the_artists_is_left_as_it_is(cube, using, finished, capfd):
    own = cube.modifiers.new("own", "SUBSURF")
    finished.inputs.displacement, using.subdivide = "REAL", "PLAIN"
    apply()
    assert modifiers(cube) == [own]
    assert own.levels == 1
    assert "already" in capfd.readouterr().out


def test_the_subdivision_goes_with_the_same_undo(using, finished):
    finished.inputs.displacement, using.subdivide = "REAL", "PLAIN"
    undone(bpy.ops.patina.apply)
    assert not modifiers(bpy.data.objects["Cube"])
