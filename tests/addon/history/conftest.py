"""Results of earlier sessions on disk, and no engine."""

from __future__ import annotations

import pytest

from tests.addon.history.panel import look
from tests.addon.results_on_disk import write_run
from tests.addon.support import write_png


@pytest.fixture
def past(blender):
    """Two prompts of earlier sessions on disk, and the history's panel opened."""
    root = blender.folder / "results"
    write_run(root / "2026-01-01_100000_1" / "001_moss", 3, prompt="wet moss", preset="stone", tile="x")
    write_run(root / "2026-01-02_100000_2" / "001_red_bricks", 2)
    for path in root.rglob("*.png"):
        write_png(path, path.stem.split("_v")[1].split("_", 1)[1])
    look(blender)
    return blender
