"""A `rank` job: pictures on the disk → judge scores, order, seams and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # the field's name for it

from engine import verdict
from engine.errors import Cancelled, UnreadablePicture
from engine.host import Host
from engine.library import pictures
from engine.material import artefacts
from engine.material.seams import SEAMLESS, picture_seam_score
from engine.models.guide import Clip
from engine.models.vqgan import tile_axes
from engine.progress import Progress
from engine.rank import Rank
from engine.settings import RunSettings
from engine.synthesis import rank as views, targets
from engine.synthesis.prompts import parse, wanted
from engine.synthesis.ranking import SMALL_PX, ordered
from engine.synthesis.seeds import streams

SEED = 0
"""Of the views: all pictures are looked at alike, and one does not depend on the others."""

LEAST_PX = 32
"""Shorter sides have nothing that could be measured."""


@dataclass(frozen=True)
class Judged:
    """One picture.

    Attributes:
        path: of its file.
        score: mean cosine of its views to the prompt.
        look: what the judge sees in it, a unit vector (1, D).
        small: (1, 3, s, s), to tell repetitions by.
        measures: see `artefacts.measures`.
        seam: see `picture_seam_score`.
    """

    path: str
    score: Tensor
    look: Tensor
    small: Tensor
    measures: dict[str, Tensor]
    seam: Tensor


@torch.no_grad()
def run_rank(asked: Rank, host: Host) -> dict[str, Any]:
    """Rank pictures by how well they fit a prompt, as `generate` ranks its variations.

    Sides beyond 1024 px are reduced. Scores of one pack compare between requests, as every picture is
    looked at by the same views; those of two packs do not.

    Args:
        asked: what.
        host: for whom.

    Returns:
        "files", best first, each with "file", "rank", "judge_score", "seam", "seamless", "repeats" (the rank
        of the better one that it nearly is, or null), "artefacts" and "measures". "unread": those that
        cannot be read, each with "file" and "error". "diversity": effective number of different ones.
        "unknown_words": of the prompt, that mean nothing to the judge.

    Raises:
        BadPrompt: the prompt cannot be read.
        Cancelled: `host.should_stop` said so.
        PatinaError: what `host.load` raises.
    """
    wanted(asked.prompt, asked.negative)
    judge = host.load(asked.pack, asked.device).judge
    s = RunSettings.model_validate({"prompt": asked.prompt, "negative": asked.negative, "seed": SEED})
    target = targets.of_request(s, judge).direction()
    judged: list[Judged] = []
    unread: list[dict[str, Any]] = []
    for done, file in enumerate(asked.files, 1):
        try:
            judged.append(_judged(file, asked, judge, target))
        except UnreadablePicture as error:
            unread.append({"file": file, "error": error.message})
        host.on_progress(Progress("rank", done, len(asked.files)))
        if host.should_stop():
            raise Cancelled("Cancelled.")
    unknown = [word for p in parse(asked.prompt) if p.weight > 0 for word in judge.unknown_words(p.text)]
    return {
        "pack": asked.pack,
        "prompt": asked.prompt,
        "negative": asked.negative,
        "unknown_words": list(dict.fromkeys(unknown)),
        **_in_order(judged, asked),
        "unread": unread,
    }


def _judged(file: str, asked: Rank, judge: Clip, target: Tensor) -> Judged:
    path, wrap = Path(file), tile_axes(asked.tile)
    try:
        picture = pictures.decode(pictures.read_bytes(path), path.name).pixels[None].clamp(0, 1)
    except FileNotFoundError as error:
        raise UnreadablePicture(f"{path.name} is not there.", field="files") from error
    if min(picture.shape[-2:]) < LEAST_PX:
        raise UnreadablePicture(
            f"{path.name} is too small: a side has {LEAST_PX} px at least.", field="files"
        )
    seen = views.looks(
        picture.to(judge.compute.device), judge, streams([SEED], "rank"), views=asked.views, tile=wrap
    )
    return Judged(
        file,
        views.fit(seen, target).cpu(),
        F.normalize(seen.mean(1), dim=-1).cpu(),
        F.interpolate(picture, (SMALL_PX, SMALL_PX), mode="area"),
        artefacts.measures(picture),
        picture_seam_score(picture, asked.tile),
    )


def _in_order(judged: list[Judged], asked: Rank) -> dict[str, Any]:
    if not judged:
        return {"files": [], "diversity": 0.0}
    scores, looks, small, seams = (
        torch.cat([getattr(j, name) for j in judged]) for name in ("score", "look", "small", "seam")
    )
    measures = {name: torch.cat([j.measures[name] for j in judged]) for name in judged[0].measures}
    ranking = ordered(scores, looks, small, measures, seams, asked.tile)
    files = [
        {
            "file": judged[i].path,
            "rank": place,
            "judge_score": float(scores[i]),
            "seam": float(seams[i]),
            "seamless": bool(seams[i] <= SEAMLESS),
            **verdict.of_ranking(ranking, i),
        }
        for place, i in enumerate(ranking.order, 1)
    ]
    return {"files": files, "diversity": round(ranking.diversity, 3)}
