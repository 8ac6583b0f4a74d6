"""Options of the command line that say where a run begins, what it keeps, and what it also wishes for."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

STARTS = "auto, exemplar, prior, codes, noise, gradient"  # importing the settings would cost the handshake
FILES = ("image", "mask", "overlay", "alpha")
NUMBERS = {
    "strength": "how far from --image, 0 to 1: 0.5 changes tones, more than that detail too (default: 0.5)",
    "decal": "share that an outline for a decal covers, 0 to 1: adds an alpha map (default: 0, none)",
}
TERMS = {
    "symmetry_x": "left and right mirror each other; try 20",
    "symmetry_y": "top and bottom mirror each other; try 20",
    "saturation": "more colourful, or with a number below 0 greyer; try 1 or -1",
    "smoothness": "neighbouring pixels are alike; try 20",
    "flat_lighting": "no slow change of brightness; try 200",
    "edges": "more and stronger edges; try 20",
    "margin": "one colour all along the border; try 50",
}

EDITS = """\
edits:
  An edit begins from a result, and changes it where the picture --mask is white. The black part stays as
  it is, pixel for pixel, but for a border of some 8 pixels on either side:

    refine bricks/red_bricks_v1.json --prompt "green moss" --mask part.png

  With another prompt the part begins as that prompt would; with --start auto, or the same prompt, it goes on
  from what is there. Pictures that a run begins from, masks and overlays
  are scaled to its size; where their shape differs, their middle counts.
"""


def add_edits(add: argparse.ArgumentParser) -> None:
    """Add the options that `generate` and `refine` share."""
    edits = add.add_argument_group("beginning and keeping")
    edits.add_argument(
        "--start", metavar="NAME", help=f"one of {STARTS} (default: auto, --image or exemplar)"
    )
    edits.add_argument("--strength", type=float, metavar="X", help=NUMBERS["strength"])
    edits.add_argument("--mask", metavar="FILE", help="white may change, black is kept")
    edits.add_argument(
        "--spot",
        nargs=2,
        action="append",
        metavar=("PROMPT", "FILE"),
        help="words for the white part of a picture; for several parts, give it again",
    )
    edits.add_argument("--overlay", metavar="FILE", help="a picture to lay over the result now and then")
    edits.add_argument("--overlay-every", type=int, metavar="N", help="steps between that (default: 4)")
    edits.add_argument("--decal", type=float, metavar="X", help=NUMBERS["decal"])
    edits.add_argument("--alpha", metavar="FILE", help="your own outline for a decal, white is opaque")
    terms = add.add_argument_group("wishes about base colour, each with a weight (default: 0, none)")
    for name, meaning in TERMS.items():
        terms.add_argument(f"--{name.replace('_', '-')}", type=float, metavar="W", help=meaning)


def add_image(add: argparse.ArgumentParser) -> None:
    """Add what `generate` may begin from; `refine` has its result."""
    add.add_argument(
        "--image", metavar="FILE", help="begin from a picture, or from a result by its JSON file: see below"
    )


def edits_of(options: argparse.Namespace) -> dict[str, Any]:
    """The settings that were asked for, paths absolute."""
    names = ("start", "strength", *FILES, "overlay_every", "decal", *TERMS)
    asked = {name: value for name in names if (value := getattr(options, name, None)) is not None}
    # Path.resolve raises where a link leads to itself, which is for the settings to refuse.
    asked |= {name: os.path.realpath(asked[name]) for name in FILES if name in asked}
    if getattr(options, "spot", None):
        asked["spots"] = [{"prompt": text, "mask": os.path.realpath(file)} for text, file in options.spot]
    return asked


def result_path(text: str) -> Path:
    """The JSON file of a result, for argparse."""
    if not text.lower().endswith(".json"):
        raise argparse.ArgumentTypeError(f"{text!r} is no result: give the .json file beside its pictures")
    return Path(text)
