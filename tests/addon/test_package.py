"""The zip that `build.py package` writes, put into a Blender of its own in both of the ways there are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import bpy
import pytest

import build

START = "import bpy, sys; archive = sys.argv[1]\n"
INSTALL = {
    "extension": (
        "bpy.ops.extensions.package_install_files("
        "filepath=archive, repo='user_default', enable_on_install=True)\n"
        "name = 'bl_ext.user_default.patina'\n"
    ),
    "add-on": (
        "bpy.ops.preferences.addon_install(filepath=archive)\n"
        "bpy.ops.preferences.addon_enable(module='patina')\nname = 'patina'\n"
    ),
}
SUBSCRIBE = """
bpy.context.preferences.system.use_online_access = True
repos = bpy.context.preferences.extensions.repos
repo = repos.new(name="Patina", module="patina_repo", remote_url=archive)
index = list(repos).index(repo)
assert bpy.ops.extensions.repo_sync(repo_index=index) == {"FINISHED"}
assert bpy.ops.extensions.package_install(repo_index=index, pkg_id="patina") == {"FINISHED"}
name = "bl_ext.patina_repo.patina"
"""
USE = """
assert name in bpy.context.preferences.addons, list(bpy.context.preferences.addons.keys())
inputs = bpy.context.scene.patina
for preset in ("plain", "stone", "metal", "wood", "fabric"):
    inputs.preset = preset
assert bpy.ops.patina.generate.get_rna_type().description
bpy.context.preferences.addons[name].preferences.device = "cpu"
assert sys.modules[name + ".preferences"].device() == "cpu"
inputs.prompt = "oak"
try:
    bpy.ops.patina.generate()
except RuntimeError as error:
    assert "choose its folder in the preferences" in str(error), error
else:
    raise AssertionError("there is no engine, and no one said so")
assert bpy.context.window_manager.patina.state == "missing"
bpy.ops.preferences.addon_disable(module=name)
print("GOOD", inputs is not None)
"""


@pytest.mark.parametrize("way", INSTALL)
def test_the_zip_installs_and_works(tmp_path, way):
    in_blender(tmp_path, INSTALL[way], str(build.write_zip(tmp_path / "dist")))


def test_a_repository_installs_it(tmp_path):
    tool = next(Path(bpy.utils.resource_path("LOCAL")).glob("scripts/addons_core/bl_pkg/cli/blender_ext.py"))
    index = build.write_repository(tmp_path / "repository", build.write_zip(tmp_path / "dist"), tool)
    in_blender(tmp_path, SUBSCRIBE, index.as_uri())


def in_blender(tmp_path, install, argument):
    """Install in a Blender of its own, then use."""
    blender = tmp_path / "blender"
    blender.mkdir()
    astray = ("PATINA_ENGINE_ROOT", "PATINA_ENGINE_PYTHON")  # away from the checkout there is no engine
    environment = {name: value for name, value in os.environ.items() if name not in astray}
    environment["PATINA_HOME"] = str(tmp_path / "home")
    done = subprocess.run(
        [sys.executable, "-c", START + install + USE, argument],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
        env={**environment, "BLENDER_USER_RESOURCES": str(blender)},
        cwd=tmp_path,  # not the checkout: what is imported must come from the zip
    )
    assert "GOOD" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0, done.stdout + done.stderr
