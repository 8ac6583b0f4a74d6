"""How long people wait."""

from __future__ import annotations

import os
import tempfile
from typing import Any

from engine.generation import run_generate
from engine.host import Host
from engine.models.packs import Pack
from engine.params import Delivery
from engine.settings import RunSettings
from engine.starter.evaluation.bench import STEPS

PROMPT = "mossy cobblestones"


def speed(pack: Pack, variations: int = 4, steps: int = STEPS) -> dict[str, Any]:
    """Seconds of a run from words to the files of all maps, and of its phases, with the pack in memory.

    `load` is how many processes wanted the processor in the minute before, on average: other work makes a
    run slower.
    """

    def seconds(n: int, guided: int) -> dict[str, float]:
        changed = {"prompt": PROMPT, "seed": 1, "variations": n, "steps": guided}
        wanted = RunSettings.model_validate(changed)
        with tempfile.TemporaryDirectory() as folder:
            return run_generate(wanted, Delivery.model_validate({"folder": folder}), Host(lambda *_: pack))[
                "seconds"
            ]

    load = {"load": os.getloadavg()[0]} if hasattr(os, "getloadavg") else {}  # Windows has none
    seconds(1, 1)  # the first run of a process pays for what later ones find ready
    taken = seconds(variations, steps)
    return {"variations": variations, "steps": steps, "size_px": 256, **load, "seconds": taken}
