"""The engine from a shell: the jobs that the add-on sends, and serving it."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import logging
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from engine import (
    __version__,
    cli_edits,
    cli_guiding,
    cli_report,
    cli_stop,
    cli_vary,
    models_cli,
    presets,
    selfcheck,
    server,
    stdio,
    thumbnails,
)
from engine.bench import commands as bench_commands
from engine.errors import Cancelled, InvalidRequest, PatinaError, UnknownPack, UnknownPreset
from engine.gallery import commands as gallery
from engine.library import commands as library
from engine.starter import commands

if TYPE_CHECKING:  # rich would cost the handshake a tenth of a second
    from rich.console import Console

    from engine.progress import Progress

PROMPTS = """\
prompts:
  Several are separated by bars, and each may end with a weight and a stop:

    "mossy cobblestones | wet:0.4 | text:-0.5:1.3"

  A weight (1 unless given) above 0 draws towards the words, one below 0 pushes away from them. The stop is
  how near is near enough, or how far is far enough: 0 is the same, 1.23 unrelated. Where a bar, or a colon
  before a number, belongs to the words, put them in double quotes: '"3:1":0.5'.
"""

BAD_INPUT = (InvalidRequest, UnknownPreset, UnknownPack)


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
    options = parser().parse_args(argv)
    try:
        return COMMANDS[options.command].run(options)
    except Cancelled as error:
        print(f"\npatina: {cli_stop.sentence(error)}", file=sys.stderr)
        return 130
    except PatinaError as error:
        print(f"patina: {error.message}", file=sys.stderr)
        return 2 if isinstance(error, BAD_INPUT) else 1
    except KeyboardInterrupt:
        print("\npatina: stopped; nothing was finished.", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """The command line of all subcommands."""
    top = argparse.ArgumentParser(prog="python -m engine", description="Describe a surface, get a material.")
    top.add_argument("--version", action="version", version=f"patina {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        command.arguments(commands.add_parser(name, help=command.help, description=f"{command.help}."))
    return top


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


def _generate_arguments(add: argparse.ArgumentParser) -> None:
    names = ", ".join(presets.ids())
    add.formatter_class = argparse.RawDescriptionHelpFormatter
    add.epilog = f"{PROMPTS}\n{cli_edits.EDITS}"
    add.add_argument(
        "prompt", metavar="PROMPT", help='the surface, in words: "mossy cobblestones"; see below'
    )
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
    add.add_argument("--preset", metavar="NAME", help=f"one of {names} (default: plain)")
    add.add_argument("--variations", type=int, metavar="N", help="how many to make, 1 to 16 (default: 4)")
    add.add_argument("--size", type=_size, metavar="WxH", help="pixels: 512x256, or 512 (default: 256)")
    add.add_argument(
        "--quality", metavar="Q", help="draft, normal or best: fills what is left open (default: normal)"
    )
    add.add_argument(
        "--candidates", type=int, metavar="N", help="tried for each variation; the best goes on (default: 1)"
    )
    add.add_argument("--steps", type=int, metavar="N", help="guided steps; more take longer (default: 12)")
    add.add_argument("--seed", type=int, metavar="N", help="the same seed, the same files (default: drawn)")
    add.add_argument("--tile", metavar="AXES", help="repeats along xy, x, y or none (default: xy)")
    add.add_argument("--pack", metavar="NAME", help="the networks to use (default: starter)")
    cli_edits.add_image(add)
    cli_guiding.add(add)
    _place_arguments(add)
    cli_edits.add_edits(add)


def _refine_arguments(add: argparse.ArgumentParser) -> None:
    add.formatter_class, add.epilog = argparse.RawDescriptionHelpFormatter, cli_edits.EDITS
    add.add_argument(
        "sidecar", type=cli_edits.result_path, metavar="RESULT.json", help="the JSON file beside its pictures"
    )
    add.add_argument(
        "--scale", type=int, default=1, metavar="N", help="1, or 2 for twice the size (default: 1)"
    )
    add.add_argument("--prompt", metavar="T", help="other words (default: those of the result)")
    add.add_argument("--negative", metavar="T", help="what it should not look like")
    add.add_argument("--preset", metavar="NAME", help="another preset")
    add.add_argument("--steps", type=int, metavar="N", help="guided steps (default: those of the result)")
    cli_guiding.add(add)
    _place_arguments(add)
    cli_edits.add_edits(add)


def _remake_arguments(add: argparse.ArgumentParser) -> None:
    add.add_argument(
        "sidecar", type=cli_edits.result_path, metavar="RESULT.json", help="the JSON file beside its pictures"
    )
    _place_arguments(add)


def _vary_arguments(add: argparse.ArgumentParser) -> None:
    cli_vary.vary_arguments(add)
    _place_arguments(add)


def _interpolate_arguments(add: argparse.ArgumentParser) -> None:
    cli_vary.interpolate_arguments(add)
    _place_arguments(add)


def _story_arguments(add: argparse.ArgumentParser) -> None:
    cli_vary.story_arguments(add)
    _place_arguments(add)


def _resume_arguments(add: argparse.ArgumentParser) -> None:
    add.add_argument("out", type=Path, metavar="FOLDER", help="the folder of a run that was stopped")
    add.add_argument("--device", metavar="D", help="auto, cpu, cuda or mps (default: auto)")
    add.add_argument("--json", action="store_true", help="print the summary as one line of JSON")


def _place_arguments(add: argparse.ArgumentParser) -> None:
    add.add_argument("--device", metavar="D", help="auto, cpu, cuda or mps (default: auto)")
    add.add_argument("--out", type=Path, metavar="DIR", help="folder for the files (default: patina-out/...)")
    add.add_argument("--json", action="store_true", help="print the summary as one line of JSON")


def generate_params(options: argparse.Namespace) -> dict[str, Any]:
    """The parameters of the request `generate`, but for edits and guiding."""
    asked = (
        *(
            "prompt",
            "negative",
            "preset",
            "quality",
            "candidates",
            "variations",
            "steps",
            "seed",
            "tile",
            "pack",
            "device",
        ),
        *("pictures", "palette", "palette_weight", "anti_lettering"),
    )
    params = {name: getattr(options, name) for name in asked if getattr(options, name) is not None}
    if options.size is not None:
        params["width"], params["height"] = options.size
    return params


def _generate(options: argparse.Namespace) -> int:
    from engine.params import resolve

    _make(options, generate_params(options), resolve)
    return 0


def refine_params(options: argparse.Namespace) -> dict[str, Any]:
    """The parameters of the request `refine`, but for edits and guiding."""
    asked = ("prompt", "negative", "preset", "steps", "device", "scale")
    params = {name: getattr(options, name) for name in asked if getattr(options, name) is not None}
    return {**params, "sidecar": str(options.sidecar.resolve())}


def _refine(options: argparse.Namespace) -> int:
    from engine.refine import resolve

    _make(options, refine_params(options), resolve)
    return 0


def _remake(options: argparse.Namespace) -> int:
    from engine import remake, sources

    place = options.out or Path("patina-out")
    if place.resolve() == options.sidecar.resolve().parent:
        raise InvalidRequest("The result's own folder would be overwritten. Give another --out.", field="out")
    params = {} if options.device is None else {"device": options.device}
    then = sources.sidecar(options.sidecar, "sidecar")
    folder = _make(options, {**params, "sidecar": str(options.sidecar.resolve())}, remake.resolve)
    again = folder / options.sidecar.name  # the same rank, unless something is not as it was
    if again.exists():
        for sentence in remake.differences(then, sources.sidecar(again, "sidecar")):
            print(f"patina: {sentence} Expect small differences.", file=sys.stderr)
    return 0


def _vary(options: argparse.Namespace) -> int:
    from engine.vary import resolve

    _make(options, cli_vary.vary_params(options), resolve)
    return 0


def _interpolate(options: argparse.Namespace) -> int:
    from engine.interpolate import resolve

    made_by = ("engine.interpolate", "run_interpolate")
    _make(options, cli_vary.interpolate_params(options), resolve, made_by)
    return 0


def _story(options: argparse.Namespace) -> int:
    from engine.story import resolve

    try:
        _make(options, cli_vary.story_params(options), resolve, ("engine.story", "run_story"))
    except KeyboardInterrupt:
        print("\npatina: stopped; the frames that were finished are kept.", file=sys.stderr)
        return 130
    return 0


def _resume(options: argparse.Namespace) -> int:
    from engine.resume import resolve

    _make(options, {} if options.device is None else {"device": options.device}, resolve)
    return 0


def _make(
    options: argparse.Namespace,
    params: Mapping[str, Any],
    resolve: Callable[..., Any],
    made_by: tuple[str, str] = ("engine.generation", "run_generate"),
) -> Path:
    """Run a job, by module and function, from parameters that `resolve` understands, and say what came of it.

    Returns its folder.
    """
    place = options.out or Path("patina-out")
    asked = {**params, **cli_edits.edits_of(options), **cli_guiding.settings_of(options)}
    settings, delivery = resolve({**asked, "folder": str(place.resolve())})
    answers = stdio.own_stdout()  # so that nothing but the result gets there, whatever a library prints
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s")

    from rich.console import Console

    with Bar(Console(file=sys.stderr)) as bar:
        from engine import generation  # torch takes seconds; the bar is there by now
        from engine.material.files import slug
        from engine.synthesis.prompts import title

        folder = Path(delivery.folder) / ("" if options.out else slug(title(settings.prompt)))
        run = getattr(importlib.import_module(made_by[0]), made_by[1])
        with cli_stop.on_interrupt() as stop:
            summary = run(
                settings,
                folder,
                load=generation.Models().load,
                device=delivery.device,
                on_progress=bar.show,
                should_stop=stop.is_set,
                keep_on_cancel=delivery.keep_on_cancel,
                checkpoint_every=delivery.checkpoint_every,
                resume=delivery.resume,
            )
    with os.fdopen(answers, "w", encoding="utf-8") as stdout:
        if options.json:
            print(json.dumps(summary), file=stdout)
        elif "variations" not in summary:
            print(
                f"{len(summary['frames'])} frames and {summary['animation']} (seed {summary['seed']})",
                file=stdout,
            )
            print(f"In {folder}", file=stdout)
        else:
            _print_table(Console(file=stdout), summary, folder)
    return folder


class Bar:
    """The progress bar of one job: phase, steps, time left."""

    def __init__(self, console: Console) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description:8}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
        )
        self._task = self._bar.add_task("start", total=None, left="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, progress: Progress) -> None:
        """Show where the job is."""
        left = "" if progress.seconds_left is None else f"{progress.seconds_left:.0f} s left"
        self._bar.update(
            self._task, description=progress.phase, completed=progress.step, total=progress.total, left=left
        )


def _print_table(console: Console, summary: dict[str, Any], folder: Path) -> None:
    from rich.table import Table

    table = Table(title=f"{summary['prompt']}  (seed {summary['seed']}, {summary['seconds']['total']:.1f} s)")
    for heading in ("rank", "judge", "guide", "seam", "relief", "base colour"):
        table.add_column(heading, justify="left" if heading == "base colour" else "right")
    for v in summary["variations"]:
        scores = (f"{v[name]:.3f}" for name in ("judge_score", "guide_score", "seam", "relief"))
        table.add_row(str(v["rank"]), *scores, v["files"]["basecolor"])
    console.print(table)
    if line := cli_report.memory(summary):
        console.print(line, markup=False)
    for note in cli_report.notes(summary):
        console.print(note, markup=False)
    for warning in summary["warnings"]:
        console.print(f"Note: {warning}", markup=False)
    console.print(f"In {folder}", markup=False, soft_wrap=True)


def _size(text: str) -> tuple[int, int]:
    """Width and height from 512x256 or 512. Whether they are good is for the settings to say."""
    width, _, height = text.lower().partition("x")
    try:
        return int(width), int(height or width)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no size: write 512x256, or 512 for a square") from None


def _picture(text: str) -> dict[str, Any]:
    """A picture prompt from FILE, FILE:0.5, FILE:free or FILE:0.5:free."""
    path, free = text.removesuffix(":free"), text.endswith(":free")
    weight = 1.0
    with contextlib.suppress(ValueError):  # a colon before no number belongs to the path
        path, weight = path.rpartition(":")[0], float(path.rpartition(":")[2])
    return {"path": str(Path(path).resolve()), "weight": weight, "aligned": not free}


def _palette(text: str) -> str:
    """Colours as they are, or the absolute path of a file that is there."""
    return str(Path(text).resolve()) if Path(text).is_file() else text


COMMANDS: dict[str, Command] = {
    "serve": Command("Serve requests on stdin, one JSON-RPC message a line", lambda _: None, _serve),
    "generate": Command("Make variations of a material from words", _generate_arguments, _generate),
    "refine": Command("Go on from a result, as large or twice as large", _refine_arguments, _refine),
    "resume": Command("Go on with a run that was stopped, to its end", _resume_arguments, _resume),
    "remake": Command("Make a result again from its JSON file", _remake_arguments, _remake),
    "vary": Command("Make variations of a result or a picture", _vary_arguments, _vary),
    "interpolate": Command("Make the materials between two results", _interpolate_arguments, _interpolate),
    "story": Command("Make frames of a material that changes over time", _story_arguments, _story),
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
