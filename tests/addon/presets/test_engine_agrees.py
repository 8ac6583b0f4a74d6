"""The add-on's rules for presets, held against the engine's."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import pytest

from tests.addon.presets.files import BROKEN, choices, refresh, write
from tests.addon.support import ROOT, engine_python


def schema(code):
    done = subprocess.run(
        [engine_python(), "-c", f"import json; {code}"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return json.loads(done.stdout)


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
