"""Which files are one texture."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.library.names import WORDS, group, part_of

PATINA = ["mossy_v1_basecolor", "mossy_v1_normal_gl", "mossy_v1_height", "mossy_v1_ao", "mossy_v1_roughness"]
POLY_HAVEN = ["rock_wall_diff_2k", "rock_wall_nor_gl_2k", "rock_wall_arm_2k", "rock_wall_disp_2k"]
AMBIENT_CG = ["B075A_1K-JPG_Color", "B075A_1K-JPG_NormalGL", "B075A_1K-JPG_AmbientOcclusion"]


def grouped(names):
    found, homeless = group(Path("/t") / f"{name}.png" for name in names)
    return [(t.name, {role: p.stem for role, p in t.files.items()}) for t in found], [
        p.stem for p in homeless
    ]


@pytest.mark.parametrize(
    ("names", "name", "roles"),
    [
        (PATINA, "mossy_v1", {"basecolor", "normal", "height", "ao", "roughness"}),
        (POLY_HAVEN, "rock_wall", {"basecolor", "normal", "arm", "height"}),
        (AMBIENT_CG, "B075A_1K-JPG", {"basecolor", "normal", "ao"}),
        (["wood", "wood_normal"], "wood", {"basecolor", "normal"}),
        (["Diffuse", "Normal", "Roughness"], "t", {"basecolor", "normal", "roughness"}),
    ],
)
def test_map_sets_of_the_usual_sources_are_one_texture(names, name, roles):
    ((found_name, files),), homeless = grouped(names)
    assert (found_name, set(files), homeless) == (name, roles, [])


def test_every_word_of_node_wrangler_is_known():
    for role, words in WORDS.items():
        for word in words:
            name = f"stone_01_{word.replace(' ', '_')}.png"
            assert part_of(Path(name)).role == role, word
            assert part_of(Path(name)).key == "stone_01", word


def test_textures_that_differ_in_a_number_are_two():
    found, _ = grouped(["bricks_01_color", "bricks_02_color", "bricks_01_rough"])
    assert [name for name, _ in found] == ["bricks_01", "bricks_02_color"]


def test_a_word_of_a_map_inside_a_name_is_no_map():
    found, homeless = grouped(
        ["base_camp", "rusty_metal", "color_chart", "metal_plate_base", "metal_plate_rough"]
    )
    assert homeless == []
    assert ("metal_plate", {"basecolor": "metal_plate_base", "roughness": "metal_plate_rough"}) in found
    assert {name for name, _ in found} == {"base_camp", "rusty_metal", "color_chart", "metal_plate"}


def test_maps_without_a_base_colour_are_told_and_no_texture():
    assert grouped(["foo_normal", "foo_rough"]) == ([], ["foo_normal", "foo_rough"])


def test_of_two_normal_maps_blenders_is_taken():
    names = ["w_Color", "w_NormalDX", "w_NormalGL"]
    ((_, files),), _ = grouped(names)
    assert files["normal"] == "w_NormalGL"
    found, _ = group(Path("/t") / f"{name}.png" for name in names[:2])
    assert found[0].directx


def test_sets_do_not_reach_across_folders():
    found, _ = group([Path("/a/w_color.png"), Path("/b/w_rough.png")])
    assert [len(t.files) for t in found] == [1, 1]
