"""Pictures of the panel for the README: `python -m tests.gui.shots FOLDER`, from the top of the checkout."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from tests.gui import blenders
from tests.gui.play import play


def main() -> int:
    """Play the window test's scenario with a larger run and keep its pictures. 0, or 1 where it failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument("--blender", choices=blenders.BLENDERS, default="sid", help="default: sid (5.2)")
    parser.add_argument("--prompt", default="mossy cobblestones", help="lower-case words")
    parser.add_argument("--preset", default="stone")
    parser.add_argument(
        "--preview", type=float, default=300, help="most seconds to wait for shaders; 0: Solid"
    )
    parser.add_argument("--size", type=int, default=256, help="of the material, px")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--variations", type=int, default=4)
    options = parser.parse_args()
    settings = {"size": str(options.size), "steps": options.steps, "variations": options.variations}
    with tempfile.TemporaryDirectory(prefix="patina-shots-") as folder:
        try:
            blender = blenders.BLENDERS[options.blender](Path(folder))
        except blenders.MissingError as error:
            parser.exit(2, f"This machine cannot show that Blender: {error}\n")
        played = play(
            blender,
            "material",
            size=(1280, 800),
            timeout_s=900,
            prompt=options.prompt,
            preset=options.preset,
            settings=settings,
            preview_s=options.preview,
        )
        shutil.copytree(played.pictures, options.folder, dirs_exist_ok=True)
    if played.code:
        sys.stderr.write(played.output)
    return int(played.code != 0)


if __name__ == "__main__":
    sys.exit(main())
