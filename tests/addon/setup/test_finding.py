"""Where the engine and its file are looked for, and what it learns of the preferences."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import bpy
import pytest

from tests.addon.support import ROOT


def test_the_published_file_is_found_beside_the_add_on_and_by_its_hash(blender, tmp_path):
    addon = tmp_path / "extensions/patina"
    addon.mkdir(parents=True)
    find = blender.package.paths.engine_source
    assert find("", addon) == (None, "")
    (addon / "engine.json").write_text(
        json.dumps({"file": "patina-engine-9.zip", "sha256": "ab", "version": "9"})
    )
    assert find("", addon) == (None, "")
    (tmp_path / "extensions/patina-engine-9.zip").touch()
    assert find("", addon) == (tmp_path / "extensions/patina-engine-9.zip", "ab")
    assert find("/elsewhere/patina-engine-9.zip", addon) == (Path("/elsewhere/patina-engine-9.zip"), "ab")
    assert find("/a/checkout", addon) == (Path("/a/checkout"), "")


def test_the_user_folder_is_the_engines(blender):
    """Two spellings of one rule: engine/home.py cannot be imported here."""
    code = (
        "import json; from engine import home; from pathlib import Path\n"
        "cases = [({'PATINA_HOME': '/x'}, 'linux'), ({'XDG_DATA_HOME': '/d'}, 'linux'), ({}, 'linux'),\n"
        "         ({}, 'darwin'), ({'LOCALAPPDATA': '/l'}, 'win32'), ({}, 'win32')]\n"
        "print(json.dumps([[case, str(home.folder(*case))] for case in cases]))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    for case, expected in json.loads(done.stdout):
        assert str(blender.package.paths.home(*case)) == expected


def test_a_remote_command_that_is_not_here_is_named(blender, chosen):
    chosen.engine_command = "no-such-program host patina serve"
    blender.inputs.prompt = "moss"
    with pytest.raises(RuntimeError, match="'no-such-program', which is not here"):
        bpy.ops.patina.generate()


def test_what_the_engine_may_use_reaches_it(blender, chosen, tmp_path):
    launch = blender.package.preferences.launch
    assert not {"PATINA_MEMORY_GB", "PATINA_HOME"} & set(launch().variables)
    chosen.memory_gb, chosen.install_folder = 6.5, str(tmp_path)
    assert launch().variables["PATINA_MEMORY_GB"] == "6.5"
    assert launch().variables["PATINA_HOME"] == str(tmp_path), "models would fill the disk that was avoided"
