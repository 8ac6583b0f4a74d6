"""Options of the command line that say what else guides a run, and how."""

from __future__ import annotations

import argparse
from typing import Any


def add(to: argparse.ArgumentParser) -> None:
    """Add the options that `generate` and `refine` share."""
    add_guiding(to).add_argument(
        "--checkpoint-every",
        type=int,
        metavar="N",
        help="steps from one checkpoint for `resume` to the next; 0 for none (default: 50)",
    )


def add_guiding(to: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Add what a story shares with them too. Returns the group, for more."""
    group = to.add_argument_group("guiding")
    group.add_argument(
        "--guide",
        dest="guides",
        nargs=3,
        action="append",
        metavar=("NAME", "WEIGHT", "EVERY"),
        help="one more CLIP to guide with: a pack, for its guide, or NAME:TAG of open_clip's if a pack has "
        "it, as `models add` makes it; its weight beside 1, and every how many steps it is asked. For "
        "several, give it again",
    )
    group.add_argument(
        "--lit-cuts",
        type=float,
        metavar="X",
        help="share of the views that show the material under light, 0 to 1 (default: 0)",
    )
    group.add_argument(
        "--noise-prompt",
        dest="noise_prompts",
        type=_noise,
        action="append",
        metavar="SEED[:WEIGHT]",
        help="a random direction to pull in (weight 0.1 unless given). For several, give it again",
    )
    return group


def settings_of(options: argparse.Namespace) -> dict[str, Any]:
    """The settings that were asked for; numbers that are none stay text, for the settings to refuse."""
    names = ("lit_cuts", "noise_prompts", "checkpoint_every")
    asked = {name: value for name in names if (value := getattr(options, name, None)) is not None}
    if getattr(options, "guides", None):
        asked["guides"] = [
            {"name": name, "weight": _number(weight, float), "every": _number(every, int)}
            for name, weight, every in options.guides
        ]
    return asked


def _number(text: str, kind: type[float | int]) -> float | int | str:
    try:
        return kind(text)
    except ValueError:
        return text


def _noise(text: str) -> dict[str, Any]:
    """A noise prompt from SEED or SEED:WEIGHT."""
    seed, colon, weight = text.partition(":")
    try:
        return {"seed": int(seed), **({"weight": float(weight)} if colon else {})}
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no noise prompt: write 7, or 7:0.2") from None
