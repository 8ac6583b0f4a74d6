"""Run by Blender itself: plays scenarios, one after another, in one Blender. See play.py.

The argument behind "--" is a JSON object: names of modules in scenarios/, the add-on's zip, the folder for
pictures, and what the scenarios need.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.gui import guikit
from tests.gui.artist import Artist, enable


def main() -> None:
    plan = json.loads(sys.argv[sys.argv.index("--") + 1])
    bpy.context.preferences.view.show_splash = False
    bpy.context.preferences.use_preferences_save = False
    bpy.context.preferences.system.viewport_aa = "OFF"  # or every change of the viewport draws it eight times
    artist = Artist(plan, enable(plan["archive"]))
    guikit.play(everything(artist), artist.pictures)


def everything(artist: Artist) -> guikit.Steps[None]:
    for name in artist.plan["scenarios"]:
        guikit.say(f"scenario {name}")
        yield from importlib.import_module(f"tests.gui.scenarios.{name}").play(artist)


main()
