"""Runs of the whole engine, each done once: its record is kept and read again the next time."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

from PIL import Image
from pydantic import BaseModel, ConfigDict

from engine.material.seams import seam_score
from engine.material.shading import under_key
from engine.models.packs import Pack
from engine.settings import RunSettings
from engine.starter.embedding import embed
from engine.starter.evaluation.naming import Name, Namer
from engine.starter.evaluation.pictures import as_image, write_jpeg
from engine.starter.evaluation.stamp import Stamp, now
from engine.synthesis.diversity import vendi
from engine.synthesis.run import Synthesis, synthesize

FORMAT = 1  # of the record


class Run(BaseModel):
    """What came of a prompt. Lists are in the judge's order, best first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    settings: RunSettings
    read: list[Name]
    guide: list[float]
    judge: list[float]
    seams: list[float]
    vendi: float
    seconds: float
    stamp: Stamp = Stamp()


class Runs:
    """The engine with a memory.

    Args:
        folder: of the records. They belong to a pack's hashes and the run's settings: another pack's
            are never taken for this one's. By which code they came is in them, and no reason to drop them.
        pack: the networks.
        namer: the judge, reading what came out.
    """

    def __init__(self, folder: Path, pack: Pack, namer: Namer) -> None:
        self._folder, self._pack, self._namer = folder, pack, namer

    def __call__(self, settings: RunSettings) -> Run:
        """The record of a run, which is done now if it never was."""
        path = self._path(settings, ".json")
        if not path.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            run = self._run(settings)
            partial = path.with_suffix(".part")
            partial.write_text(run.model_dump_json(), "utf-8")
            partial.replace(path)
        return Run.model_validate_json(path.read_text("utf-8"))

    def picture(self, run: Run) -> tuple[Image.Image, Image.Image]:
        """Base colour and lit view of a run's best variation."""
        with Image.open(self._path(run.settings, ".jpg")) as both:
            half = both.width // 2
            left, right = (both.crop((x, 0, x + half, both.height)) for x in (0, half))
            return left, right

    def _path(self, settings: RunSettings, suffix: str) -> Path:
        depends = [FORMAT, settings.model_dump(mode="json"), self._pack.hashes, self._namer.families]
        digest = hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()
        return self._folder / f"{digest[:20]}{suffix}"

    def _run(self, settings: RunSettings) -> Run:
        begin = time.monotonic()
        result = finish(settings, self._pack)
        seconds = time.monotonic() - begin
        order, maps = result.order, result.maps
        embeddings = embed(maps.basecolor, self._namer.clip)
        named, seams = self._namer(embeddings), seam_score(maps, settings.tile).tolist()
        best = maps.select(order[0])
        pair = Image.new("RGB", (2 * settings.width, settings.height))
        pair.paste(as_image(best.basecolor[0]), (0, 0))
        pair.paste(as_image(under_key(best)[0]), (settings.width, 0))
        write_jpeg(pair, self._path(settings, ".jpg"))
        return Run(
            settings=settings,
            read=[named[i] for i in order],
            guide=[float(result.guide_scores[i]) for i in order],
            judge=[float(result.judge_scores[i]) for i in order],
            seams=[seams[i] for i in order],
            vendi=vendi(embeddings),
            seconds=round(seconds, 2),
            stamp=now(),
        )


def finish(settings: RunSettings, pack: Pack) -> Synthesis:
    """Runs a request to its end, without anybody watching."""
    run = synthesize(settings, pack)
    while True:
        try:
            next(run)
        except StopIteration as end:
            result: Synthesis = end.value
            return result
