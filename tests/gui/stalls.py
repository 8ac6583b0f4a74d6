"""How long a run keeps Blender waiting: `python -m tests.gui.stalls`, from the top of the checkout."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from tests.gui import blenders
from tests.gui.play import play

LONGEST = 4  # turns that are told one by one


def main() -> int:
    """Run once in a real window and print what the timer and the panels took. 0, or 1 where it failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blender", choices=blenders.BLENDERS, default="sid", help="default: sid (5.2)")
    parser.add_argument("--prompt", default="mossy cobblestones")
    parser.add_argument("--size", type=int, default=512, help="of the material, px")
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--variations", type=int, default=4)
    options = parser.parse_args()
    settings = {"size": str(options.size), "steps": options.steps, "variations": options.variations}
    with tempfile.TemporaryDirectory(prefix="patina-stalls-") as folder:
        try:
            blender = blenders.BLENDERS[options.blender](Path(folder))
        except blenders.MissingError as error:
            parser.exit(2, f"This machine cannot show that Blender: {error}\n")
        plan = {"prompt": options.prompt, "settings": settings}
        played = play(blender, "stalls", size=(900, 640), timeout_s=900, **plan)
        if played.code:
            sys.stderr.write(played.output)
            return 1
        spent = json.loads((played.pictures / "stalls.json").read_text())
    for name, seconds in spent.items():
        ms = 1000 * np.array(seconds)
        median, high = np.quantile(ms, (0.5, 0.99))
        longest = ", ".join(f"{ms[i]:.1f} (turn {i + 1})" for i in ms.argsort()[: -LONGEST - 1 : -1])
        sys.stdout.write(
            f"{name}: {len(ms)} turns, median {median:.2f} ms, p99 {high:.2f} ms, longest {longest} ms\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
