"""`gallery` on the command line."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from engine.errors import InvalidRequest
from engine.gallery.plan import GALLERY, Feature, Plan

NAMES = ", ".join(feature.name for feature in GALLERY.features)


def gallery_arguments(add: argparse.ArgumentParser) -> None:
    """Declares the options of `gallery`."""
    add.add_argument(
        "--out", type=Path, default=Path("patina-out/gallery"), metavar="DIR",
        help="folder for the sheets and GALLERY.md (default: patina-out/gallery)",
    )  # fmt: skip
    add.add_argument(
        "--work", type=Path, default=Path("patina-out/gallery-work"), metavar="DIR",
        help="folder where finished pieces are kept (default: patina-out/gallery-work)",
    )  # fmt: skip
    add.add_argument("--only", metavar="NAME,...", help=f"some of {NAMES} (default: all)")
    add.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda or mps (default: auto)")


def gallery(options: argparse.Namespace) -> int:
    """Makes what is missing, then draws the sheets and writes the page."""
    chosen = features(GALLERY, options.only)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s")
    from rich.console import Console

    from engine import generation  # torch takes seconds; a wrong name is told before
    from engine.gallery.make import Workshop
    from engine.gallery.show import show
    from engine.material import files

    for folder in (options.work, options.out):
        files.check_folder(folder)
    shop = Workshop(GALLERY, options.work, generation.Models().load, options.device)
    console = Console()
    for line in show(GALLERY, chosen, shop, options.out):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    return 0


def features(plan: Plan, only: str | None) -> list[Feature]:
    """The features that are asked for, in the plan's order; all where nothing is.

    Raises:
        InvalidRequest: one has a name that there is not.
    """
    if only is None:
        return list(plan.features)
    asked = [name.strip() for name in only.split(",") if name.strip()]
    known = [feature.name for feature in plan.features]
    if strange := [name for name in asked if name not in known]:
        raise InvalidRequest(
            f"The gallery has no {strange[0]!r}. Choose from {', '.join(known)}.", field="only"
        )
    return [feature for feature in plan.features if feature.name in asked]
