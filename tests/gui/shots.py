"""Pictures for README and guide: `python -m tests.gui.shots FOLDER`, from the top of the checkout.

With `--update` it also stores how the sidebar looks, for the window test to compare with.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from tests.addon.link import wheels
from tests.gui import blenders, look, textures
from tests.gui.play import Played, play

WINDOW = (960, 1500)  # the presets are 840 wide, an open history below results about as high
SCENES = ("first_start", "ready", "gallery", "using", "past")  # of the first day; they need no engine
OTHERS, SEARCHED = ("shelf", "trouble", "spanish"), "green moss"
PLAN = {"prompt": "mossy cobblestones", "preset": "stone"}
WHOLE = {"applied": 1240, "gallery": 905, "preferences": 0}  # rows of the window; 0: as far as it is filled
STATUS_BAR_PX = 30  # the window's last rows
WHOLE_WIDTH = 760
SIDEBARS = (
    *("first start", "installing", "ready", "generating", "results", "queue", "history", "library"),
    "error",
)
COLOURS = 160
QUALITY = 82
MOST_BYTES = 100_000


def main() -> int:
    """Play the scenarios with a larger run and keep their pictures. 0, or 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="where the pictures go")
    parser.add_argument("--update", action="store_true", help="store the steady states, too")
    parser.add_argument("--blender", choices=blenders.BLENDERS, default="sid", help="default: sid (5.2)")
    parser.add_argument(
        "--preview", type=float, default=300, help="most seconds to wait for shaders; 0: Solid"
    )
    parser.add_argument("--size", type=int, default=256, help="of the material, px")
    parser.add_argument("--steps", type=int, default=12, help="default: 12, as the panel has it")
    parser.add_argument("--variations", type=int, default=4)
    parser.add_argument("--only", nargs="*", choices=PARTS, default=[*PARTS], help="parts of the guide")
    options = parser.parse_args()
    if options.folder is None and not options.update:
        parser.error("name a folder for the pictures")
    return max(in_blender(options.blender, part, options) for part in options.only)


def in_blender(name: str, part: str, options: argparse.Namespace) -> int:
    """Play a part and keep its pictures, cut out and made small."""
    with tempfile.TemporaryDirectory(prefix="patina-shots-") as folder:
        try:
            blender = blenders.BLENDERS[name](Path(folder))
        except blenders.MissingError as error:
            sys.stderr.write(f"This machine cannot show that Blender: {error}\n")
            return 2
        played = PARTS[part](blender, options)
        if keep_all := os.environ.get("PATINA_SHOTS"):
            shutil.copytree(played.pictures, Path(keep_all) / name, dirs_exist_ok=True)
        if played.code:
            sys.stderr.write(played.output)
            return 1
        states = [file.stem for file in sorted(played.pictures.glob("*.png"))]
        for state in states if options.folder is not None else ():
            keep(played.pictures, state, options.folder)
        for state in look.STEADY.get(part, ()) if options.update else ():
            look.Look.of(played.pictures, state).store(look.reference(name, state))
    return 0


def first_day(blender: blenders.Blender, _options: argparse.Namespace) -> Played:
    """Without an engine."""
    return play(
        blender,
        *(*SCENES, "preferences"),
        size=WINDOW,
        timeout_s=900,
        **PLAN,
        **small_engine(blender),
    )


def making(blender: blenders.Blender, options: argparse.Namespace) -> Played:
    """With one: a run and what is made of it."""
    settings = {"size": str(options.size), "steps": options.steps, "variations": options.variations}
    return play(
        blender,
        *("ready", "material"),
        size=WINDOW,
        timeout_s=1800,
        **PLAN,
        settings=settings,
        preview_s=options.preview,
    )


def afterwards(blender: blenders.Blender, _options: argparse.Namespace) -> Played:
    """What waits, what was made before."""
    return play(blender, "history", size=WINDOW, timeout_s=900)


def library(blender: blenders.Blender, _options: argparse.Namespace) -> Played:
    """A folder of textures, what can go wrong, and another language."""
    drawn = textures.write(blender.folder / "textures")
    return play(blender, *OTHERS, size=WINDOW, timeout_s=1200, textures=str(drawn), words=SEARCHED)


PARTS: dict[str, Callable[[blenders.Blender, argparse.Namespace], Played]] = {
    "first-day": first_day,
    "making": making,
    "afterwards": afterwards,
    "library": library,
}


def small_engine(blender: blenders.Blender) -> dict[str, object]:
    """What the scenario of the first start needs: an engine that installs in seconds, without a network."""
    place = blender.folder / "small-engine"
    place.mkdir()
    wheels.make(place)
    return {
        "small_engine": str(place),
        "installer_python": str(blender.engine_python),
        "reachable": blender.reaches_all,
    }


def filled(window: Image.Image) -> int:
    """How many rows there are down to the last one that differs from the one below, and a margin."""
    rows = np.asarray(window.convert("L"), np.int16)[:-STATUS_BAR_PX]
    changes = np.flatnonzero((rows[1:] != rows[:-1]).any(1))
    return min(int(changes[-1]) + STATUS_BAR_PX, window.height)


def keep(pictures: Path, state: str, folder: Path) -> None:
    """Store a picture that the guide shows: the sidebar as palette PNG, the window as JPEG."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / state.replace(" ", "-")
    if state in WHOLE:
        image = Image.open(pictures / f"{state}.png").convert("RGB")
        image = image.crop((0, 0, image.width, WHOLE[state] or filled(image)))
        image.thumbnail((WHOLE_WIDTH, image.height))
        image.save(file := target.with_suffix(".jpg"), quality=QUALITY, optimize=True)
    elif state in SIDEBARS:
        shown = look.Look.of(pictures, state).picture
        shown.quantize(COLOURS).save(file := target.with_suffix(".png"), optimize=True)
    else:
        return
    if file.stat().st_size > MOST_BYTES:
        sys.stderr.write(f"{file.name} has {file.stat().st_size} bytes, more than a guide should load\n")


if __name__ == "__main__":
    sys.exit(main())
