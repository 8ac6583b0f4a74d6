"""The folder of the user's own presets."""

from __future__ import annotations

import pytest


@pytest.fixture
def own(blender):
    """The user's folder, empty."""
    folder = blender.package.paths.own_presets()
    folder.mkdir(parents=True)
    return folder
