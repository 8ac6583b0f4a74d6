"""What makes the relief, and how deep it is."""

from __future__ import annotations

import bpy
import pytest

from tests.addon.applying.cube import apply, node, source
from tests.addon.support import draw


def test_a_relief_in_metres_is_what_bump_and_displacement_get():
    """Whatever the tile size, until it is left to the result again; the normal map shows the result's own."""
    using = bpy.context.scene.patina_using
    using.use_depth, using.depth = True, 0.3
    material = apply(tile_size=2.0, displacement="REAL")
    displacement = node(material, "ShaderNodeDisplacement")
    assert displacement.inputs["Scale"].default_value == pytest.approx(0.3)
    material = apply(tile_size=5.0, displacement="BUMP", normal_strength=0.5)
    assert node(material, "ShaderNodeBump").inputs["Distance"].default_value == pytest.approx(0.3 * 0.5)
    using.use_depth = False
    material = apply(tile_size=5.0)
    assert node(material, "ShaderNodeBump").inputs["Distance"].default_value == pytest.approx(0.2 * 0.5)


def test_a_relief_in_metres_outlasts_other_maps():
    """Those of another variation, by the arrows or by Replace Maps, until it is left to the result again."""
    using = bpy.context.scene.patina_using
    using.use_depth, using.depth = True, 0.3
    material = apply(tile_size=2.0, displacement="REAL")

    def depth():
        return node(material, "ShaderNodeDisplacement").inputs["Scale"].default_value

    assert bpy.ops.patina.compare(step=1) == {"FINISHED"}
    assert depth() == pytest.approx(0.3)
    using.apply_as = "REPLACE"
    apply()
    assert depth() == pytest.approx(0.3)
    assert bpy.ops.patina.set_tile_size(tile_size=4.0) == {"FINISHED"}
    assert bpy.ops.patina.compare(step=1) == {"FINISHED"}
    assert depth() == pytest.approx(0.6), "set anew with the tile size, it stays so"
    using.apply_as, using.use_depth = "NEW", False
    material = apply()
    assert depth() == pytest.approx(0.04 * 2.0)
    bpy.ops.patina.set_tile_size(tile_size=4.0)
    depth_socket = node(material, "ShaderNodeDisplacement").inputs["Scale"]
    depth_socket.default_value = 1.0
    assert bpy.ops.patina.compare(step=1) == {"FINISHED"}
    assert depth() == pytest.approx(0.04 * 4.0)


def test_the_relief_in_metres_is_in_the_panel_where_it_counts():
    def shown():
        layout = draw(bpy.types.PATINA_PT_material)
        deep = [text for text in layout.texts() if text.startswith("Relief: ")]
        return "depth" in layout.properties(), len(deep)

    inputs, using = bpy.context.scene.patina, bpy.context.scene.patina_using
    assert shown() == (False, 1)
    inputs.displacement = "REAL"
    assert shown() == (True, 1)
    using.use_depth = True
    assert shown() == (True, 0)
    inputs.displacement = "OFF"
    assert shown() == (False, 1)


def method(material):
    return getattr(material, "displacement_method", None) or material.cycles.displacement_method


def test_the_relief_is_made_once():
    """By the normal map, by bump or by displacement: two of them would make it twice as deep."""
    seen = {}
    for way in ("OFF", "BUMP", "REAL"):
        material = apply(displacement=way)
        bsdf, output = node(material, "ShaderNodeBsdfPrincipled"), node(material, "ShaderNodeOutputMaterial")
        normal = source(bsdf.inputs["Normal"])
        seen[way] = (normal and normal[0].type, bool(output.inputs["Displacement"].links), method(material))
    assert seen == {
        "OFF": ("NORMAL_MAP", False, "BUMP"),
        "BUMP": ("BUMP", False, "BUMP"),
        "REAL": (None, True, "BOTH"),
    }


@pytest.mark.parametrize("gone", ["Principled", "Output"])
def test_the_relief_can_be_changed_without_our_shader_or_output(cube, gone):
    apply()
    tree = cube.active_material.node_tree
    tree.nodes.remove(tree.nodes[f"Patina {gone}"])
    for means in ("BUMP", "REAL", "NORMAL"):
        assert bpy.ops.patina.set_relief(means=means) == {"FINISHED"}
