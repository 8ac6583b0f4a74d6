"""What the add-on asks the engine for, held against what the engine takes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import lru_cache

import bpy
import pytest

from tests.addon.support import ROOT, engine_python

OF_THE_ENGINE = {  # settings that the add-on leaves alone
    *("lr", "ema", "templates", "pack"),
    *("guides", "lit_cuts"),
    *("pictures", "palette", "palette_weight", "anti_lettering", "noise_prompts"),
    *("vary", "difference", "shares", "towards"),
    *("image", "strength", "mask", "spots", "overlay", "overlay_every", "decal", "alpha"),
    *("symmetry_x", "symmetry_y", "saturation", "smoothness", "flat_lighting", "edges", "margin"),
}


@lru_cache(maxsize=1)
def schema():
    """RunSettings as the engine itself describes it."""
    code = (
        "import json; from engine.settings import RunSettings; "
        "print(json.dumps(RunSettings.model_json_schema()))"
    )
    done = subprocess.run(
        [engine_python(), "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    return json.loads(done.stdout)["properties"]


def touch(inputs):
    """Set what can be left to preset and quality to what it shows."""
    for name in ("quality", *sys.modules["patina.properties"].ADVANCED):
        setattr(inputs, name, getattr(inputs, name))
    inputs.coarse = "OFF"


def complaints(requests):
    """The engine's own verdict on requests: what it has to say against them."""
    code = (
        "import json, sys; from engine.params import resolve; from engine.errors import PatinaError\n"
        "for request in json.load(sys.stdin):\n"
        "    try: resolve(request)\n"
        "    except PatinaError as error: print(error.message)"
    )
    done = subprocess.run(
        [engine_python(), "-c", code],
        input=json.dumps([{**request, "folder": str(ROOT)} for request in requests]),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.splitlines()


def numbers(blender):
    kinds = {"INT", "FLOAT"}
    return [
        item
        for item in blender.inputs.bl_rna.properties
        if item.type in kinds and item.identifier in schema() and item.identifier != "relief"
    ]


def test_names_are_the_engines(blender):
    blender.inputs.prompt, blender.inputs.use_relief = "moss", True
    touch(blender.inputs)
    settings = blender.package.properties.run_settings(blender.inputs)
    assert set(settings) == set(schema()) - OF_THE_ENGINE


def test_ranges_are_the_engines(blender):
    assert len(numbers(blender)) >= 10
    for item in numbers(blender):
        theirs = schema()[item.identifier]
        assert item.hard_min == theirs["minimum"], item.identifier
        if item.identifier == "seed":
            assert item.hard_max <= theirs["maximum"]
        else:
            assert item.hard_max == theirs["maximum"], item.identifier


def test_relief_is_within_the_engines_range(blender):
    theirs = schema()["relief"]["anyOf"][0]
    ours = blender.inputs.bl_rna.properties["relief"]
    assert ours.hard_min > theirs["exclusiveMinimum"]
    assert ours.hard_max <= theirs["maximum"]


def test_defaults_are_the_engines(blender):
    touch(blender.inputs)
    settings = blender.package.properties.run_settings(blender.inputs)
    defaults = {name: field["default"] for name, field in schema().items() if "default" in field}
    for name in set(settings) & set(defaults):
        assert settings[name] == defaults[name], name


def test_choices_are_the_engines(blender):
    for name in ("tile", "start", "quality"):
        assert set(blender.inputs.bl_rna.properties[name].enum_items.keys()) == set(schema()[name]["enum"])


def test_text_lengths_are_the_engines(blender):
    for name in ("prompt", "negative"):
        assert blender.inputs.bl_rna.properties[name].length_max in {
            schema()[name]["maxLength"],
            schema()[name]["maxLength"] + 1,  # Blender counts the end of the string in some versions
        }


@pytest.mark.parametrize("extreme", ["hard_min", "hard_max"])
def test_the_engine_takes_both_ends_of_every_slider(blender, extreme):
    blender.inputs.prompt, blender.inputs.size, blender.inputs.use_relief = "moss", "CUSTOM", True
    for item in numbers(blender):
        setattr(blender.inputs, item.identifier, getattr(item, extreme))
    assert complaints([blender.package.properties.run_settings(blender.inputs)]) == []


def test_the_engine_takes_every_preset_tiling_and_size(blender):
    blender.inputs.prompt = "moss"
    properties = blender.inputs.bl_rna.properties
    requests = []
    for name in ("preset", "quality", "tile", "size", "start"):
        for choice in properties[name].enum_items.keys():  # noqa: SIM118  # not a dict
            setattr(blender.inputs, name, choice)
            requests.append(blender.package.properties.run_settings(blender.inputs))
    assert len(requests) > 15
    assert complaints(requests) == []
    assert complaints([{"steps": -1}]) != []


def test_custom_sizes_are_rounded_to_what_the_engine_takes(blender):
    inputs = blender.inputs
    inputs.size, inputs.width, inputs.height = "CUSTOM", 250, 1001
    settings = blender.package.properties.run_settings(inputs)
    assert (settings["width"], settings["height"]) == (248, 1000)


def test_sliders_give_the_numbers_that_they_show(blender):
    """A float of Blender's has 32 bits; 0.1 must not become 0.10000000149 in a sidecar."""
    blender.inputs.temperature = 0.1
    assert blender.package.properties.run_settings(blender.inputs)["temperature"] == 0.1


def test_every_preset_of_the_project_can_be_chosen(blender):
    files = {path.stem for path in (ROOT / "presets").glob("*.json")}
    assert files == set(blender.inputs.bl_rna.properties["preset"].enum_items.keys())
    assert {"plain", "stone", "wood", "fabric"} <= files
    assert blender.inputs.preset == "plain"


def test_a_preset_sets_what_the_artist_has_not_touched(blender, monkeypatch):
    presets = blender.package.presets
    wood = presets.Preset("wood", "Wood", "", {"steps": 99, "cutouts": 4, "width": 512})
    monkeypatch.setattr(presets, "load_all", lambda: {"wood": wood})
    blender.inputs.prompt, blender.inputs.preset = "oak", "wood"
    settings = blender.package.properties.run_settings(blender.inputs)
    assert not {"steps", "cutouts"} & set(settings)
    assert settings["width"] == 256  # on the panel, so what it shows holds
    blender.inputs.steps = 40
    assert blender.package.properties.run_settings(blender.inputs)["steps"] == 40


def test_a_preset_that_cannot_be_read_is_left_out(blender, monkeypatch, tmp_path):
    presets = blender.package.presets
    (tmp_path / "good.json").write_text('{"format": 1, "label": "G", "templates": ["{}"]}')
    for name, text in {"torn": "{", "list": "[]", "new": '{"format": 2}', "empty": "{}"}.items():
        (tmp_path / f"{name}.json").write_text(text)
    monkeypatch.setattr(presets.paths, "presets", lambda: tmp_path)
    presets.forget()
    try:
        assert set(presets.load_all()) == {"good"}
        assert {item.file.stem for item in presets.broken()} == {"torn", "list", "new", "empty"}
    finally:
        presets.forget()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("width", 512, {"width": 512, "height": 256, "size": "CUSTOM"}),
        ("height", 256, {"width": 256, "height": 256, "size": "256"}),
        ("steps", 10, {"steps": 10}),
        ("relief", 0.1, {"use_relief": True}),
        ("tile", "x", {"tile": "x"}),
    ],
)
def test_the_engines_remedies_can_be_applied(blender, name, value, expected):
    blender.package.properties.set_by_name(blender.inputs, name, value)
    assert {key: getattr(blender.inputs, key) for key in expected} == expected


@pytest.mark.parametrize(
    ("name", "value"), [("nonsense", 1), ("steps", "many"), ("tile", "z"), ("width", None)]
)
def test_a_remedy_that_does_not_fit_is_refused(blender, name, value):
    with pytest.raises((AttributeError, TypeError, ValueError)):
        blender.package.properties.set_by_name(blender.inputs, name, value)


def test_the_seam_limit_in_the_tooltip_is_the_engines():
    text = (ROOT / "engine" / "material" / "seams.py").read_text()
    ours = (ROOT / "addon" / "operators" / "run.py").read_text()
    assert (
        re.search(r"^SEAMLESS = ([\d.]+)", text, re.MULTILINE)[1]
        == (re.search(r"^SEAMLESS = ([\d.]+)", ours, re.MULTILINE)[1])
    )


def test_choices_of_a_later_version_are_set_back(blender, tmp_path):
    scene = bpy.context.scene
    for group, name in ((scene.patina, "size"), (scene.patina, "quality"), (scene.patina_using, "target")):
        whole = hasattr(group, "bl_system_properties_get")
        stored = group.bl_system_properties_get(do_create=True) if whole else group
        stored[name] = 1000
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "later.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "later.blend"))
    assert (blender.inputs.size, blender.inputs.quality) == ("256", "normal")
    assert bpy.context.scene.patina_using.target == "SELECTED"
    assert sys.modules["patina.properties"].word_settings(blender.inputs)["width"] == 256
