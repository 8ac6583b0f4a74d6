"""Presets of one's own: saved, renamed, deleted, shared."""

from __future__ import annotations

import json
import shutil
import subprocess

import bpy
import pytest

from tests.addon.presets.files import GOOD, choices, refresh, stored, write
from tests.addon.support import ROOT, engine_python


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
