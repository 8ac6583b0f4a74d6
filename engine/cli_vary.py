"""`vary`, `interpolate` and `story` on the command line."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from engine import cli_guiding, places
from engine.cli_jobs import STORY as STORY_RUN, given, make, place_arguments

MAPS = ("normal", "roughness", "metallic", "height", "ao", "emission")

VARY = """\
  A variation of a result is its recipe laid out anew, and with more strength one of the recipes around it;
  a variation of a picture is the picture with its places changed about. Guidance brings either near to
  what the guide sees in the original. --from and --to turn it from one text to another:

    vary bricks/red_bricks_v1.json --strength 0.4 --variations 4
    vary mud/dry_mud_v1.json --strength 0 --from dry --to wet

  At --strength 0 the layout stays, and only the difference counts.
"""

INTERPOLATE = """\
  Each material on the way has its own maps and JSON file, and strip.png shows them side by side.

    interpolate bricks/red_bricks_v1.json cobbles/mossy_cobblestones_v1.json --steps 8 --out way
"""

STORY = """\
  Scenes stand between bars, each with its time and a colon before its words. Times are numbers of frames,
  counted from 0, or shares of the whole: 0% to 100%, or 0 to 1 if no time is above 1. Where frames are
  numbered beyond the last one, the story is drawn together to fit. A scene may have several prompts with
  weights, as for generate: a bar begins a new scene only where a number and a colon follow it.

    story "0: dry mud | 40: cracked mud | 80: wet mud" --frames 24 --out mud
    story "0%: red bricks | 100%: mossy red bricks | wet:0.4" --frames 12 --size 256

  Every frame repeats seamlessly. Beside frame_0001.png and so on come story.webp, which plays them, and
  story.json, which holds all settings. With --maps normal,roughness,height the frames have these maps too,
  normal_0001.png and so on, which Blender loads as image sequences. Ctrl-C keeps the frames that are there.
"""


def vary_arguments(add: argparse.ArgumentParser) -> None:
    """Declares the options of `vary`."""
    add.formatter_class, add.epilog = argparse.RawDescriptionHelpFormatter, VARY
    add.add_argument("source", metavar="RESULT.json|PICTURE", help="what to make variations of")
    add.add_argument("--strength", type=float, metavar="X", help="how far they may go, 0 to 1 (default: 0.4)")
    add.add_argument("--from", dest="before", metavar="T", help='what it is, in words: "dry"')
    add.add_argument("--to", dest="after", metavar="T", help='what it shall be: "wet"')
    add.add_argument(
        "--weight", type=float, metavar="W", help="how far from the one to the other, 0 to 2 (default: 1)"
    )
    add.add_argument("--variations", type=int, metavar="N", help="how many to make, 1 to 16 (default: 4)")
    add.add_argument("--prompt", metavar="T", help="a name for them (default: the result's words)")
    add.add_argument("--steps", type=int, metavar="N", help="guided steps; more take longer")
    _seed_and_size(add)
    place_arguments(add)


def vary(options: argparse.Namespace) -> int:
    """Makes variations of a result or a picture."""
    from engine.vary import resolve

    make(options, vary_params(options), resolve)
    return 0


def vary_params(options: argparse.Namespace) -> dict[str, Any]:
    """The parameters of the request `vary`."""
    path = places.absolute(options.source)
    params = given(options, "strength", "variations", "prompt", "steps", "seed", "device")
    params["result" if path.lower().endswith(".json") else "image"] = path
    words = {"from": options.before, "to": options.after, "weight": options.weight}
    if any(value is not None for value in words.values()):
        params["difference"] = {name: value for name, value in words.items() if value is not None}
    return {**params, **_size(options)}


def interpolate_arguments(add: argparse.ArgumentParser) -> None:
    """Declares the options of `interpolate`."""
    add.formatter_class, add.epilog = argparse.RawDescriptionHelpFormatter, INTERPOLATE
    add.add_argument("first", metavar="A.json", help="the result, or a picture, to go from")
    add.add_argument("last", metavar="B.json", help="the result, or a picture, to go to")
    add.add_argument(
        "--steps",
        dest="count",
        type=int,
        metavar="N",
        help="materials, both ends included, 2 to 16 (default: 8)",
    )
    add.add_argument(
        "--guided", dest="steps", type=int, metavar="N", help="guided steps of each (default: 6)"
    )
    _seed_and_size(add)
    place_arguments(add)


def interpolate(options: argparse.Namespace) -> int:
    """Makes the materials between two."""
    from engine.interpolate import resolve

    make(options, interpolate_params(options), resolve)
    return 0


def interpolate_params(options: argparse.Namespace) -> dict[str, Any]:
    """The parameters of the request `interpolate`."""
    ends = {"from": places.absolute(options.first), "to": places.absolute(options.last)}
    return {**ends, **given(options, "count", "steps", "seed", "device"), **_size(options)}


def story_arguments(add: argparse.ArgumentParser) -> None:
    """Declares the options of `story`."""
    add.formatter_class, add.epilog = argparse.RawDescriptionHelpFormatter, STORY
    add.add_argument(
        "story", metavar="STORY|story.json", help="scenes with their times; or a story to tell again"
    )
    add.add_argument("--frames", type=int, metavar="N", help="how many, 2 to 1000 (default: 24)")
    add.add_argument("--fps", type=int, metavar="N", help="frames a second of story.webp (default: 12)")
    add.add_argument("--steps", type=int, metavar="N", help="guided steps of each frame (default: 3)")
    add.add_argument(
        "--maps",
        type=_maps,
        metavar="NAMES",
        help=f"of every frame, besides base colour: {', '.join(MAPS)}, or all (default: none)",
    )
    add.add_argument("--negative", metavar="T", help="what it should not look like")
    add.add_argument(
        "--no-lettering",
        dest="anti_lettering",
        type=float,
        metavar="W",
        help="push away from letters, watermarks and logos, 0 to 10; try 0.2 (default: 0)",
    )
    add.add_argument("--preset", metavar="NAME", help="a preset, as for generate (default: plain)")
    add.add_argument("--tile", metavar="AXES", help="repeats along xy, x, y or none (default: xy)")
    add.add_argument("--pack", metavar="NAME", help="the networks to use (default: starter)")
    _seed_and_size(add)
    cli_guiding.add_guiding(add)
    place_arguments(add)


def story(options: argparse.Namespace) -> int:
    """Makes the frames of a material that changes."""
    from engine.story import resolve

    try:
        make(options, story_params(options), resolve, STORY_RUN)
    except KeyboardInterrupt:
        print("\npatina: stopped; the frames that were finished are kept.", file=sys.stderr)
        return 130
    return 0


def story_params(options: argparse.Namespace) -> dict[str, Any]:
    """The parameters of the request `story`."""
    names = ("frames", "fps", "steps", "maps", "negative", "anti_lettering", "preset", "tile", "pack")
    params = {**given(options, *names, "seed", "device"), **_size(options)}
    if options.story.lower().endswith(".json"):
        return {**params, "sidecar": places.absolute(options.story)}
    return {**params, "story": options.story}


def _maps(text: str) -> list[str]:
    """Names of maps; whether there are such is for the settings to say."""
    return list(MAPS) if text == "all" else [name.strip() for name in text.split(",")]


def _seed_and_size(add: argparse.ArgumentParser) -> None:
    add.add_argument("--seed", type=int, metavar="N", help="the same seed, the same files (default: drawn)")
    add.add_argument("--size", metavar="WxH", help="pixels: 512x256, or 512 (default: the result's, or 256)")


def _size(options: argparse.Namespace) -> dict[str, Any]:
    """Width and height; what is no number is left for the schema to refuse."""
    if options.size is None:
        return {}
    width, x, height = options.size.lower().partition("x")
    sides = {"width": width, "height": height if x else width}
    return {name: int(side) if side.isdecimal() else side for name, side in sides.items()}
