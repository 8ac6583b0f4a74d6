"""`generate`, `refine`, `remake` and `resume` on the command line."""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path
from typing import Any

from engine import cli_edits, cli_guiding, places, presets
from engine.cli_jobs import GENERATE, STORY, given, make, place_arguments

PROMPTS = """\
prompts:
  Several are separated by bars, and each may end with a weight and a stop:

    "mossy cobblestones | wet:0.4 | text:-0.5:1.3"

  A weight (1 unless given) above 0 draws towards the words, one below 0 pushes away from them. The stop is
  how near is near enough, or how far is far enough: 0 is the same, 1.23 unrelated. Where a bar, or a colon
  before a number, belongs to the words, put them in double quotes: '"3:1":0.5'.

  What lies on a material, such as moss, snow, leaves, sand, rust, dust, frost, paint or gold veins, is laid
  on it by its words and weight: "slightly snowy bricks", "bricks | snow:0.4" and "bricks | snow:1.5" are the
  same bricks under more and more snow. So it is with the starter, and materials that it knows by name.
"""


def generate_arguments(add: argparse.ArgumentParser) -> None:
    """Declares the options of `generate`."""
    add.formatter_class = argparse.RawDescriptionHelpFormatter
    add.epilog = f"{PROMPTS}\n{cli_edits.EDITS}"
    add.add_argument(
        "prompt", metavar="PROMPT", help='the surface, in words: "mossy cobblestones"; see below'
    )
    _wish_arguments(add)
    add.add_argument("--preset", metavar="NAME", help=f"one of {', '.join(presets.ids())} (default: plain)")
    add.add_argument("--variations", type=int, metavar="N", help="how many to make, 1 to 16 (default: 4)")
    add.add_argument(
        "--size",
        type=_size,
        metavar="WxH",
        help="pixels: 512x256, or 512 (default: 256); in steps of 8, of some packs 16",
    )
    add.add_argument(
        "--quality", metavar="Q", help="draft, normal or best: fills what is left open (default: normal)"
    )
    add.add_argument(
        "--coarse",
        action=argparse.BooleanOptionalAction,
        help="most steps at half the size, or none (default: where a side is 512 or more and both halve)",
    )
    add.add_argument(
        "--candidates", type=int, metavar="N", help="tried for each variation; the best goes on (default: 1)"
    )
    add.add_argument("--steps", type=int, metavar="N", help="guided steps; more take longer (default: 12)")
    add.add_argument("--seed", type=int, metavar="N", help="the same seed, the same files (default: drawn)")
    add.add_argument("--tile", metavar="AXES", help="repeats along xy, x, y or none (default: xy)")
    add.add_argument(
        "--pack", metavar="NAME", help="the networks to use (default: starter); `models add` makes others"
    )
    cli_edits.add_image(add)
    cli_guiding.add(add)
    place_arguments(add)
    cli_edits.add_edits(add)


def _wish_arguments(add: argparse.ArgumentParser) -> None:
    """What it shall look like, besides the prompt."""
    add.add_argument("--negative", metavar="T", help="what it should not look like, in the same language")
    add.add_argument(
        "--picture",
        dest="pictures",
        type=_picture,
        action="append",
        metavar="FILE[:WEIGHT][:free]",
        help="come near to a picture (weight 1 unless given), or below 0 keep away from it; where things are "
        "counts, too, unless :free. For several, give it again",
    )
    add.add_argument(
        "--palette",
        type=_palette,
        metavar="COLOURS",
        help='come near to colours: "cream, brick red, #36383b", or a picture file to take them from',
    )
    add.add_argument("--palette-weight", type=float, metavar="W", help="how near, 0 to 100 (default: 2)")
    add.add_argument(
        "--no-lettering",
        dest="anti_lettering",
        type=float,
        metavar="W",
        help="push away from letters, watermarks and logos, 0 to 10; try 0.2 (default: 0)",
    )


def generate(options: argparse.Namespace) -> int:
    """Makes variations from words."""
    from engine.params import resolve

    make(options, generate_params(options), resolve)
    return 0


def generate_params(options: argparse.Namespace) -> dict[str, Any]:
    """The parameters of the request `generate`, but for edits and guiding."""
    params = given(
        options,
        *("prompt", "negative", "preset", "quality", "candidates", "variations", "steps", "seed", "tile"),
        *("pack", "device", "pictures", "palette", "palette_weight", "anti_lettering", "coarse"),
    )
    if options.size is not None:
        params["width"], params["height"] = options.size
    return params


def refine_arguments(add: argparse.ArgumentParser) -> None:
    """Declares the options of `refine`."""
    add.formatter_class, add.epilog = argparse.RawDescriptionHelpFormatter, cli_edits.EDITS
    _result_argument(add)
    add.add_argument(
        "--scale", type=int, default=1, metavar="N", help="1, or 2 for twice the size (default: 1)"
    )
    add.add_argument("--prompt", metavar="T", help="other words (default: those of the result)")
    add.add_argument("--negative", metavar="T", help="what it should not look like")
    add.add_argument("--preset", metavar="NAME", help="another preset")
    add.add_argument("--steps", type=int, metavar="N", help="guided steps (default: those of the result)")
    cli_guiding.add(add)
    place_arguments(add)
    cli_edits.add_edits(add)


def refine(options: argparse.Namespace) -> int:
    """Goes on from a result."""
    from engine.refine import resolve

    make(options, refine_params(options), resolve)
    return 0


def refine_params(options: argparse.Namespace) -> dict[str, Any]:
    """The parameters of the request `refine`, but for edits and guiding."""
    params = given(options, "prompt", "negative", "preset", "steps", "device", "scale")
    return {**params, "sidecar": places.absolute(options.sidecar)}


def remake_arguments(add: argparse.ArgumentParser) -> None:
    """Declares the options of `remake`."""
    _result_argument(add)
    place_arguments(add)


def remake(options: argparse.Namespace) -> int:
    """Makes a result or a story again, and says where it may differ."""
    from engine import remake, story

    sidecar = Path(places.absolute(options.sidecar))
    is_story, then = story.is_story(sidecar), remake.stored(sidecar)
    params = {**given(options, "device"), "sidecar": str(sidecar)}
    folder = make(options, params, remake.resolve, STORY if is_story else GENERATE, spared=sidecar.parent)
    # The same rank, unless something is not as it was.
    again = folder / (story.STORY if is_story else sidecar.name)
    if again.exists():
        for sentence in remake.differences(then, remake.stored(again)):
            print(f"patina: {sentence} Expect small differences.", file=sys.stderr)
    return 0


def resume_arguments(add: argparse.ArgumentParser) -> None:
    """Declares the options of `resume`."""
    add.add_argument("out", type=Path, metavar="FOLDER", help="the folder of a run that was stopped")
    add.add_argument("--device", metavar="D", help="auto, cpu, cuda or mps (default: auto)")
    add.add_argument("--json", action="store_true", help="print the summary as one line of JSON")


def resume(options: argparse.Namespace) -> int:
    """Goes on with a run that was stopped."""
    from engine.resume import resolve

    make(options, given(options, "device"), resolve)
    return 0


def _result_argument(add: argparse.ArgumentParser) -> None:
    add.add_argument(
        "sidecar", type=cli_edits.result_path, metavar="RESULT.json", help="the JSON file beside its pictures"
    )


def _size(text: str) -> tuple[int, int]:
    """Width and height from 512x256 or 512. Whether they are good is for the settings to say."""
    width, x, height = text.lower().partition("x")
    try:
        return int(width), int(height if x else width)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no size: write 512x256, or 512 for a square") from None


def _picture(text: str) -> dict[str, Any]:
    """A picture prompt from FILE, FILE:0.5, FILE:free or FILE:0.5:free."""
    path, free = text.removesuffix(":free"), text.endswith(":free")
    weight = 1.0
    with contextlib.suppress(ValueError):  # a colon before no number belongs to the path
        path, weight = path.rpartition(":")[0], float(path.rpartition(":")[2])
    return {"path": places.absolute(path), "weight": weight, "aligned": not free}


def _palette(text: str) -> str:
    """Colours as they are, or the absolute path of a file that is there."""
    return places.absolute(text) if places.is_file(text) else text
