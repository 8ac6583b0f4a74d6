"""The two loops behind one face: pictures that are guided, a step at a time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

import torch
from torch import Tensor

from engine.bench.cases import LR, Case, Loop
from engine.compute import Compute, choose
from engine.models.packs import Pack
from engine.models.vqgan import tile_axes
from engine.synthesis.guidance import SHOWN
from engine.synthesis.propose import Proposal, propose
from engine.synthesis.run import synthesize, variation_seeds
from engine.synthesis.seeds import streams
from engine.synthesis.textbook import Textbook

T = TypeVar("T")

Course = Iterator[Tensor | None]
"""One item a step: now and then, with pictures (B, 3, H, W) in 0..1."""


def precision(loop: Loop, device: str) -> Compute:
    """The published loop runs in float32; ours in what is fast on the device."""
    compute = choose(device)
    return compute if loop == "ours" else Compute(compute.device, torch.float32)


def courses(case: Case, pack: Pack, steps: int) -> Iterator[Course]:
    """What has to be guided for all pictures of a case: ours in one course, the textbook's in one each."""
    return COURSES[case.loop](case, pack, steps)


def _ours(case: Case, pack: Pack, steps: int) -> Iterator[Course]:
    """The engine as it makes materials, from the first guided step to the last."""
    phases = synthesize(case.settings(steps), pack)
    # What is proposed before is not guidance, and is the same for the textbook.
    proposed = next(p for p in phases if p.name == "propose" and p.step == p.total)
    assert proposed.total == 1, "random codes are proposed in one go"

    def guided() -> Course:
        for phase in phases:
            yield phase.picture
            if phase.step == phase.total:
                return

    yield guided()


def _textbook(case: Case, pack: Pack, steps: int) -> Iterator[Course]:
    s = case.settings(steps)
    text = pack.guide.encode_templates(case.prompt, s.templates)
    seeds = variation_seeds(s)
    start: Proposal = result(propose(s, pack, seeds, tile_axes(s.tile), text))
    book = Textbook(
        pack.generator, pack.guide, text[None], text.new_ones(1), text.new_full((1,), -torch.inf),
        cutouts=case.cutouts, lr=LR,
    )  # fmt: skip
    every = max(1, steps // SHOWN)

    def guided(z: Tensor, stream: torch.Generator) -> Course:
        for step in book.run(z, stream, steps=steps):
            with torch.no_grad():
                yield book.decode(step.z) if step.index % every == 0 else None

    for row, stream in enumerate(streams(seeds, "textbook")):
        yield guided(start.z[row : row + 1], stream)


COURSES: dict[Loop, Callable[[Case, Pack, int], Iterator[Course]]] = {"ours": _ours, "textbook": _textbook}


def result(work: Generator[object, None, T]) -> T:
    """What a generator returns once it has yielded everything."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value
