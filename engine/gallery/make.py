"""Makes the pieces of a plan, each by the functions behind its command, and keeps what is finished."""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from engine import (
    cli,
    cli_edits,
    cli_guiding,
    cli_make,
    cli_vary,
    generation,
    interpolate,
    refine,
    sources,
    story,
    vary,
)
from engine.errors import CannotWrite
from engine.gallery.plan import NAMED, Piece, Plan
from engine.host import Host, Load
from engine.material import files
from engine.models import packs
from engine.params import Delivery, resolve as resolve_generate
from engine.settings import RunSettings

MADE = "made.json"
"""In a piece's folder: written last, with the key of what was asked for and what came of it."""

MASK_PX = 256
PLAIN = re.compile(r"[\w./:=,+-]+")


@dataclass(frozen=True)
class Command:
    """What a command of the command line does: its parameters, their meaning, and the run."""

    params: Callable[[argparse.Namespace], dict[str, Any]]
    resolve: Callable[[Mapping[str, Any]], tuple[RunSettings, Delivery]]
    run: Callable[..., dict[str, Any]]


COMMANDS = {
    "generate": Command(cli_make.generate_params, resolve_generate, generation.run_generate),
    "refine": Command(cli_make.refine_params, refine.resolve, generation.run_generate),
    "vary": Command(cli_vary.vary_params, vary.resolve, generation.run_generate),
    "interpolate": Command(cli_vary.interpolate_params, interpolate.resolve, generation.run_generate),
    "story": Command(cli_vary.story_params, story.resolve, story.run_story),
}


def _disc(draw: ImageDraw.ImageDraw) -> None:
    draw.ellipse([MASK_PX * 0.2, MASK_PX * 0.2, MASK_PX * 0.8, MASK_PX * 0.8], fill=255)


def _band(draw: ImageDraw.ImageDraw) -> None:
    draw.rectangle([0, MASK_PX * 0.35, MASK_PX, MASK_PX * 0.75], fill=255)


MASKS: dict[str, Callable[[ImageDraw.ImageDraw], None]] = {"disc": _disc, "band": _band}
"""By name: white, where a result may change, drawn on black."""


class Workshop:
    """A folder with a folder for every piece; a piece that is there as it is asked for stays.

    Args:
        plan: the pieces.
        work: the folder.
        load: pack id and device → networks.
        device: "auto", "cpu", "cuda" or "mps".
    """

    def __init__(self, plan: Plan, work: Path, load: Load, device: str = "auto") -> None:
        self._plan, self.work, self._load, self._device = plan, work.resolve(), load, device

    def make(self, names: Iterable[str]) -> Iterator[tuple[str, bool]]:
        """Make pieces, and before them those that they need. Yields each, and whether it had to be made.

        Raises:
            InvalidRequest: a command asks for what there is not.
            CannotWrite: the folder does not take files.
        """
        done: set[str] = set()
        for name in names:
            yield from self._make(name, done)

    def _make(self, name: str, done: set[str]) -> Iterator[tuple[str, bool]]:
        if name in done:
            return
        piece = self._plan.pieces[name]
        for other in piece.needs:
            yield from self._make(other, done)
        done.add(name)
        yield name, self._made(piece)

    def _made(self, piece: Piece) -> bool:
        """Whether the piece had to be made."""
        folder = self.work / piece.name
        options = cli.parser().parse_args([*self.typed(piece, self.work), "--device", self._device])
        command = COMMANDS[piece.command[0]]
        asked = {**command.params(options), **cli_edits.edits_of(options), **cli_guiding.settings_of(options)}
        settings, delivery = command.resolve({**asked, "folder": str(folder), "checkpoint_every": 0})
        key = self._key(settings)
        if (folder / MADE).is_file() and json.loads((folder / MADE).read_text("utf-8"))["key"] == key:
            return False
        files.remove(folder / MADE)
        summary = command.run(settings, delivery, Host(self._load))
        files.write_json(folder / MADE, {"key": key, "summary": summary})
        return True

    def _key(self, settings: RunSettings) -> str:
        """Of everything that decides a piece but the engine's own code, wherever the folder is."""
        entry = packs.entries().get(settings.pack)
        weights = {} if entry is None else {role: f.sha256 for role, f in entry.files().items()}
        said = settings.model_dump(mode="json") | sources.hashes(settings) | {"weights": weights}
        here = json.dumps(str(self.work))[1:-1]
        return hashlib.sha256(json.dumps(said, sort_keys=True).replace(here, ".").encode()).hexdigest()

    def summary(self, name: str) -> dict[str, Any] | None:
        """What came of a piece; None if it is not finished."""
        path = self.work / name / MADE
        return json.loads(path.read_text("utf-8"))["summary"] if path.is_file() else None

    def typed(self, piece: Piece, place: Path) -> list[str]:
        """A piece's command with the files that it names, as they lie in a folder like this one.

        Args:
            piece: one whose needs are made.
            place: the folder: this one, or an empty path for names as they look from inside it.
        """
        return [NAMED.sub(lambda m: str(place / self._file(m[1], m[2])), word) for word in piece.command]

    def mask(self, name: str) -> Path:
        """The picture of a mask, drawn if it is not there yet.

        Raises:
            CannotWrite: the folder does not take files.
        """
        path = self.work / f"{name}.png"
        if not path.is_file():
            picture = Image.new("L", (MASK_PX, MASK_PX))
            MASKS[name](ImageDraw.Draw(picture))
            files.write_picture(path, picture)
        return path

    def _file(self, name: str, kind: str) -> Path:
        """What a command's {name.kind} stands for, from this folder on."""
        if kind == "mask":
            return self.mask(name).relative_to(self.work)
        summary = self.summary(name)
        if summary is None:
            raise CannotWrite(f"{name} is not finished in {self.work}.")
        best = summary["variations"][0]
        return Path(name) / (best["sidecar"] if kind == "json" else best["files"]["basecolor"])


def as_typed(words: Iterable[str]) -> str:
    """Words of a command as one line that shells of all systems read: in double quotes where need be."""
    return " ".join(word if PLAIN.fullmatch(word) else f'"{word}"' for word in words)
