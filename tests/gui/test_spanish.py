"""The add-on in Spanish in real Blender windows, without an engine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.gui.play import play
from tests.gui.test_window import blender

__all__ = ["blender"]

WINDOW = (760, 1400)
NAMES = ("empty", "applied")
BLACK_PNG_BYTES = 8_000  # a screen of one colour packs to less


def test_the_panels_speak_spanish(blender, request):
    played = play(blender, "spanish", size=WINDOW, timeout_s=300)
    if keep := os.environ.get("PATINA_SHOTS"):
        shutil.copytree(played.pictures, Path(keep) / request.node.callspec.id, dirs_exist_ok=True)
    assert played.code == 0, f"Blender ended with {played.code}:\n{played.output}"
    assert "Traceback" not in played.output, played.output
    for name in NAMES:
        assert (played.pictures / f"{name}.png").stat().st_size > BLACK_PNG_BYTES, f"{name} shows nothing"
