"""Plays a scenario in a Blender: packs the add-on, names the engine, keeps the pictures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import build
from tests.gui import blenders

PERFORM = Path(__file__).with_name("perform.py")


@dataclass(frozen=True)
class Played:
    """How it went.

    Attributes:
        code: Blender's exit code; 0 when every step of the scenario came true.
        output: what Blender said, a failed step's traceback included.
        pictures: the folder with a PNG per state.
        engines: process numbers of the engines that Blender started.
    """

    code: int
    output: str
    pictures: Path
    engines: list[int]


def play(
    blender: blenders.Blender, *scenarios: str, size: tuple[int, int], timeout_s: float, **plan: object
) -> Played:
    """Play scenarios, one after another in one Blender.

    Args:
        scenarios: names of modules in scenarios/.
        size: of the window, px.
        plan: what they need besides the add-on and the folder for their pictures.
    """
    pictures = blender.folder / "pictures"
    pictures.mkdir()
    archive = build.write_zip(blender.folder)
    arguments = {"scenarios": scenarios, "archive": str(archive), "pictures": str(pictures), **plan}
    code, output = blenders.run(
        blender,
        PERFORM,
        [json.dumps(arguments)],
        size=size,
        timeout_s=timeout_s,
        PATINA_ENGINE_PYTHON=str(blender.engine_python),
        PATINA_ENGINE_ROOT=str(blenders.CHECKOUT),
    )
    noted = pictures / "engines.txt"
    engines = [int(line) for line in noted.read_text().split()] if noted.exists() else []
    noted.unlink(missing_ok=True)
    return Played(code, output, pictures, engines)
