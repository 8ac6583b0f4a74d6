"""The engine from a shell: the jobs that the add-on sends, and serving it."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

from engine import (
    __version__,
    cli_make,
    cli_rank,
    cli_stop,
    cli_vary,
    hints,
    models_cli,
    presets,
    selfcheck,
    server,
    thumbnails,
)
from engine.bench import commands as bench_commands
from engine.errors import (
    Cancelled,
    DeviceUnavailable,
    InvalidRequest,
    PatinaError,
    UnknownPack,
    UnknownPreset,
    UnreadablePicture,
)
from engine.gallery import commands as gallery
from engine.library import commands as library
from engine.starter import commands

EXIT_CODES = """\
exit codes:
  0 all is done; 2 for bad input; 130 after Ctrl-C; 1 for everything else that goes wrong
"""
BAD_INPUT = (InvalidRequest, UnknownPreset, UnknownPack, DeviceUnavailable, UnreadablePicture)
SIDES = ("width", "height")


@dataclass(frozen=True)
class Command:
    """A subcommand. `run` returns the exit code."""

    help: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def main(argv: list[str] | None = None) -> int:
    """Run one subcommand.

    Returns:
        0; 2 for bad input, 130 after Ctrl-C, 1 for everything else that goes wrong.
    """
    try:
        try:
            return _run(argv)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:  # nobody reads any more, as after `| head -1`, which is no error to speak of
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python tries again at its end, and complains
        return 1


def _run(argv: list[str] | None) -> int:
    try:
        options = parser().parse_args(argv)
        return COMMANDS[options.command].run(options)
    except Cancelled as error:
        print(f"\npatina: {cli_stop.sentence(error)}", file=sys.stderr)
        return 130
    except PatinaError as error:
        print(f"patina: {_option(options, error.field)}{error.message}", file=sys.stderr)
        return 2 if isinstance(error, BAD_INPUT) else 1
    except KeyboardInterrupt:
        print("\npatina: stopped; nothing was finished.", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """The command line of all subcommands."""
    top = argparse.ArgumentParser(
        prog=hints.command(),
        description="Describe a surface, get a material.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"patina {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        add = commands.add_parser(name, help=command.help, description=f"{command.help}.")
        command.arguments(add)
        add.epilog = f"{add.epilog}\n{EXIT_CODES}" if add.epilog else EXIT_CODES
        add.formatter_class = argparse.RawDescriptionHelpFormatter
    return top


def _option(options: argparse.Namespace, field: str | None) -> str:
    """The option that a setting comes from, with a colon, where its name does not say so."""
    add = argparse.ArgumentParser()
    COMMANDS[options.command].arguments(add)
    wanted = "size" if field in SIDES else field
    names = [a.option_strings[0] for a in add._actions if a.dest == wanted and a.option_strings]  # noqa: SLF001
    return f"{names[0]}: " if names and names[0] != f"--{str(field).replace('_', '-')}" else ""


def _serve(_: argparse.Namespace) -> int:
    os._exit(server.serve())  # without waiting for a worker that may be in the middle of something


def _list_presets(_: argparse.Namespace) -> int:
    for preset_id in presets.ids():
        try:
            print(f"{preset_id:16} {presets.load(preset_id).description}")
        except UnknownPreset as error:
            print(f"{preset_id:16} broken: {error.message}")
    return 0


def _thumbnails(options: argparse.Namespace) -> int:
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s")
    for path in thumbnails.make(options.presets):
        print(path, flush=True)
    return 0


COMMANDS: dict[str, Command] = {
    "serve": Command("Serve requests on stdin, one JSON-RPC message a line", lambda _: None, _serve),
    "generate": Command(
        "Make variations of a material from words", cli_make.generate_arguments, cli_make.generate
    ),
    "refine": Command(
        "Go on from a result, as large or twice as large", cli_make.refine_arguments, cli_make.refine
    ),
    "resume": Command(
        "Go on with a run that was stopped, to its end", cli_make.resume_arguments, cli_make.resume
    ),
    "remake": Command(
        "Make a result or a story again from its JSON file", cli_make.remake_arguments, cli_make.remake
    ),
    "vary": Command("Make variations of a result or a picture", cli_vary.vary_arguments, cli_vary.vary),
    "interpolate": Command(
        "Make the materials between two results", cli_vary.interpolate_arguments, cli_vary.interpolate
    ),
    "story": Command(
        "Make frames of a material that changes over time", cli_vary.story_arguments, cli_vary.story
    ),
    "rank": Command("Rank pictures by how well they fit words", cli_rank.arguments, cli_rank.rank),
    "presets": Command("List the presets", lambda _: None, _list_presets),
    "thumbnails": Command("Draw the pictures of presets", thumbnails.arguments, _thumbnails),
    "models": Command(
        "List, download, add, verify and remove model packs", models_cli.arguments, models_cli.run
    ),
    "verify": Command("Load the starter, to see that all is well", selfcheck.arguments, selfcheck.run),
    "tag": Command("Say what pictures show", library.tag_arguments, library.tag),
    "index": Command("Index folders of textures", library.index_arguments, library.index),
    "search": Command("Find indexed textures", library.search_arguments, library.search),
    "calibrate": Command("Fit the confidence of tags", library.calibrate_arguments, library.calibrate),
    "library-evaluate": Command(
        "Measure tags and search on unseen materials", library.evaluate_arguments, library.evaluate
    ),
    "train": Command("Train the starter pack's networks", commands.train_arguments, commands.train),
    "evaluate": Command("Measure a pack on unseen materials", commands.evaluate_arguments, commands.evaluate),
    "trial": Command("Train two ways and compare", commands.trial_arguments, commands.trial),
    "gallery": Command("Show every feature on a sheet", gallery.gallery_arguments, gallery.gallery),
    "bench": Command(
        "Time the guided loop beside the published one", bench_commands.bench_arguments, bench_commands.bench
    ),
}
