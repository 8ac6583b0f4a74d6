"""A Blender that gets three prompts, of which none ends, and tells so: its death is the test's business.

`python killed_blender.py HOME TOLD`: its own settings, and the file for its news. PATINA_HOME is the user's.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

PATIENCE_S = 300.0
ENDLESS = f"{sys.executable} -c 'import sys; sys.stdin.read()'"  # ends with Blender, as engines do


def main(home: Path, told: Path) -> None:
    addons = home / "scripts" / "addons"
    addons.mkdir(parents=True)
    (addons / "patina").symlink_to(Path(__file__).resolve().parents[2] / "addon", target_is_directory=True)
    os.environ["BLENDER_USER_RESOURCES"] = str(home)
    import bpy

    bpy.ops.preferences.addon_enable(module="patina")
    bpy.context.preferences.addons["patina"].preferences.engine_command = ENDLESS
    for prompt in ("green moss", "grey slate", "oak planks"):
        bpy.context.scene.patina.prompt = prompt
        bpy.ops.patina.generate()
    told.write_text(str(sys.modules["patina.pump"].session.engine.pid))
    time.sleep(PATIENCE_S)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
