"""`models` on the command line: list, download, add, verify and remove packs."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from engine import wording
from engine.hints import command
from engine.models import packs

if TYPE_CHECKING:
    from rich.console import Console


def arguments(add: argparse.ArgumentParser) -> None:
    """Declares the subcommands of `models` and their options."""
    todo = add.add_subparsers(dest="what", required=True, metavar="WHAT")
    listing = todo.add_parser("list", help="packs that are here, and packs to be had")
    listing.add_argument("--json", action="store_true", help="print them as one line of JSON")
    get = todo.add_parser(
        "download", help="fetch a pack of the catalogue; a second try goes on where one stopped"
    )
    get.add_argument("pack", metavar="PACK", help="one that `models list` shows")
    own = todo.add_parser(
        "add",
        help="make a pack of a VQGAN that you have, taming, flax, LlamaGen or diffusers, or of the starter's "
        "with other CLIPs",
    )
    own.add_argument("pack", metavar="NAME", help="what to call it: small letters, digits, - and _")
    own.add_argument(
        "generator",
        type=Path,
        nargs="?",
        metavar="FILE",
        help="its .ckpt, .pt, .safetensors or .msgpack, or its folder (default: the starter's generator)",
    )
    own.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="the .yaml or .json that came with it (default: the one beside it)",
    )
    clip = (
        "a pack's, open_clip's NAME:TAG, NAME:FILE with a checkpoint, or a folder (default: starter's, which "
        "knows its own materials only)"
    )
    own.add_argument("--guide", default="starter", metavar="CLIP", help=clip)
    own.add_argument("--judge", default="starter", metavar="CLIP", help="the same for the one that ranks")
    check = todo.add_parser("verify", help="hold every file against its hash")
    check.add_argument("packs", nargs="*", metavar="PACK", help="which (default: all that are here)")
    gone = todo.add_parser("remove", help="delete a pack that was downloaded or added")
    gone.add_argument("pack", metavar="PACK", help="one that does not ship with Patina")


def run(options: argparse.Namespace) -> int:
    """Does it.

    Returns:
        0, or 1 where `verify` found damage.

    Raises:
        PatinaError: see `install`.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    todo: dict[str, Callable[[argparse.Namespace], int]] = {
        "list": _list, "download": _download, "add": _add, "verify": _verify, "remove": _remove,
    }  # fmt: skip
    return todo[options.what](options)


def _list(options: argparse.Namespace) -> int:
    if options.json:
        print(json.dumps({"packs": packs.catalogue()}))
        return 0
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for heading in ("pack", "here", "size", "hashes", "licence", "what it is"):
        table.add_column(heading, justify="right" if heading == "size" else "left", overflow="fold")
    for p in packs.catalogue():
        here = ("ships" if p["ships"] else "yes") if p["installed"] else "no"
        hashes = "known" if p["verified"] else "unverified"
        table.add_row(p["id"], here, wording.size(p["bytes"]), hashes, p["licence"], p["description"])
    console = Console()
    console.print(table, markup=False)
    console.print(f"Yours are in {packs.fetched_folder()}", markup=False, soft_wrap=True)
    return 0


def _download(options: argparse.Namespace) -> int:
    from engine.models import install

    with Bar(_stderr()) as bar:
        info = install.download(options.pack, bar.tell)
    return _told(info, "is here")


def _add(options: argparse.Namespace) -> int:
    from engine.models import install

    with Bar(_stderr()) as bar:
        info = install.add(
            options.pack, options.generator, options.config, options.guide, options.judge, bar.tell
        )
    return _told(info, "was added")


def _told(info: packs.PackInfo, what: str) -> int:
    print(f"The pack {info.id!r} {what}: {info.description}")
    for role, file in info.files().items():
        hashed = "" if file.verified else ", not verified by us"
        print(f"  {role:10} {wording.size(file.bytes):>8}  {file.origin or 'ships with Patina'}{hashed}")
    print(f"Use it: {command('generate', 'PROMPT', '--pack', info.id)}")
    return 0


def _verify(options: argparse.Namespace) -> int:
    from engine.models import install

    wrong = 0
    for pack_id in options.packs or packs.entries():
        for role, error in install.verify(pack_id):
            print(f"{pack_id:14} {role:10} {'good' if error is None else error.message}")
            wrong += error is not None
    return 1 if wrong else 0


def _remove(options: argparse.Namespace) -> int:
    from engine.models import install

    print(f"Removed {options.pack!r}: {wording.size(install.remove(options.pack))} are free again.")
    return 0


def _stderr() -> Console:
    from rich.console import Console

    return Console(file=sys.stderr)


class Bar:
    """A line for each file: how much of it came, how fast, how long it still takes."""

    def __init__(self, console: Console) -> None:
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        self._bar = Progress(
            TextColumn("{task.description:8}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
        )
        self._shown: tuple[str, int] | None = None
        self._task: Any = None

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def tell(self, phase: str, done: int, total: int) -> None:
        """Show where it is; see `download.Tell`."""
        if (phase, total) != self._shown:
            self._shown = phase, total
            self._task = self._bar.add_task(phase, total=total or None)
        self._bar.update(self._task, completed=done)
