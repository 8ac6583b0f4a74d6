"""Another Blender of the same artist: makes a material, begins a run that does not end, and is killed in it.

`python second_blender.py HOME RESULTS TOLD`: its own settings, the shared results, and the file for its news.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

HOME, RESULTS, TOLD = map(Path, sys.argv[1:4])
PATIENCE_S = 300.0


def main() -> None:
    addons = HOME / "scripts" / "addons"
    addons.mkdir(parents=True)
    (addons / "patina").symlink_to(Path(__file__).resolve().parents[2] / "addon", target_is_directory=True)
    os.environ["BLENDER_USER_RESOURCES"] = str(HOME)
    import bpy

    bpy.ops.preferences.addon_enable(module="patina")
    bpy.context.preferences.addons["patina"].preferences.results_folder = str(RESULTS)
    inputs, state = bpy.context.scene.patina, bpy.context.window_manager.patina
    inputs.size, inputs.variations, inputs.judge_views, inputs.cutouts = "128", 1, 2, 2
    inputs.proposals = 1
    for prompt, steps, word in (("green moss", 1, "MADE"), ("no end", 5000, "RUNNING")):
        inputs.prompt, inputs.steps = prompt, steps
        bpy.ops.patina.generate()
        begun = steps > 1
        pump_until(lambda begun=begun: not state.job or (begun and state.progress > 0.15))
        assert not state.message, state.message
        with TOLD.open("a") as file:
            file.write(f"{word} {sys.modules['patina.pump'].session.engine.pid}\n")
    pump_until(lambda: False)


def pump_until(done) -> None:
    end = time.monotonic() + PATIENCE_S
    while not done() and time.monotonic() < end:
        sys.modules["patina.pump"].tick()
        time.sleep(0.02)


if __name__ == "__main__":
    main()
