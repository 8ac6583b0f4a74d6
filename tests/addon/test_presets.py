"""Presets as an artist meets them: chosen, saved, shared, gone, broken."""

from __future__ import annotations

import array
import importlib.util
import json
import shutil
import subprocess
import sys
import zlib
from types import SimpleNamespace

import bpy
import pytest

from tests.addon.support import ROOT, draw, engine_python

GOOD = {"format": 1, "label": "Oak", "templates": ["{}", "old {}"]}


@pytest.fixture
def own(blender):
    """The user's folder, empty."""
    folder = blender.package.paths.own_presets()
    folder.mkdir(parents=True)
    return folder


def refresh(blender):
    blender.package.gallery.refresh()


def write(folder, name, **content):
    (folder / f"{name}.json").write_text(json.dumps({**GOOD, **content}))


def stored(folder, name):
    return json.loads((folder / f"{name}.json").read_text())


def choices(blender):
    return set(blender.inputs.bl_rna.properties["preset"].enum_items.keys())


def schema(code):
    done = subprocess.run(
        [engine_python(), "-c", f"import json; {code}"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return json.loads(done.stdout)


# --- What ships ----------------------------------------------------------------------------------


def test_every_shipped_preset_but_plain_does_what_an_artist_expects_of_one():
    """It adds words, keeps something away, and says how to run and how the material lies."""
    lacking = {
        (file.stem, part)
        for file in (ROOT / "presets").glob("*.json")
        for part in ("templates", "negative", "settings", "material")
        if not stored(ROOT / "presets", file.stem)[part]
    }
    assert lacking == {("plain", "negative"), ("plain", "settings"), ("plain", "material")}


def test_there_are_presets_in_every_group_each_with_a_picture(blender, own):
    presets = blender.package.presets
    assert len(presets.load_all()) >= 25
    assert presets.broken() == []
    headings = presets.in_groups()
    assert {
        "Stone",
        "Wood",
        "Metal",
        "Fabric",
        "Ground",
        "Organic",
        "Man-Made",
        "Stylised",
        "Fantastic",
    } <= set(headings)
    for preset in presets.load_all().values():
        assert preset.group in presets.GROUPS, preset.id
        assert preset.description, preset.id
        assert preset.picture, f"{preset.id} has no picture: python -m engine thumbnails {preset.id}"


def test_no_preset_of_ours_can_be_taken_for_a_users(blender):
    assert not [path for path in (ROOT / "presets").glob("*.json") if path.stem.startswith("my_")]


# --- Choosing ------------------------------------------------------------------------------------


def test_the_gallery_offers_every_preset_and_choosing_one_sets_it(blender, own):
    write(own, "oak")
    refresh(blender)
    layout = draw(bpy.types.PATINA_PT_gallery)
    assert layout.operators().count("patina.choose_preset") == len(choices(blender))
    assert {"Yours", "Stone", "Oak", "Masonry"} <= set(layout.texts())
    assert bpy.ops.patina.choose_preset(preset="lava") == {"FINISHED"}
    assert blender.inputs.preset == "lava"
    assert bpy.ops.patina.choose_preset(preset="no_such") == {"CANCELLED"}
    assert blender.inputs.preset == "lava"
    tooltip = bpy.types.PATINA_OT_choose_preset.description
    assert "glows" in tooltip(bpy.context, SimpleNamespace(preset="lava"))


def test_the_panel_names_the_preset(blender, own):
    blender.inputs.preset = "lava"
    layout = draw(bpy.types.PATINA_PT_main)
    assert "Lava" in layout.texts()
    assert "PATINA_PT_gallery" in [given.get("panel") for name, given in layout.calls if name == "popover"]
    (picture,) = [given for name, given in layout.calls if name == "template_icon_view"]
    assert (picture["data"], picture["property"]) == (blender.inputs, "preset")


def test_a_preset_sets_the_material_until_the_artist_does(blender, own):
    write(own, "oak", material={"normal_strength": 2.5, "displacement": "BUMP"})
    refresh(blender)
    blender.inputs.preset = "my_oak"
    value = blender.package.choice.material_value
    assert value(blender.inputs, "normal_strength") == 2.5
    assert value(blender.inputs, "displacement") == "BUMP"
    assert value(blender.inputs, "tile_size") == 1.0
    assert any("Relief By to Bump" in text for text in shown(bpy.types.PATINA_PT_material))
    blender.inputs.normal_strength = 1.0
    assert value(blender.inputs, "normal_strength") == 1.0
    assert bpy.ops.patina.follow_preset() == {"FINISHED"}
    assert value(blender.inputs, "normal_strength") == 2.5
    assert not bpy.ops.patina.follow_preset.poll()


def test_the_settings_say_which_relief_the_preset_chooses(blender, own):
    blender.inputs.preset = "bark"
    assert "The preset sets Relief to 0.06" in shown(bpy.types.PATINA_PT_settings)[0]
    blender.inputs.use_relief = True
    assert "sets Relief" not in shown(bpy.types.PATINA_PT_settings)[0]


def shown(panel):
    """The texts of a panel, of which a narrow one makes several lines."""
    return [" ".join(draw(panel).texts())]


def test_apply_takes_the_material_settings_of_the_preset(finished, own):
    write(own, "oak", material={"normal_strength": 2.5})
    refresh(finished)
    finished.inputs.preset = "my_oak"
    cube = bpy.data.objects["Cube"]
    bpy.context.view_layer.objects.active = cube
    assert bpy.ops.patina.apply() == {"FINISHED"}
    node = next(n for n in cube.active_material.node_tree.nodes if n.type == "NORMAL_MAP")
    assert node.inputs["Strength"].default_value == 2.5


# --- One's own -----------------------------------------------------------------------------------


def test_saving_keeps_words_settings_and_material(blender, own):
    inputs = blender.inputs
    inputs.preset, inputs.prompt, inputs.negative = "bark", "birch bark", "planks"
    inputs.steps, inputs.normal_strength, inputs.use_relief, inputs.relief = 33, 0.5, True, 0.02
    before = asked(blender)
    assert bpy.ops.patina.save_preset(label="Winter Bark", about="Cold", words="{} in snow") == {"FINISHED"}
    content = stored(own, "winter_bark")
    assert (content["label"], content["description"], content["group"]) == ("Winter Bark", "Cold", "organic")
    assert content["negative"] == "planks"
    assert content["templates"][0] == stored(ROOT / "presets", "bark")["templates"][0].replace(
        "{}", "{} in snow"
    )
    assert content["settings"]["steps"] == 33
    assert content["settings"]["relief"] == 0.02
    assert content["material"]["normal_strength"] == 0.5
    assert content["material"]["tile_size"] == stored(ROOT / "presets", "bark")["material"]["tile_size"]
    assert inputs.preset == "my_winter_bark"
    assert not inputs.is_property_set("steps")
    assert blender.package.choice.material_value(inputs, "normal_strength") == 0.5
    after = asked(blender)
    for name in before:
        if name not in {"preset", "templates"}:
            assert after[name] == before[name], name


def asked(blender):
    """What the engine makes of the scene: the whole settings of the run."""
    request = {**blender.package.properties.run_settings(blender.inputs), "folder": str(ROOT)}
    code = (
        "import json, sys; from engine.params import resolve\n"
        "print(json.dumps(resolve(json.load(sys.stdin))[0].model_dump(mode='json')))"
    )
    done = subprocess.run(
        [engine_python(), "-c", code],
        input=json.dumps(request), cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return json.loads(done.stdout)


def test_the_same_name_twice_gives_two_presets(blender, own):
    for _ in range(2):
        assert bpy.ops.patina.save_preset(label="Stone") == {"FINISHED"}
    assert {"stone", "my_stone", "my_stone_2"} <= choices(blender)
    assert stored(ROOT / "presets", "stone")["label"] == "Stone"


def test_a_saved_preset_gets_the_picture_of_the_chosen_result(finished):
    assert bpy.ops.patina.save_preset(label="Red") == {"FINISHED"}
    picture = finished.package.presets.load_all()["my_red"].picture
    assert picture.endswith("red.png")
    image = bpy.data.images.load(picture)
    assert tuple(image.size) == (128, 128)


@pytest.mark.parametrize(("label", "words"), [(" ", "{}"), ("Bad", "no hole")])
def test_what_cannot_be_saved_is_said_and_leaves_nothing(blender, own, label, words):
    with pytest.raises(RuntimeError, match=r"name|hole"):
        bpy.ops.patina.save_preset(label=label, words=words)
    assert list(own.glob("*")) == []


def test_renaming_keeps_the_scenes_choice(blender, own):
    write(own, "oak")
    refresh(blender)
    blender.inputs.preset = "my_oak"
    assert bpy.ops.patina.rename_preset(label="Fine Oak") == {"FINISHED"}
    assert blender.inputs.preset == "my_oak"
    assert blender.inputs.bl_rna.properties["preset"].enum_items["my_oak"].name == "Fine Oak"
    assert stored(own, "oak")["templates"] == GOOD["templates"]
    with pytest.raises(RuntimeError, match="label"):
        bpy.ops.patina.rename_preset(label=" ")


def test_deleting_takes_the_file_and_gives_the_scene_plain(blender, own):
    write(own, "oak")
    (own / "thumbnails").mkdir()
    shutil.copy(ROOT / "presets" / "thumbnails" / "plain.jpg", own / "thumbnails" / "oak.jpg")
    refresh(blender)
    blender.inputs.preset = "my_oak"
    assert bpy.ops.patina.delete_preset() == {"FINISHED"}
    assert list(own.rglob("*.*")) == []
    assert blender.inputs.preset == "plain"
    assert "my_oak" not in choices(blender)


@pytest.mark.parametrize("operator", ["rename_preset", "delete_preset"])
def test_what_ships_cannot_be_renamed_or_deleted(blender, own, operator):
    blender.inputs.preset = "stone"
    with pytest.raises(RuntimeError, match="of your own"):
        getattr(bpy.ops.patina, operator)()
    assert (ROOT / "presets" / "stone.json").is_file()


def test_a_preset_goes_out_as_one_file_and_comes_in_elsewhere(blender, own, tmp_path):
    write(own, "oak", settings={"steps": 3})
    refresh(blender)
    blender.inputs.preset = "my_oak"
    with pytest.raises(RuntimeError, match="Give the file a name"):
        bpy.ops.patina.export_preset(filepath=f"{tmp_path}/")
    assert bpy.ops.patina.export_preset(filepath=str(tmp_path / "given")) == {"FINISHED"}
    shutil.rmtree(own)
    refresh(blender)
    assert bpy.ops.patina.import_preset(filepath=str(tmp_path / "given.json")) == {"FINISHED"}
    assert blender.inputs.preset == "my_given"
    assert stored(own, "given")["settings"] == {"steps": 3}


def test_importing_something_else_is_refused_with_the_reason(blender, own, tmp_path):
    (tmp_path / "torn.json").write_text("{")
    write(tmp_path, "wrong", settings={"stepz": 1})
    for name, reason in (("torn", "JSON"), ("wrong", "stepz"), ("missing", "missing.json")):
        with pytest.raises(RuntimeError, match=reason):
            bpy.ops.patina.import_preset(filepath=str(tmp_path / f"{name}.json"))
    assert list(own.glob("*")) == []


# --- Scenes and files ----------------------------------------------------------------------------


def test_what_blender_stores_for_a_preset_is_no_other_number_as_a_float(blender):
    """The buttons of template_icon_view hand it on as a C float: a larger number came back as another."""
    items = blender.inputs.bl_rna.properties["preset"].enum_items
    numbers = [item.value for item in items]
    assert array.array("f", numbers).tolist() == numbers
    assert len(set(numbers)) == len(numbers) == len(choices(blender))


def test_a_scene_keeps_its_preset_when_others_come_and_go(blender, own, tmp_path):
    write(own, "oak")
    write(own, "ash", label="Ash")
    refresh(blender)
    blender.inputs.preset = "my_oak"
    path = tmp_path / "scene.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    (own / "ash.json").unlink()
    write(own, "birch", label="Birch")
    assert bpy.ops.patina.refresh_presets() == {"FINISHED"}
    assert blender.inputs.preset == "my_oak"
    bpy.ops.wm.open_mainfile(filepath=str(path))
    assert blender.inputs.preset == "my_oak"
    assert bpy.context.window_manager.patina_gallery.message == ""


def store(inputs, number):
    """The preset as a file has it, whether or not there is one of this number."""
    apart = hasattr(inputs, "bl_system_properties_get")
    (inputs.bl_system_properties_get() if apart else inputs)["preset"] = number


@pytest.mark.parametrize(("number", "preset"), [(zlib.crc32(b"stone"), "stone"), (0x7F000001, "plain")])
def test_a_preset_that_was_stored_by_a_larger_number_is_found(blender, tmp_path, number, preset):
    blender.inputs.preset = "lava"
    assert number & 0x7FFFFFFF > 0xFFFFFF, "or it is stored so today"
    store(blender.inputs, number & 0x7FFFFFFF)
    path = tmp_path / "scene.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    bpy.ops.wm.open_mainfile(filepath=str(path))
    assert bpy.context.scene.patina.preset == preset
    gone = bpy.context.window_manager.patina_gallery.message
    assert bool(gone) == (preset == "plain")


def test_a_scene_whose_preset_is_gone_gets_plain_and_a_message(blender, own, tmp_path):
    write(own, "oak")
    refresh(blender)
    blender.inputs.preset = "my_oak"
    path = tmp_path / "scene.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    (own / "oak.json").unlink()
    blender.inputs.preset = "stone"
    refresh(blender)
    assert bpy.context.window_manager.patina_gallery.message == ""
    bpy.ops.wm.open_mainfile(filepath=str(path))
    assert blender.inputs.preset == "plain"
    assert "Plain is used" in shown(bpy.types.PATINA_PT_main)[0]
    blender.inputs.preset = "lava"  # by its picture, which is no operator
    assert "Plain is used" not in shown(bpy.types.PATINA_PT_main)[0]
    bpy.ops.patina.choose_preset(preset="stone")
    assert "Plain is used" not in shown(bpy.types.PATINA_PT_main)[0]


def test_enabling_again_finds_what_came_meanwhile(blender, own):
    bpy.ops.preferences.addon_disable(module="patina")
    write(own, "oak")
    bpy.ops.preferences.addon_enable(module="patina")
    assert "my_oak" in choices(blender)


BROKEN = {
    "torn": "{",
    "list": "[]",
    "future": json.dumps({**GOOD, "format": 2}),
    "typo": json.dumps({**GOOD, "settings": {"stepz": 1}}),
    "beyond": json.dumps({**GOOD, "settings": {"steps": -1}}),
    "hole": json.dumps({**GOOD, "templates": ["none"]}),
    "map": json.dumps({**GOOD, "material": {"displacement": "UP"}}),
    "Bad Name": json.dumps(GOOD),
}


def test_broken_files_are_shown_with_the_reason_and_cannot_be_chosen(blender, own):
    for name, text in BROKEN.items():
        (own / f"{name}.json").write_text(text)
    (own / "not_utf8.json").write_bytes(b"\xff")
    write(own, "oak")
    refresh(blender)
    assert {name for name in choices(blender) if name.startswith("my_")} == {"my_oak"}
    words = " ".join(draw(bpy.types.PATINA_PT_gallery).texts())
    for name, reason in (
        ("typo", "stepz"),
        ("beyond", "between 0 and 5000"),
        ("hole", "none"),
        ("future", "format"),
    ):
        assert f"{name}.json" in words
        assert reason in words
    assert words.count(".json") == len(BROKEN) + 1
    assert bpy.ops.patina.refresh_presets() == {"FINISHED"}


# --- Held against the engine ---------------------------------------------------------------------


def test_both_sides_refuse_the_same_files(blender, own):
    for name, text in BROKEN.items():
        (own / f"{name}.json").write_text(text)
    write(
        own, "oak", settings={"relief": None, "steps": 3, "palette": ["#ffffff"]}, material={"tile_size": 2}
    )
    refresh(blender)
    verdicts = schema(
        "from engine import presets; from engine.errors import UnknownPreset\n"
        "found = {}\n"
        "for i in presets.ids():\n"
        "    try: presets.load(i); found[i] = ''\n"
        "    except UnknownPreset as error: found[i] = error.message\n"
        "print(json.dumps(found))"
    )
    assert {i for i, fault in verdicts.items() if not fault} == choices(blender)
    assert len([fault for fault in verdicts.values() if fault]) == len(BROKEN)


def test_the_tables_of_settings_are_the_engines(blender):
    check = blender.package.preset_check
    theirs = schema(
        "from engine.settings import RunSettings; "
        "print(json.dumps(RunSettings.model_json_schema()['properties']))"
    )
    own_place = {"prompt", "negative", "preset", "templates", "seed"}
    assert set(theirs) - own_place == {*check.NUMBERS, *check.CHOICES, *check.OTHERS}
    for name, limits in check.NUMBERS.items():
        field = theirs[name].get("anyOf", [theirs[name]])[0]
        low, high = (
            ("exclusiveMinimum" if limits.above else "minimum"),
            ("exclusiveMaximum" if limits.below else "maximum"),
        )
        assert (field["type"] == "integer", field[low], field[high]) == (
            limits.whole,
            limits.low,
            limits.high,
        ), name
    for name, choices_ in check.CHOICES.items():
        assert list(choices_) == theirs[name]["enum"], name


def test_the_tables_of_map_settings_are_the_engines_and_the_panels(blender):
    check = blender.package.preset_check
    theirs = schema(
        "from engine.map_settings import MapSettings; "
        "print(json.dumps(MapSettings.model_json_schema()['properties']))"
    )
    assert set(theirs) == {*check.MAP_NUMBERS, *check.MAP_CHOICES} == set(blender.package.choice.MATERIAL)
    for name, limits in check.MAP_NUMBERS.items():
        field, ours = theirs[name]["anyOf"][0], blender.inputs.bl_rna.properties[name]
        assert (field["minimum"], field["maximum"]) == (limits.low, limits.high), name
        assert round(ours.hard_min, 6) == limits.low
        assert ours.hard_max >= limits.high
    for name, values in check.MAP_CHOICES.items():
        assert list(values) == theirs[name]["anyOf"][0]["enum"], name
        assert list(values) == list(blender.inputs.bl_rna.properties[name].enum_items.keys()), name


@pytest.mark.parametrize("platform", ["linux", "win32", "darwin"])
@pytest.mark.parametrize(
    "variables", [{}, {"PATINA_HOME": "/x/y"}, {"XDG_DATA_HOME": "/d", "LOCALAPPDATA": "/l"}]
)
def test_both_sides_look_for_the_users_presets_in_one_place(blender, platform, variables):
    spec = importlib.util.spec_from_file_location("engine_home", ROOT / "engine" / "home.py")
    home = importlib.util.module_from_spec(spec)
    sys.modules["engine_home"] = home
    spec.loader.exec_module(home)
    assert blender.package.paths.home(variables, platform) == home.folder(variables, platform)
