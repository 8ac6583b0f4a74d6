"""Coming, going, and leaving nothing behind."""

from __future__ import annotations

import ast
import re
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import bpy
import pytest

from tests.addon.support import ROOT, engine_python

ADDON = ROOT / "addon"


def patina_types():
    return {name for name in dir(bpy.types) if name.startswith("PATINA_")}


@pytest.mark.usefixtures("blender")
def test_disabling_takes_everything_away_and_enabling_brings_it_back():
    there = patina_types()
    assert {"PATINA_PT_main", "PATINA_OT_generate", "PATINA_OT_apply"} <= there
    handlers = len(bpy.app.handlers.load_post)
    for _ in range(3):
        bpy.ops.preferences.addon_disable(module="patina")
        assert patina_types() == set()
        assert not hasattr(bpy.types.Scene, "patina")
        assert not hasattr(bpy.types.WindowManager, "patina")
        assert not hasattr(bpy.types.WindowManager, "patina_gallery")
        assert len(bpy.app.handlers.load_post) == handlers - 3
        assert "patina" not in bpy.context.preferences.addons
        bpy.ops.preferences.addon_enable(module="patina")
        assert patina_types() == there
        assert len(bpy.app.handlers.load_post) == handlers


def test_enabling_does_not_need_the_data_that_blender_hides_meanwhile(blender):
    """A window's Blender enables with these in place of its data; the bpy module has them as well."""
    name = "_bpy_restrict_state" if find_spec("_bpy_restrict_state") else "bpy_restrict_state"  # before 5.0
    restricted = import_module(name)
    blender.package.unregister()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bpy, "data", restricted._data_restrict)
        patch.setattr(bpy, "context", restricted._context_restrict)
        blender.package.register()
    assert "PATINA_PT_main" in dir(bpy.types)


def test_enabling_starts_no_engine_and_no_timer(blender):
    assert blender.session.engine.pid is None
    assert not blender.timers.queue


def test_what_the_artist_set_survives_disabling(blender):
    blender.inputs.prompt = "blue tiles"
    bpy.ops.preferences.addon_disable(module="patina")
    bpy.ops.preferences.addon_enable(module="patina")
    assert blender.inputs.prompt == "blue tiles"


def test_versions_agree():
    tree = ast.parse((ADDON / "__init__.py").read_text())
    info = next(ast.literal_eval(n.value) for n in tree.body if isinstance(n, ast.Assign))
    manifest = (ADDON / "blender_manifest.toml").read_text()
    version = re.search(r'^version = "(.+)"$', manifest, re.MULTILINE)[1]
    engine = re.search(r'__version__ = "(.+)"', (ROOT / "engine" / "__init__.py").read_text())[1]
    assert ".".join(map(str, info["version"])) == version == engine


IN_THE_ZIP = sorted(path for path in ADDON.rglob("*.py") if not path.is_relative_to(ADDON / "demo"))


@pytest.mark.parametrize("path", IN_THE_ZIP, ids=lambda path: str(path.relative_to(ADDON)))
def test_the_zip_needs_nothing_that_blender_lacks(path):
    """Relative imports, bpy and friends, the standard library, and numpy where it is there."""
    allowed = set(sys.stdlib_module_names) | {"bpy", "bmesh", "mathutils", "bpy_extras", "numpy"}
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module]
        assert {name.partition(".")[0] for name in names} <= allowed


def test_link_does_not_know_blender():
    for path in [
        *(ADDON / "link").glob("*.py"),
        ADDON / "session.py",
        ADDON / "words.py",
        ADDON / "paths.py",
        ADDON / "presets.py",
        ADDON / "queue.py",
        ADDON / "results.py",
        ADDON / "history.py",
        ADDON / "preset_check.py",
        ADDON / "own_presets.py",
        ADDON / "quality.py",
        ADDON / "verdict.py",
    ]:
        assert "import bpy" not in path.read_text(), path


def test_every_button_and_setting_explains_itself(blender):
    for name in dir(bpy.ops.patina):
        assert getattr(bpy.ops.patina, name).get_rna_type().description, name
    for item in blender.inputs.bl_rna.properties:
        if item.identifier not in {"rna_type", "name"}:
            assert item.description, item.identifier
            assert not item.description.endswith("."), item.identifier  # Blender adds it


def test_a_checkout_finds_its_own_engine_through_a_link(blender, monkeypatch):
    monkeypatch.delenv("PATINA_ENGINE_PYTHON")
    monkeypatch.delenv("PATINA_ENGINE_ROOT", raising=False)
    launch = blender.package.preferences.launch()
    assert launch.root == ROOT
    assert launch.python == ROOT / ".env" / "engine" / engine_python_inside()


def engine_python_inside() -> Path:
    return Path("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def test_the_preferences_come_before_the_environment(blender, monkeypatch, tmp_path):
    monkeypatch.setenv("PATINA_ENGINE_ROOT", "/environment")
    assert blender.package.preferences.launch().root == Path("/environment")
    assert blender.package.preferences.launch().python == engine_python()
    preferences = bpy.context.preferences.addons["patina"].preferences
    preferences.engine_root, preferences.engine_python = str(tmp_path), "/chosen/python"
    launch = blender.package.preferences.launch()
    assert (launch.root, launch.python) == (tmp_path, Path("/chosen/python"))
