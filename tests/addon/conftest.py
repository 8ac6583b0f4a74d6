"""Where there is a Blender (the bpy module), its fixtures; elsewhere only the tests that need none."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

if find_spec("bpy"):
    from tests.addon.fixtures import blender, finished, pytest_sessionfinish, running

    __all__ = ["blender", "finished", "pytest_sessionfinish", "running"]
    collect_ignore = ["link"]  # stands in for the add-on's package, and needs no Blender
else:
    here = Path(__file__).parent
    collect_ignore_glob = ["test_*.py", *(path.name for path in here.iterdir() if path.name != "link")]
