"""`rank` on the command line."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import cli_jobs, places
from engine.errors import InvalidRequest
from engine.models import packs

if TYPE_CHECKING:
    from rich.console import Console


def arguments(add: argparse.ArgumentParser) -> None:
    """Declares the options of `rank`."""
    add.add_argument("prompt", metavar="PROMPT", help="what they should be, in the language of `generate`")
    add.add_argument("files", nargs="+", type=Path, metavar="FILE", help="pictures, or folders of them")
    add.add_argument("--negative", metavar="T", help="what they should not look like")
    add.add_argument("--tile", metavar="AXES", help="meant to repeat along xy, x, y or none (default: xy)")
    add.add_argument("--views", type=int, metavar="N", help="that the judge has of each (default: 16)")
    add.add_argument("--pack", metavar="NAME", help="whose judge looks (default: starter)")
    add.add_argument("--device", metavar="D", help="auto, cpu, cuda or mps (default: auto)")
    add.add_argument("--json", action="store_true", help="print the answer as one line of JSON")


def rank(options: argparse.Namespace) -> int:
    """Prints pictures, best first; 1 where one could not be read.

    Raises:
        InvalidRequest: an option that the request does not take.
        PatinaError: what the job raises.
    """
    from pydantic import ValidationError

    from engine.params import invalid
    from engine.rank import Rank

    names = ("prompt", "negative", "tile", "views", "pack", "device")
    given = {name: value for name in names if (value := getattr(options, name)) is not None}
    try:
        asked = Rank.model_validate({**given, "files": _pictures(options.files)})
    except ValidationError as error:
        raise invalid(error, Rank) from error
    packs.entry(asked.pack)
    with cli_jobs.running(options) as (host, answer):
        from engine.judging import run_rank

        found = run_rank(asked, host)
        answer(found, _print)
    return int(bool(found["unread"]))


def _pictures(given: list[Path]) -> list[str]:
    """Absolute paths, links left as they are; of folders what is in them, by name.

    Raises:
        InvalidRequest: there is no picture in a folder.
    """
    found = []
    for path in given:
        if places.is_folder(path):
            from engine.library.pictures import is_picture

            inside = sorted(file for file in path.iterdir() if is_picture(file) and file.is_file())
            if not inside:
                raise InvalidRequest(f"There is no picture in {path}. Choose another folder.", field="files")
            found += inside
        else:
            found.append(path)
    return [os.path.abspath(path) for path in found]  # noqa: PTH100


def _print(console: Console, answer: dict[str, Any]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(answer["prompt"]))  # as text, for brackets are no styles
    for heading in ("rank", "judge", "seam", "file", ""):
        table.add_column(heading, justify="left" if heading in {"file", ""} else "right", overflow="fold")
    for file in answer["files"]:
        faults = [f"nearly repeats {file['repeats']}"] if file["repeats"] is not None else []
        faults += file["artefacts"] if file["seamless"] else ["a visible seam", *file["artefacts"]]
        scores = (f"{file[name]:.3f}" for name in ("judge_score", "seam"))
        table.add_row(str(file["rank"]), *scores, Path(file["file"]).name, ", ".join(faults))
    if answer["files"]:
        console.print(table, markup=False)
    for file in answer["unread"]:
        console.print(f"Not read: {file['error']}", markup=False, soft_wrap=True)
    if answer["unknown_words"]:
        console.print(f"Note: this judge does not know {', '.join(answer['unknown_words'])}.", markup=False)
