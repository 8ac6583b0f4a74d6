"""Quality: what it fills of the settings that nobody has touched, in the panel as in the engine."""

from __future__ import annotations

import json
import subprocess

import bpy
import pytest

from tests.addon.support import ROOT, draw, engine_python


@pytest.fixture
def settings(blender):
    blender.inputs.prompt = "moss"
    return lambda: blender.package.properties.run_settings(blender.inputs)


def resolved(requests):
    """What the engine makes of requests: all settings of each."""
    code = (
        "import json, sys; from engine.params import resolve\n"
        "print(json.dumps([resolve(r)[0].model_dump(mode='json') for r in json.load(sys.stdin)]))"
    )
    asked = [{**request, "folder": str(ROOT), "device": "cpu"} for request in requests]
    done = subprocess.run(
        [engine_python(), "-c", code],
        input=json.dumps(asked), cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return json.loads(done.stdout)


def words(panel):
    return " ".join(draw(panel).texts())


def test_what_the_artist_has_not_touched_is_left_open(blender, settings):
    assert not set(settings()) & {"quality", *blender.package.properties.ADVANCED}
    blender.inputs.steps = 12  # the default, and yet chosen
    blender.inputs.quality = "best"
    assert (settings()["steps"], settings()["quality"]) == (12, "best")
    assert "cutouts" not in settings()


def test_the_panel_tells_what_the_engine_does(blender, settings):
    """For every quality, preset of its own settings, touched setting and size."""
    inputs, requests, told = blender.inputs, [], []
    properties = blender.package.properties
    for quality in ("draft", "normal", "best"):
        for preset in ("plain", "stone", "bark"):
            for size in ("128", "256", "512", "1024"):
                for touched in (False, True):
                    inputs.property_unset("cutouts")
                    inputs.quality, inputs.preset, inputs.size = quality, preset, size
                    if touched:
                        inputs.cutouts = 5
                    requests.append(settings())
                    told.append({**properties.set_by_quality(inputs), **properties.set_by_preset(inputs)})
    for request, ours, theirs in zip(requests, told, resolved(requests), strict=True):
        for name in ("quality", *properties.ADVANCED):
            shown = ours.get(name, request.get(name, inputs.bl_rna.properties[name].default))
            assert theirs[name] == (pytest.approx(shown) if isinstance(shown, float) else shown), name


@pytest.mark.parametrize(("choice", "sent"), [("AUTO", None), ("ON", True), ("OFF", False)])
def test_where_the_steps_begin_is_left_to_the_engine_or_said(blender, settings, choice, sent):
    blender.inputs.coarse = choice
    assert settings().get("coarse") == sent


def test_the_engines_remedy_for_the_size_of_the_beginning_can_be_applied(blender):
    blender.package.properties.set_by_name(blender.inputs, "coarse", False)
    assert blender.inputs.coarse == "OFF"


def test_the_panels_say_what_holds(blender):
    inputs, panel = blender.inputs, bpy.types.PATINA_PT_settings
    assert "quality" in draw(bpy.types.PATINA_PT_main).properties()
    assert {"candidates", "coarse"} <= set(draw(panel).properties())
    assert "quality sets" not in words(panel)
    inputs.quality = "best"
    assert "Best quality sets Steps 18" in words(panel)
    assert "Candidates 4" in words(panel)
    inputs.steps, inputs.size = 30, "512"
    assert "Steps 18" not in words(panel)
    assert "Begin At Half Size First" in words(panel)
    assert bpy.ops.patina.follow_preset() == {"FINISHED"}
    assert inputs.quality == "normal"


def test_a_preset_may_choose_the_quality(blender, settings, monkeypatch):
    presets = blender.package.presets
    fine = presets.Preset("plain", "Fine", "", {"quality": "best", "steps": 40})
    monkeypatch.setattr(presets, "load_all", lambda: {"plain": fine})
    assert "quality" not in settings()
    assert blender.package.properties.held(blender.inputs)["steps"] == 40
    assert blender.package.properties.held(blender.inputs)["candidates"] == 4
    blender.inputs.quality = "draft"
    assert settings()["quality"] == "draft"
    held = blender.package.properties.held(blender.inputs)
    assert (held["steps"], held["candidates"], held["cutouts"]) == (40, 1, 4)


def test_reused_settings_ask_for_the_same(blender, settings):
    inputs, requests, again = blender.inputs, [], []
    for quality in ("draft", "normal", "best"):
        for size in ("256", "512"):
            inputs.quality, inputs.size, inputs.preset, inputs.cutouts = quality, size, "bark", 7
            requests.append(settings())
    made = resolved(requests)
    for result in made:
        inputs.quality, inputs.steps, inputs.candidates, inputs.coarse = "best", 99, 9, "ON"
        assert blender.package.reuse.take(inputs, result) == []
        assert inputs.coarse == "AUTO"
        assert not inputs.is_property_set("steps")
        again.append(settings())
    assert resolved(again) == made


def test_results_from_before_there_were_qualities_are_made_as_they_were(blender, settings):
    blender.inputs.quality, blender.inputs.candidates = "best", 8
    (made,) = resolved([{"prompt": "moss", "seed": 3}])
    old = {name: value for name, value in made.items() if name not in {"quality", "candidates", "coarse"}}
    assert blender.package.reuse.take(blender.inputs, old) == []
    assert resolved([settings()]) == [made]
