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

NEAREST = 48
"""Exemplars that a variation may begin from."""

REACH = 0.04
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
    `s.proposals` starts a variation keeps the one that the guide likes best. What is random comes from a
    variation's own streams.

    Raises:
        InvalidRequest: the pack does not have what `s.start` names.
    """
    grid = (s.height // pack.generator.f, s.width // pack.generator.f)
    if s.start in {"auto", "exemplar"} and pack.exemplars is not None:
        return (yield from _recall(s, pack, pack.exemplars, seeds, grid, wrap, text))
    if s.start in {"auto", "prior"} and pack.prior is not None:
        return (yield from _draw(s, pack, pack.prior, seeds, grid, wrap, text))
    if s.start in {"exemplar", "prior"}:
        raise InvalidRequest(
            f"The pack {pack.id!r} has no {s.start} to start from. Set start to 'auto'.",
            field="start",
            remedy=Remedy("start", "auto"),
        )
    draws = [torch.randint(0, pack.generator.cfg.n_embed, grid, generator=g) for g in streams(seeds, "codes")]
    z = pack.generator.lookup(torch.stack(draws).to(pack.compute.device))
    yield Phase("propose", 1, 1)
    return Proposal(z, ["random codes"] * len(seeds))


def _recall(
    s: RunSettings,
    pack: Pack,
    exemplars: Exemplars,
    seeds: list[int],
    grid: tuple[int, int],
    wrap: Wrap,
    text: Tensor,
) -> Generator[Phase, None, Proposal]:
    """Exemplars near the prompt, moved at random; the prior draws a share of the best one anew."""
    index, cosine = exemplars.near(text, NEAREST)
    drawn = [
        torch.multinomial((cosine.cpu() / REACH).softmax(-1), min(s.proposals, len(index)), generator=g)
        for g in streams(seeds, "exemplar")
    ]
    shifts = [
        torch.randint(0, max(exemplars.cfg.grid), (s.proposals, 2), generator=g).tolist()
        for g in streams(seeds, "shift")
    ]
    rounds = 0 if pack.prior is None else ROUNDS
    total, chosen = s.proposals + rounds, Chosen(len(seeds))
    for p in range(drawn[0].numel()):
        which = [int(index[d[p]]) for d in drawn]
        laid = [exemplars.lay(i, grid, tuple(at[p])) for i, at in zip(which, shifts, strict=True)]
        codes, cut = (torch.stack(x) for x in zip(*laid, strict=True))
        fit = yield from _fit(s, pack, seeds, wrap, text, codes, p, Phase("propose", p + 1, total))
        chosen.offer(fit, codes, cut, [f"exemplar {i}, {exemplars.cfg.names[i]}" for i in which])
    codes = chosen.codes
    if pack.prior is not None:
        holes = _patches(seeds, grid, s.redraw) | chosen.cut.cpu()
        start = codes.masked_fill(holes.to(codes.device), pack.prior.mask)
        rows = _rows(s, pack, pack.prior, seeds, "redraw", grid, wrap, text, start)
        for k, codes in enumerate(rows):  # noqa: B007  # the last ones count
            yield Phase("propose", s.proposals + k + 1, total)
    return Proposal(pack.generator.lookup(codes), chosen.origins)


def _draw(
    s: RunSettings,
    pack: Pack,
    prior: Prior,
    seeds: list[int],
    grid: tuple[int, int],
    wrap: Wrap,
    text: Tensor,
) -> Generator[Phase, None, Proposal]:
    """Grids that the prior draws from nothing."""
    chosen, total = Chosen(len(seeds)), s.proposals * (ROUNDS + 1)
    for p in range(s.proposals):
        codes, done = torch.empty(0), p * (ROUNDS + 1)
        for codes in _rows(s, pack, prior, seeds, f"prior/{p}", grid, wrap, text):
            done += 1
            yield Phase("propose", done, total)
        fit = yield from _fit(s, pack, seeds, wrap, text, codes, p, Phase("propose", done + 1, total))
        chosen.offer(fit, codes, torch.zeros_like(codes, dtype=torch.bool), ["the prior"] * len(seeds))
    return Proposal(pack.generator.lookup(chosen.codes), chosen.origins)


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


def _fit(
    s: RunSettings,
    pack: Pack,
    seeds: list[int],
    wrap: Wrap,
    text: Tensor,
    codes: Tensor,
    p: int,
    phase: Phase,
) -> Generator[Phase, None, Tensor]:
    """How well codes (B, h, w) fit the prompt by the guide, (B,) on the CPU. Yields the phase, with them."""
    picture = decode_picture(pack.generator.lookup(codes), pack, wrap)
    views = streams(seeds, f"proposal/{p}")
    fit = score(picture, text, pack.guide, views, views=VIEWS, tile=wrap).cpu()
    yield Phase(phase.name, phase.step, phase.total, picture=picture)
    return fit


def _rows(
    s: RunSettings,
    pack: Pack,
    prior: Prior,
    seeds: list[int],
    purpose: str,
    grid: tuple[int, int],
    wrap: Wrap,
    text: Tensor,
    start: Tensor | None = None,
) -> Iterator[Tensor]:
    """The prior's rounds, in the pack's precision. Between them the caller's own holds."""
    rounds = prior.sample(
        text.expand(len(seeds), -1),
        grid,
        streams(seeds, purpose),
        start=start,
        temperature=s.temperature,
        wrap=wrap,
    )
    while True:
        with pack.compute.autocast():
            codes = next(rounds, None)
        if codes is None:
            return
        yield codes


def _patches(seeds: list[int], grid: tuple[int, int], share: float) -> Tensor:
    """Patches all over a torus (B, h, w), bool, that cover this share of it, the same number in each row."""
    field = normal(streams(seeds, "patches"), grid)[:, None]
    for _ in range(2):
        n = PATCH // 2
        field = F.avg_pool2d(F.pad(field, (n, n, n, n), "circular"), PATCH, stride=1)
    flat = field.flatten(1)
    count = round(share * flat.shape[-1])
    holes = torch.zeros_like(flat, dtype=torch.bool)
    holes.scatter_(1, flat.topk(count).indices, value=True)
    return holes.view(len(seeds), *grid)
