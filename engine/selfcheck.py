"""`verify` on the command line: whether what is installed can work, asked before the first picture."""

from __future__ import annotations

import argparse
import json
import logging
import sys

from engine import __version__


def arguments(add: argparse.ArgumentParser) -> None:
    """Declares its option."""
    add.add_argument("--json", action="store_true", help="print what was found as one line of JSON")


def run(options: argparse.Namespace) -> int:
    """Load the starter onto the best device: every package imports, and every file has its hash.

    Raises:
        PatinaError: see `packs.load` and `compute.choose`.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    import torch

    from engine import compute
    from engine.models import packs

    chosen = compute.choose("auto")
    pack = packs.load("starter", chosen)
    facts = {
        "version": __version__,
        "torch": str(torch.__version__),
        "device": chosen.device.type,
        "label": next(d["label"] for d in compute.devices() if d["id"] == chosen.device.type),
        "pack": pack.id,
        "files": str(len(pack.hashes)),
    }
    if options.json:
        print(json.dumps(facts))
    else:
        print(f"Patina {facts['version']} works: {facts['label']}, torch {facts['torch']}.")
    return 0
