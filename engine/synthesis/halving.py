"""Successive halving: every variation has candidates, and the weaker half is dropped, again and again.

Cheap ones, as they are proposed, are compared first; those that stay are guided in one batch. Candidates are
a variation's own and compared with one another alone, so a variation does not depend on its neighbours.

Source: successive halving, Jamieson and Talwalkar 2016, with a budget that is spent early: what a few steps
tell apart, more steps seldom turn round.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from engine.material.maps import DecodedMaps
from engine.models.packs import Pack
from engine.models.vqgan import Wrap
from engine.settings import MAX_SEED, RunSettings
from engine.synthesis.decode import Drawn, decode_picture
from engine.synthesis.edit import Edit
from engine.synthesis.phase import Phase
from engine.synthesis.propose import SHARES, Proposal
from engine.synthesis.rank import score
from engine.synthesis.seeds import streams
from engine.synthesis.starts import Beginning

VIEWS = 16
"""Views by which the judge compares candidates: the same ones for all of a variation's."""

KIN = math.lcm(*range(1, SHARES + 1))
"""Seeds so far apart begin in the same share of what is near the prompt, and neighbours in other ones."""


def pool(seed: int, candidates: int) -> list[int]:
    """The seeds of a variation's candidates, in rising order; the variation's own is one of them.

    All of a pool have the same pool: made again from the seed of the candidate that won, alone or among
    others, a variation is the same picture.
    """
    block, share = divmod(seed, KIN)
    first = min(block - block % candidates, (MAX_SEED - share) // KIN - candidates + 1)
    return [(first + i) * KIN + share for i in range(candidates)]


def candidates(s: RunSettings, *, given: bool) -> int:
    """Of each variation: one where what the run begins from is `given`, as there is nothing to choose."""
    settled = s.vary or s.towards or (given and s.start == "auto")
    return 1 if settled else s.candidates


def guided(candidates: int) -> int:
    """How many of a variation's candidates the first step is taken with."""
    return math.ceil(candidates / 2)


def rungs(candidates: int, steps: int) -> dict[int, int]:
    """After which guided step how many of a variation's candidates go on: {0: 4, 2: 2, 4: 1} of 8 in 12.

    The first half goes before any step, the rest evenly over the first third. All is decided by the end.
    """
    keeps = []
    while candidates > 1:
        candidates = math.ceil(candidates / 2)
        keeps.append(candidates)
    last = min(steps, max(len(keeps) - 1, round(steps / 3)))
    at = [round(i * last / max(1, len(keeps) - 1)) for i in range(len(keeps))]
    return dict(zip(at, keeps, strict=True))  # of two at the same step the stricter, which comes later


def fittest(scores: Tensor, each: int, keep: int) -> list[int]:
    """Rows of the best `keep` of every `each` in a row, by scores (V * each,), best first."""
    best = scores.view(-1, each).argsort(dim=1, descending=True, stable=True)[:, :keep].cpu()
    return (best + each * torch.arange(len(best))[:, None]).flatten().tolist()


@dataclass
class Race:
    """The candidates that are still in: each variation's side by side, best first as far as is known.

    Attributes:
        edit: of the run, with the proposals of these candidates.
        seeds: of the candidates.
        draws: their streams, by purpose.
        families: of every variation, the seed that stands for its whole pool.
        target: what the judge compares them with, a unit embedding (D,).
        rungs: of `rungs`, those that are still to come.
        z: how far they have come, (B, C, h, w).
    """

    edit: Edit
    seeds: list[int]
    draws: dict[str, list[torch.Generator]]
    families: list[int]
    target: Tensor
    rungs: dict[int, int]
    z: Tensor

    @classmethod
    def of(
        cls, edit: Edit, seeds: list[int], families: list[int], target: Tensor, rungs: Mapping[int, int]
    ) -> Race:
        """As they are proposed, as many in a row for every family."""
        draws, z = {"cutouts": streams(seeds, "cutouts")}, edit.proposal.z
        return cls(edit, seeds, draws, families, target, dict(rungs), z)

    def at(self, edit: Edit, z: Tensor) -> Race:
        """The same candidates at another size; all is decided."""
        return replace(self, edit=edit, z=z, rungs={})

    @property
    def each(self) -> int:
        """Candidates of each variation."""
        return len(self.seeds) // len(self.families)

    def leaders(self, x: Tensor) -> Tensor:
        """Of rows (B, ...), a candidate each, those of one candidate a variation: the best known."""
        return x[:: self.each]

    def select(self, step: int, z: Tensor, pack: Pack, wrap: Wrap) -> list[int] | None:
        """Drops the weaker ones, if it is time for that. Returns the rows of z that stay; None for all."""
        keep = self.rungs.get(step)
        if keep is None:
            return None
        rows = fittest(self._scores(step, z, pack, wrap), self.each, keep)
        self._only(rows, z)
        return rows

    def lead(self) -> None:
        """Leaves each variation the best known of its candidates."""
        self._only(list(range(0, len(self.seeds), self.each)), self.z)

    def take_up(self, draws: Mapping[str, list[torch.Generator]]) -> None:
        """Further streams, one a candidate. Where they had some for a purpose, these go on as those were."""
        for purpose, generators in draws.items():
            generators[:] = self.draws.get(purpose, generators)
            self.draws[purpose] = generators

    def _only(self, rows: list[int], z: Tensor) -> None:
        self.edit = of_rows(self.edit, rows)
        self.seeds, self.z = [self.seeds[i] for i in rows], z[rows]
        for generators in self.draws.values():
            generators[:] = [generators[i] for i in rows]  # in place: whoever draws from them has these lists

    def _scores(self, step: int, z: Tensor, pack: Pack, wrap: Wrap) -> Tensor:
        """What the judge thinks of latents (B, C, h, w), (B,): a variation at a time, as memory is short."""
        found = []
        for i, family in enumerate(self.families):
            rows = list(range(i * self.each, (i + 1) * self.each))
            edit = of_rows(self.edit, rows)
            picture = edit.shown(decode_picture(z[rows], pack, wrap, edit.proposal.drawn))
            views = streams([family] * self.each, f"halving/{step}")
            found.append(score(picture, self.target, pack.judge, views, views=VIEWS, tile=wrap))
        return torch.cat(found)


def of_rows(edit: Edit, rows: Sequence[int]) -> Edit:
    """The edits of a run, for these of its rows."""
    old = edit.proposal
    drawn = None if old.drawn is None else Drawn(*(x[list(rows)] for x in vars(old.drawn).values()))
    proposal = Proposal(old.z[list(rows)], [old.origins[i] for i in rows], drawn)
    kept = edit.kept
    if kept is not None and len(kept[0]) > 1:
        kept = DecodedMaps(**{name: x[list(rows)] for name, x in vars(kept[0]).items()}), kept[1]
    return replace(edit, proposal=proposal, kept=kept)


def first_of_each(phases: Generator[Phase, None, Beginning], each: int) -> Generator[Phase, None, Beginning]:
    """Phases whose pictures show one candidate of each variation."""
    while True:
        try:
            phase = next(phases)
        except StopIteration as end:
            result: Beginning = end.value
            return result
        yield phase if phase.picture is None else replace(phase, picture=phase.picture[::each])
