"""Starting latents: what the pack remembers, or its prior draws, for a prompt; the best of several."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional as F  # the field's name for it

from engine.errors import InvalidRequest, Remedy
from engine.models.exemplars import Exemplars
from engine.models.packs import Pack
from engine.models.priors import AnyPrior
from engine.models.vqgan import Wrap
from engine.settings import RunSettings
from engine.starter.drawing import draw_maps
from engine.starter.materials import Params, another, with_coats
from engine.synthesis.decode import Drawn, decode_picture, decode_sparingly, smooth
from engine.synthesis.palette import palette_of
from engine.synthesis.phase import Phase
from engine.synthesis.rank import score
from engine.synthesis.recipes import as_asked, described, seen_in_exemplars
from engine.synthesis.recolour import main_colours, recoloured
from engine.synthesis.seeds import normal, streams
from engine.synthesis.wish import WORDS, Wish

VIEWS = 6
"""Views by which the guide chooses among the proposals."""

NEAREST = 64
"""Exemplars that a run may begin from, if they are alike."""

SHORTLIST = 256
"""Exemplars that a picture prompt is compared with."""

ALIKE = 0.005
"""In nearness: what lies farther than the nearest by no more is as good; the rest was not asked for."""

SHARES = 8
"""They are dealt in this many shares, or as many as they are: variations in a row never begin alike."""

REACH = 0.02
"""In cosine: an exemplar that lies this much farther from the prompt is e times rarer."""

PICTURE_COLOURS = 4
"""That a drawn start takes over from a picture prompt."""

DEAD = 0.01
"""Codes shorter than this share of the longest were never used."""

PIXELS_AT_ONCE = 1 << 19
"""Of proposals that are encoded and decoded together: eight of 256 x 256, one of 1024 x 512."""

PATCH = 5
"""Side of what is drawn anew in one piece, about, in codes."""


@dataclass(frozen=True)
class Proposal:
    """Where a run begins.

    Attributes:
        z: starting latents (B, C, h, w), a row a variation.
        origins: where each came from, for people.
        drawn: the maps that z stands for; None where there is nothing but z.
    """

    z: Tensor
    origins: list[str]
    drawn: Drawn | None = None


def propose(
    s: RunSettings, pack: Pack, seeds: list[int], wrap: Wrap, text: Tensor, wish: Wish = WORDS
) -> Generator[Phase, None, Proposal]:
    """A start for every seed, for the guide's embedding (D,) of the prompt.

    Takes the way that `s.start` names, or the first that the pack has: exemplars, prior, random codes. Of
    `s.proposals` starts a variation keeps the best. What is random comes from a
    variation's own streams.

    Raises:
        InvalidRequest: the pack does not have what `s.start` names.
    """
    proposer = Proposer(s, pack, seeds, wrap, text, wish)
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
    """The ways to a start, for one request; its attributes are the arguments of `propose`.

    Where each variation has an aim of its own, `text` is (B, D).
    """

    s: RunSettings
    pack: Pack
    seeds: list[int]
    wrap: Wrap
    text: Tensor
    wish: Wish = WORDS

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of codes."""
        f = self.pack.generator.f
        return self.s.height // f, self.s.width // f

    def recall(self, exemplars: Exemplars) -> Generator[Phase, None, Proposal]:
        """The recipe of an exemplar near the prompt, laid out anew in the colour that the prompt asks for.

        The prior draws a share of it. What a prompt says lies on a material is laid on the recipe, so that
        more of it, or less, is the same layout with more or less on it.

        Exemplars are compared by their keys, which know their names: a dark picture with moss on it
        pleases the guide's views more than the grey stones that people mean.
        """
        index, nearness = self.near(exemplars)  # the nearest comes first
        alike = int((nearness > nearness[0] - ALIKE).sum())
        step = min(SHARES, alike)
        prior = self.pack.prior if self.s.redraw > 0 else None
        total = len(self.seeds) + (0 if prior is None else prior.rounds(self.grid))
        asked = self.text if self.wish.whole is None else self.wish.whole
        rows, origins = [], []
        for seed, luck in zip(self.seeds, streams(self.seeds, "exemplar"), strict=True):
            hand = range(seed % step, alike, step)
            odds = (nearness[list(hand)].cpu() / REACH).softmax(-1)
            picks = torch.multinomial(odds, min(self.s.proposals, len(hand)), generator=luck)
            i = int(index[hand[int(picks.min())]])
            recipe = another(cast(Params, exemplars.recipes[i]), seed)
            recipe = with_coats(as_asked(recipe, asked, self.pack.guide), self.wish.coats)
            rows.append(draw_maps(recipe, self.pack.channels, self.s.height, self.s.width))
            origins.append(f"exemplar {i}: {described(recipe)}")
            if len(rows) < len(self.seeds):
                yield Phase("propose", len(rows), total)
        maps = self.in_palette(torch.stack(rows).to(self.pack.compute.device))
        yield Phase("propose", len(rows), total, picture=maps[:, :3])
        z, decoded = self.through_codes(maps)
        drawn = Drawn(maps, decoded, torch.ones_like(maps[:, :1]))
        if prior is not None:
            holes = patches(self.seeds, self.grid, self.s.redraw).to(z.device)
            codes = self.pack.generator.nearest(z).masked_fill(holes, prior.mask)
            for k, grids in enumerate(self.rounds(prior, "redraw", codes)):
                codes = grids
                yield Phase("propose", len(self.seeds) + k + 1, total)
            z = self.pack.generator.lookup(codes)
            drawn = replace(drawn, share=kept(holes, self.pack.generator.f, self.wrap))
        return Proposal(z, origins, drawn)

    def near(self, exemplars: Exemplars) -> tuple[Tensor, Tensor]:
        """The exemplars nearest to what is asked for: indices and nearness (NEAREST,), best first.

        Keys tell more of names than of pictures. So where a picture is asked for, those that are nearest
        with their keys are ranked anew, and what the guide saw in them counts with the picture's weight.
        At even weights the picture decides which material it is; lighter ones leave that to the words.
        """
        wish, text = self.wish, self.text if self.wish.material is None else self.wish.material
        if not wish.looks:
            return exemplars.near(text, NEAREST)
        index, nearness = exemplars.near(text, SHORTLIST)
        seen = seen_in_exemplars(exemplars, index, self.pack.guide)
        whole = wish.weight + sum(weight for _, weight in wish.pictures)
        for look, (_, weight) in zip(wish.looks, wish.pictures, strict=True):
            nearness = nearness + weight / whole * seen @ look
        best = nearness.topk(min(NEAREST, len(nearness)))
        return index[best.indices], best.values

    def in_palette(self, maps: Tensor) -> Tensor:
        """Drawn maps (B, C, H, W) in the colours that are asked for: guidance only moves tones.

        Those are the palette's, or without one those of the picture prompt that weighs most.
        """
        if self.s.palette:
            colours, weight = palette_of(self.s.palette, maps), self.s.palette_weight
        elif self.wish.pictures:
            picture, weight = max(self.wish.pictures, key=itemgetter(1))
            colours = main_colours(picture.to(maps.device), PICTURE_COLOURS)
        else:
            return maps
        return torch.cat([recoloured(maps[:, :3], colours, weight), maps[:, 3:]], 1)

    @torch.no_grad()
    def through_codes(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Maps (B, C, H, W) → the latent on their codes, and what it decodes to.

        Large ones one after another: here come all candidates, and the steps that follow fit half of them.
        """
        generator = self.pack.generator
        rows = max(1, PIXELS_AT_ONCE // (x.shape[-2] * x.shape[-1]))
        z = torch.cat([generator.lookup(generator.codes_of(part, self.wrap)) for part in x.split(rows)])
        return z, torch.cat([decode_sparingly(part, self.pack, self.wrap) for part in z.split(rows)])

    def draw(self, prior: AnyPrior) -> Generator[Phase, None, Proposal]:
        """Grids that the prior draws from nothing."""
        chosen, done = Chosen(len(self.seeds)), 0
        total = self.s.proposals * (prior.rounds(self.grid) + 1)
        for p in range(self.s.proposals):
            codes = torch.empty(0)
            for drawn in self.rounds(prior, f"prior/{p}", None):
                codes, done = drawn, done + 1
                yield Phase("propose", done, total)
            picture, fit = self._look(codes, p)
            chosen.offer(fit, codes)
            done += 1
            yield Phase("propose", done, total, picture=picture)
        return Proposal(self.pack.generator.lookup(chosen.codes), ["prior"] * len(self.seeds))

    def random_codes(self) -> Generator[Phase, None, Proposal]:
        """Any live code anywhere: what comes of it is up to the guide."""
        generator = self.pack.generator
        live = live_codes(generator.codebook)
        draws = [torch.randint(0, len(live), self.grid, generator=g) for g in streams(self.seeds, "codes")]
        yield Phase("propose", 1, 1)
        z = generator.lookup(live[torch.stack(draws).to(live.device)])
        return Proposal(z, ["random codes"] * len(self.seeds))

    def _look(self, codes: Tensor, p: int) -> tuple[Tensor, Tensor]:
        """Proposal p, codes (B, h, w): pictures (B, 3, H, W), and how well the guide finds they fit, (B,)."""
        picture = decode_picture(self.pack.generator.lookup(codes), self.pack, self.wrap)
        views = streams(self.seeds, f"proposal/{p}")
        fit = score(picture, self.text, self.pack.guide, views, views=VIEWS, tile=self.wrap)
        return picture, fit.cpu()

    def rounds(self, prior: AnyPrior, purpose: str, start: Tensor | None) -> Iterator[Tensor]:
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
        self.codes = torch.empty(0)
        self._fit = torch.full((variations,), -torch.inf)

    def offer(self, fit: Tensor, codes: Tensor) -> None:
        """Takes codes (B, h, w) where `fit` (B,) is higher than before."""
        better = (fit > self._fit).to(codes.device)[:, None, None]
        self._fit = torch.maximum(fit, self._fit)
        self.codes = codes if self.codes.numel() == 0 else torch.where(better, codes, self.codes)


def live_codes(codebook: Tensor) -> Tensor:
    """Indices of the codes of a codebook (N, D) that training used: others stay next to 0 in length.

    Source: the norms of taming-transformers' codebooks, its issue 67.
    """
    norms = codebook.norm(dim=-1)
    return (norms > DEAD * norms.max()).nonzero().flatten()


def kept(holes: Tensor, f: int, wrap: Wrap) -> Tensor:
    """How much of drawn maps stays around places (B, h, w) drawn anew: (B, 1, f·h, f·w), 0 there, 1 afar."""
    there = holes[:, None].float().repeat_interleave(f, 2).repeat_interleave(f, 3)
    return (1 - 4 * smooth(there, f, wrap)).clamp(min=0)  # a corner of one has a quarter around it


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
