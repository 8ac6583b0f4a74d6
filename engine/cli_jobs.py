"""A job run from a shell: its bar on stderr, Ctrl-C, and nothing but the answer on stdout."""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from engine import cli_edits, cli_guiding, cli_report, cli_stop, places, stdio
from engine.desk import heavy
from engine.errors import InvalidRequest
from engine.host import Host
from engine.models import packs

if TYPE_CHECKING:  # rich would cost the handshake a tenth of a second
    from rich.console import Console

    from engine.progress import Progress

Answer = Callable[[dict[str, Any], Callable[..., None]], None]
"""Gives the answer: what it is, and what prints it for people on a console."""

OUT = Path("patina-out")
GENERATE = ("engine.generation", "run_generate")
STORY = ("engine.story", "run_story")


def place_arguments(add: argparse.ArgumentParser) -> None:
    """Declares where a job runs, and where results go."""
    add.add_argument("--device", metavar="D", help="auto, cpu, cuda or mps (default: auto)")
    add.add_argument("--out", type=Path, metavar="DIR", help=f"folder for the files (default: {OUT}/...)")
    add.add_argument("--json", action="store_true", help="print the summary as one line of JSON")


def given(options: argparse.Namespace, *names: str) -> dict[str, Any]:
    """Of these options those that were given."""
    return {name: value for name in names if (value := getattr(options, name)) is not None}


@contextlib.contextmanager
def running(options: argparse.Namespace) -> Iterator[tuple[Host, Answer]]:
    """Whom a job is to run for, and what takes its answer."""
    answers = stdio.own_stdout()  # so that nothing but the answer gets there, whatever a library prints
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s")

    from rich.console import Console

    told: list[tuple[dict[str, Any], Callable[..., None]]] = []
    with os.fdopen(answers, "w", encoding="utf-8", errors="backslashreplace") as stdout:
        with Bar(Console(file=sys.stderr)) as bar:
            load = heavy("engine.generation").Models().load  # torch takes seconds; the bar is there by now
            with cli_stop.on_interrupt() as stop:  # not before: until here there is nothing to keep
                yield Host(load, bar.show, should_stop=stop.is_set), lambda *answer: told.append(answer)
        for found, show in told:
            if options.json:
                print(json.dumps(found), file=stdout)
            else:
                show(Console(file=stdout), found)


def make(
    options: argparse.Namespace,
    params: Mapping[str, Any],
    resolve: Callable[..., Any],
    made_by: tuple[str, str] = GENERATE,
    *,
    spared: Path | None = None,
) -> Path:
    """Run a job, by module and function, from parameters that `resolve` understands, and say what came of it.

    Args:
        options: of the command line.
        params: of the request, but for what edits and guiding add, and its folder.
        resolve: parameters → settings and delivery.
        made_by: what runs it.
        spared: a folder that nothing may be written to.

    Returns:
        Its folder.

    Raises:
        InvalidRequest: it would write to the folder that is to be spared.
        UnknownPack: there is no such pack.
        PatinaError: what `resolve` and the job raise.
    """
    asked = {**params, **cli_edits.edits_of(options), **cli_guiding.settings_of(options)}
    settings, delivery = resolve({**asked, "folder": places.absolute(options.out or OUT)})
    _spare(spared, Path(delivery.folder))
    packs.entry(settings.pack)  # before torch is there, which takes seconds
    with running(options) as (host, answer):
        if not options.out:
            from engine.material.files import slug
            from engine.synthesis.prompts import title

            folder = Path(delivery.folder) / slug(title(settings.prompt))
            delivery = delivery.model_copy(update={"folder": str(folder)})
            _spare(spared, folder)
        module, run = made_by
        summary = getattr(heavy(module), run)(settings, delivery, host)
        answer(summary, lambda console, found: cli_report.show(console, found, delivery.folder))
    return Path(delivery.folder)


def _spare(spared: Path | None, folder: Path) -> None:
    if spared is not None and places.absolute(folder) == places.absolute(spared):
        raise InvalidRequest("The result's own folder would be overwritten. Give another --out.", field="out")


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
