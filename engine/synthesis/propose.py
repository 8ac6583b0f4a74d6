"""Starting latents: what the pack remembers, or its prior draws, for a prompt; the best of several."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F  # the field's name for it

from engine.errors import InvalidRequest, Remedy
from engine.models.exemplars import Exemplars
from engine.models.packs import Pack
from engine.models.prior import ROUNDS, Prior
from engine.models.vqgan import Wrap
from engine.settings import RunSettings
from engine.synthesis.decode import decode_picture
from engine.synthesis.phase import Phase
from engine.synthesis.rank import score
from engine.synthesis.seeds import normal, streams

VIEWS = 6
"""Views by which the guide chooses among the proposals."""

NEAREST = 64
"""Exemplars that a run may begin from."""

SHARES = 8
"""They are dealt out in this many shares: variations whose seeds follow one another never begin alike."""

REACH = 0.02
"""In cosine: an exemplar that lies this much farther from the prompt is e times rarer."""

PATCH = 5
"""Side of what is drawn anew in one piece, about, in codes."""


@dataclass(frozen=True)
class Proposal:
    """Where a run begins.

    Attributes:
        z: starting latents (B, C, h, w), a row a variation.
        origins: where each came from, for people.
    """

    z: Tensor
    origins: list[str]


def propose(
    s: RunSettings, pack: Pack, seeds: list[int], wrap: Wrap, text: Tensor
) -> Generator[Phase, None, Proposal]:
    """A start for every seed, for the guide's embedding (D,) of the prompt.

    Takes the way that `s.start` names, or the first that the pack has: exemplars, prior, random codes. Of
    `s.proposals` starts a variation keeps the best. What is random comes from a
    variation's own streams.

    Raises:
        InvalidRequest: the pack does not have what `s.start` names.
    """
    proposer = Proposer(s, pack, seeds, wrap, text)
    if s.start in {"auto", "exemplar"} and pack.exemplars is not None:
        return (yield from proposer.recall(pack.exemplars))
    if s.start in {"auto", "prior"} and pack.prior is not None:
        return (yield from proposer.draw(pack.prior))
    if s.start in {"exemplar", "prior"}:
        raise InvalidRequest(
            f"The pack {pack.id!r} has no {s.start} to start from. Set start to 'auto'.",
            field="start",
            remedy=Remedy("start", "auto"),
        )
    return (yield from proposer.random_codes())


@dataclass(frozen=True)
class Proposer:
    """The ways to a start, for one request; its attributes are the arguments of `propose`."""

    s: RunSettings
    pack: Pack
    seeds: list[int]
    wrap: Wrap
    text: Tensor

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of codes."""
        f = self.pack.generator.f
        return self.s.height // f, self.s.width // f

    def recall(self, exemplars: Exemplars) -> Generator[Phase, None, Proposal]:
        """Exemplars near the prompt, moved at random; the prior draws a share of the nearest one anew.

        They are compared by their keys, which know their names: a dark picture with moss on it pleases the
        guide's views more than the grey stones that people mean.
        """
        index, cosine = exemplars.near(self.text, NEAREST)
        near = dict(zip(index.tolist(), cosine, strict=True))
        step = SHARES if len(index) == NEAREST else 1
        hands = [range(seed % step, len(index), step) for seed in self.seeds]
        count = min(self.s.proposals, *map(len, hands))
        odds = [(cosine[list(hand)].cpu() / REACH).softmax(-1) for hand in hands]
        luck = streams(self.seeds, "exemplar")
        drawn = [torch.multinomial(p, count, generator=g) for p, g in zip(odds, luck, strict=True)]
        picks = [[index[hand[k]] for k in pick] for hand, pick in zip(hands, drawn, strict=True)]
        reach = max(exemplars.cfg.grid)
        shifts = [torch.randint(0, reach, (count, 2), generator=g) for g in streams(self.seeds, "shift")]
        chosen = Chosen(len(self.seeds))
        fits = all(ours % theirs == 0 for ours, theirs in zip(self.grid, exemplars.cfg.grid, strict=True))
        prior = None if fits and self.s.redraw == 0 else self.pack.prior
        total = count + (0 if prior is None else ROUNDS)
        for p in range(count):
            which = [int(pick[p]) for pick in picks]
            at = [(int(shift[p, 0]), int(shift[p, 1])) for shift in shifts]
            laid = [exemplars.lay(i, self.grid, by) for i, by in zip(which, at, strict=True)]
            codes, cut = (torch.stack(x) for x in zip(*laid, strict=True))
            fit = torch.stack([near[i] for i in which]).cpu()
            chosen.offer(fit, codes, cut, [f"exemplar {i}: {exemplars.cfg.names[i]}" for i in which])
            yield Phase("propose", p + 1, total)
        codes = chosen.codes
        if prior is not None:
            holes = patches(self.seeds, self.grid, self.s.redraw).to(codes.device) | chosen.cut
            for k, drawn in enumerate(self._rounds(prior, "redraw", codes.masked_fill(holes, prior.mask))):
                codes = drawn
                yield Phase("propose", count + k + 1, total)
        return Proposal(self.pack.generator.lookup(codes), chosen.origins)

    def draw(self, prior: Prior) -> Generator[Phase, None, Proposal]:
        """Grids that the prior draws from nothing."""
        chosen, done, total = Chosen(len(self.seeds)), 0, self.s.proposals * (ROUNDS + 1)
        for p in range(self.s.proposals):
            codes = torch.empty(0)
            for drawn in self._rounds(prior, f"prior/{p}", None):
                codes, done = drawn, done + 1
                yield Phase("propose", done, total)
            picture, fit = self._look(codes, p)
            chosen.offer(fit, codes, torch.zeros_like(codes, dtype=torch.bool), ["prior"] * len(codes))
            done += 1
            yield Phase("propose", done, total, picture=picture)
        return Proposal(self.pack.generator.lookup(chosen.codes), chosen.origins)

    def random_codes(self) -> Generator[Phase, None, Proposal]:
        """Any code anywhere: what comes of it is up to the guide."""
        generator = self.pack.generator
        draws = [
            torch.randint(0, generator.cfg.n_embed, self.grid, generator=g)
            for g in streams(self.seeds, "codes")
        ]
        yield Phase("propose", 1, 1)
        z = generator.lookup(torch.stack(draws).to(self.pack.compute.device))
        return Proposal(z, ["random codes"] * len(self.seeds))

    def _look(self, codes: Tensor, p: int) -> tuple[Tensor, Tensor]:
        """Proposal p, codes (B, h, w): pictures (B, 3, H, W), and how well the guide finds they fit, (B,)."""
        picture = decode_picture(self.pack.generator.lookup(codes), self.pack, self.wrap)
        views = streams(self.seeds, f"proposal/{p}")
        fit = score(picture, self.text, self.pack.guide, views, views=VIEWS, tile=self.wrap)
        return picture, fit.cpu()

    def _rounds(self, prior: Prior, purpose: str, start: Tensor | None) -> Iterator[Tensor]:
        """The prior's rounds, in the pack's precision. Between them the caller's own holds."""
        luck = streams(self.seeds, purpose)
        text, temperature = self.text.expand(len(luck), -1), self.s.temperature
        rounds = prior.sample(text, self.grid, luck, start=start, temperature=temperature, wrap=self.wrap)
        while True:
            with self.pack.compute.autocast():
                codes = next(rounds, None)
            if codes is None:
                return
            yield codes


class Chosen:
    """The best proposal of every variation so far."""

    def __init__(self, variations: int) -> None:
        self.codes, self.cut = torch.empty(0), torch.empty(0)
        self.origins = [""] * variations
        self._fit = torch.full((variations,), -torch.inf)

    def offer(self, fit: Tensor, codes: Tensor, cut: Tensor, origins: list[str]) -> None:
        """Takes codes and cut (B, h, w) where `fit` (B,) is higher than before."""
        if self.codes.numel() == 0:
            self.codes, self.cut = codes, cut
        better = fit > self._fit
        self._fit = torch.maximum(fit, self._fit)
        at = better.to(codes.device)[:, None, None]
        self.codes, self.cut = torch.where(at, codes, self.codes), torch.where(at, cut, self.cut)
        pairs = zip(better.tolist(), origins, self.origins, strict=True)
        self.origins = [new if take else old for take, new, old in pairs]


def patches(seeds: list[int], grid: tuple[int, int], share: float) -> Tensor:
    """Patches all over a torus (B, h, w), bool, that cover this share of it, the same number in each row."""
    field = normal(streams(seeds, "patches"), grid)[:, None]
    n = PATCH // 2
    for _ in range(2):
        field = F.avg_pool2d(F.pad(field, (n, n, n, n), "circular"), PATCH, stride=1)
    flat = field.flatten(1)
    holes = torch.zeros_like(flat, dtype=torch.bool)
    holes.scatter_(1, flat.topk(round(share * flat.shape[-1])).indices, value=True)
    return holes.view(len(seeds), *grid)
