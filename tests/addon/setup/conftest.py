"""A Blender without an engine, and what installing one takes."""

from __future__ import annotations

import sys

import bpy
import pytest

from tests.addon.link import wheels


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("place")
    wheels.make(folder)
    return folder


@pytest.fixture
def chosen(blender):
    return bpy.context.preferences.addons["patina"].preferences


@pytest.fixture
def setup(blender, chosen, place, tmp_path, monkeypatch):
    """No engine anywhere, and all that installing one without a network needs."""
    monkeypatch.setenv("PATINA_ENGINE_PYTHON", "")
    monkeypatch.setenv("PATINA_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(
        blender.package.paths, "HERE", tmp_path / "extensions/patina"
    )  # no checkout around it
    chosen.engine_source, chosen.wheels_folder = str(place / "program"), str(place / "wheels")
    chosen.installer_python = sys.executable
    chosen.backend = "cuda" if sys.platform == "linux" else "cpu"  # a default build, with hashes
    module = blender.package.setup
    module.refresh()
    return module


@pytest.fixture
def shown(setup):
    return bpy.context.window_manager.patina_setup
