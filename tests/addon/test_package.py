"""The zip that `build.py package` writes, put into a Blender of its own in both of the ways there are."""

from __future__ import annotations

import os
import subprocess
import sys

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
USE = """
assert name in bpy.context.preferences.addons, list(bpy.context.preferences.addons.keys())
inputs = bpy.context.scene.patina
for preset in ("plain", "stone", "metal", "wood", "fabric"):
    inputs.preset = preset
assert bpy.ops.patina.generate.get_rna_type().description
bpy.ops.preferences.addon_disable(module=name)
print("GOOD", inputs is not None)
"""


@pytest.mark.parametrize("way", INSTALL)
def test_the_zip_installs_and_works(tmp_path, way):
    archive = build.write_zip(tmp_path / "dist")
    blender = tmp_path / "blender"
    blender.mkdir()
    variables = {**os.environ, "BLENDER_USER_RESOURCES": str(blender)}
    done = subprocess.run(
        [sys.executable, "-c", START + INSTALL[way] + USE, str(archive)],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
        env=variables,
        cwd=tmp_path,  # not the checkout: what is imported must come from the zip
    )
    assert "GOOD" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0, done.stdout + done.stderr
