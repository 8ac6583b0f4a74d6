"""Where variations of a picture or a result begin: the same material in another draw, or a neighbour of it.

Recipes decide most of what a pack that remembers them makes, so a variation of what came from a recipe is
the same recipe laid out anew. The farther it may go, the more are drawn from others of the same family, and
at last from those of all: from such as lie as far off as the strength says, neither nearer nor farther.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor

from engine.material.maps import DecodedMaps, luminance
from engine.models.exemplars import Exemplars
from engine.models.packs import Pack
from engine.models.vqgan import Wrap
from engine.settings import MAX_SEED, RunSettings
from engine.starter.captions import canonical
from engine.starter.drawing import draw_maps
from engine.starter.materials import STRENGTHS, Coat, Params, another, with_coats
from engine.synthesis.aims import turned
from engine.synthesis.base import Remembered, channels_of, recipe_of
from engine.synthesis.crossing import crossed
from engine.synthesis.decode import Drawn
from engine.synthesis.edits import Edits
from engine.synthesis.phase import Phase
from engine.synthesis.propose import PICTURE_COLOURS, Proposal, Proposer
from engine.synthesis.recipes import as_asked, described, named_nearest, seen_in_exemplars
from engine.synthesis.recolour import main_colours, recoloured
from engine.synthesis.seeds import streams, uniform
from engine.synthesis.targets import of_picture

OWN = 0.4
"""Up to this strength all variations are the source itself, in another draw."""

OTHER = 0.7
"""From this strength on none is."""

FAMILY = 0.8
"""Up to this strength what is drawn is of the same family, where the pack has another of it."""

NEIGHBOURS = 256
"""Exemplars that come into question at all: those whose names are nearest."""

FARTHEST = 0.3
"""How much less than 1 the cosine of what is drawn to the source is at strength 1."""

WINDOW = 8
"""Exemplars that a variation may be drawn from: those that lie about as far off as they shall."""

STEPS = (7640891576956012809, 11400714819323198485)
"""2**64 times what √2 and the golden ratio are beyond 1: see `spread`."""

FARTHER = 0.1
"""In cosine: so much nearer to what a difference of texts asks for must another exemplar be called."""

ALIKE = 8
"""Exemplars that a variation of a picture may be drawn from: those nearest to what it comes near to."""

APART = 8
"""A picture is moved by more than the eighth of its side, not to meet its own neighbours."""

CHOOSY = 40.0
"""It is moved e times as often to where it is more alike by a fortieth."""


def pace_of(s: RunSettings) -> float:
    """Times the learning rate: at strength 0 and without a difference nothing changes."""
    turn = 0.0 if s.difference is None else s.difference.weight
    return min(1.0, max(2 * s.strength, turn))


def vary(proposer: Proposer, base: DecodedMaps, edits: Edits, pack: Pack) -> Generator[Phase, None, Proposal]:
    """A beginning for each variation.

    Args:
        proposer: of the run; its `text` are the variations' aims (B, D).
        base: what is varied, a batch of one at the size of the run.
        edits: what the settings' files hold.
        pack: whose networks they are.
    """
    s, here = proposer.s, channels_of(base, pack.channels)
    origin = "picture" if edits.stored is None else edits.stored.origin
    source = None if edits.stored is None else recipe_of(edits.stored, pack)
    if pace_of(s) == 0:
        maps, origins = here.expand(len(proposer.seeds), -1, -1, -1), [origin] * len(proposer.seeds)
    elif source is not None and pack.exemplars is not None:
        maps, origins = yield from _drawn_anew(proposer, source, pack.exemplars, here, origin)
    else:
        return (yield from _mixed(proposer, base, origin, pack))
    yield Phase("propose", len(origins), len(origins), picture=maps[:, :3])
    z, decoded = proposer.through_codes(maps)
    return Proposal(z, origins, Drawn(maps, decoded, torch.ones_like(maps[:, :1])))


def _drawn_anew(
    proposer: Proposer, source: Remembered, exemplars: Exemplars, base: Tensor, origin: str
) -> Generator[Phase, None, tuple[Tensor, list[str]]]:
    """Maps (B, C, H, W) from the source's recipe and its neighbours', and what they come from."""
    s, pack = proposer.s, proposer.pack
    neighbours = Neighbours.of(s, pack, source, exemplars, base[0, :3])
    rows, origins = [], []
    for i in range(len(proposer.seeds)):
        found = neighbours.pick(proposer.seeds[i])
        if found == source:
            rows.append(base[0].cpu())
            origins.append(origin)
        else:
            rows.append(draw_maps(found.recipe, pack.channels, s.height, s.width))
            origins.append(f"exemplar {found.exemplar}, draw {found.draw}: {described(found.recipe)}")
        if len(rows) < len(proposer.seeds):
            yield Phase("propose", len(rows), len(proposer.seeds))
    return torch.stack(rows).to(base), origins


@dataclass(frozen=True)
class Neighbours:
    """What a recipe's variations may be drawn from.

    Attributes:
        source: what is varied.
        told: what its name says, turned by the request's difference: a unit vector (D,); None where all
            variations are the source itself, and nothing turns them.
        near: indices of the other exemplars, nearest to that first.
        others: of those, what variations are drawn from that are not the source.
    """

    s: RunSettings
    pack: Pack
    exemplars: Exemplars
    source: Remembered
    told: Tensor | None
    near: list[int]
    others: list[int]

    @classmethod
    def of(
        cls, s: RunSettings, pack: Pack, source: Remembered, exemplars: Exemplars, picture: Tensor
    ) -> Neighbours:
        """For a request, and the source's base colour (3, H, W).

        Those that are drawn from all look about as far from the source as the strength says: the cosine
        to it, of what the guide sees in them, is 1 - FARTHEST strength³.
        """
        if s.difference is None and s.strength <= OWN:
            return cls(s, pack, exemplars, source, None, [], [])
        told = turned(pack.guide.encode_text([canonical(source.recipe)])[0], s, pack.guide)
        index, _ = exemplars.near(told, len(exemplars.recipes))
        near = [i for i in index.tolist() if i != source.exemplar]
        if not near or s.strength <= OWN:
            return cls(s, pack, exemplars, source, told, near, [])
        first = source.recipe if s.difference is None else exemplars.recipes[int(index[0])]
        kin = [i for i in near if exemplars.recipes[i]["family"] == first["family"]]
        bare = [i for i in kin if not _more_on_it(exemplars.recipes[i], first)]
        some = bare if len(bare) >= WINDOW else kin
        some = (some if some and s.strength <= FAMILY else near)[:NEIGHBOURS]
        looks = seen_in_exemplars(exemplars, index.new_tensor(some), pack.guide)
        seen = turned(of_picture(picture, pack.guide), s, pack.guide)
        distance = (looks @ seen - 1 + FARTHEST * s.strength**3).abs()
        order = distance.argsort().tolist()[:WINDOW]
        return cls(s, pack, exemplars, source, told, near, [some[k] for k in order])

    def pick(self, seed: int) -> Remembered:
        """What the variation of a seed is drawn from: with more strength the same or one farther off.

        Between OWN and OTHER a growing share is drawn from others.
        """
        strength = self.s.strength
        lot = float(uniform(streams([seed], "vary-recipe"), (1,)))
        draw = self.source.draw if strength == 0 else int(lot * 2**24) << 24 | (seed & 0xFFFFFF)
        place, turn = spread(seed)
        if self.others and place < (strength - OWN) / (OTHER - OWN):
            i = self.others[int(turn * len(self.others))]
            recipe = another(cast("Params", self.exemplars.recipes[i]), draw % (MAX_SEED + 1))
            return Remembered(with_coats(recipe, self._kept(recipe)), i, draw)
        own = replace(self.source, recipe=another(self.source.recipe, draw), draw=draw)
        return own if self.s.difference is None or self.told is None else self._turned(own, self.told)

    def _kept(self, recipe: Params) -> list[Coat]:
        """What lies on the source and not on another recipe: mossy stones remain mossy."""
        source = self.source.recipe
        conditions = [] if self.s.difference or self.s.strength > FAMILY else source["modifiers"].items()
        lacking = [
            Coat(name=name, amount=STRENGTHS[strength], colour=None, place=None)
            for name, strength in conditions
            if name not in recipe["modifiers"]
        ]
        return [*source.get("coats", ()), *lacking]

    def _turned(self, own: Remembered, told: Tensor) -> Remembered:
        """The source, with what the difference asks for: a condition, a colour, another material."""
        guide = self.pack.guide
        recipe, fit = named_nearest(own.recipe, told, guide)
        if self.near:
            other = as_asked(
                another(cast("Params", self.exemplars.recipes[self.near[0]]), own.draw), told, guide
            )
            if float(guide.encode_text([canonical(other)])[0] @ told) > fit + FARTHER:
                return Remembered(other, self.near[0], own.draw)
        return replace(own, recipe=recipe)


def _more_on_it(recipe: Mapping[str, Any], source: Mapping[str, Any]) -> bool:
    """Whether a recipe has conditions, or another material on it, that the source does not have."""
    over, own = (p["mixture"] and p["mixture"]["overlay"]["family"] for p in (recipe, source))
    return (over is not None and over != own) or not recipe["modifiers"].keys() <= source["modifiers"].keys()


def _mixed(
    proposer: Proposer, base: DecodedMaps, origin: str, pack: Pack
) -> Generator[Phase, None, Proposal]:
    """What did not come from a recipe: with its places changed about, or from half strength on also what
    the pack remembers that looks like it, most of it in its colours.
    """
    s = proposer.s
    colours = main_colours(base.basecolor[0], PICTURE_COLOURS)
    alike = [] if pack.exemplars is None or s.strength <= 0.5 else _alike(s, base, pack, pack.exemplars)
    rows, origins = [], []
    for i, seed in enumerate(proposer.seeds):
        luck, (place, turn) = streams([seed], "vary-picture"), spread(seed)
        if alike and place < 2 * s.strength - 1:
            k, remembered = alike[int(turn * len(alike))]
            draw = int(uniform(luck, (1,)) * 2**24)
            recipe = another(remembered, draw)
            drawn = draw_maps(recipe, pack.channels, s.height, s.width).to(proposer.text)
            kept = 0.0 if s.difference else 2 * (1 - turn * s.strength)
            rows.append(torch.cat([recoloured(drawn[None, :3], colours, kept)[0], drawn[3:]]))
            # in other colours than the recipe's: what is drawn from that again would not be this
            changed = "reworked: " if kept > 0 else ""
            origins.append(f"{changed}exemplar {k}, draw {draw}: {described(recipe)}")
        else:
            shuffled = reshuffled(base, luck, s.strength, proposer.wrap, pack.generator.f)
            rows.append(channels_of(shuffled, pack.channels)[0])
            origins.append(f"varied: {origin.removeprefix('varied: ')}")
        yield Phase("propose", i + 1, len(proposer.seeds))
    maps = torch.stack(rows)
    z, decoded = proposer.through_codes(maps)
    return Proposal(z, origins, Drawn(maps, decoded, torch.ones_like(maps[:, :1])))


def _alike(s: RunSettings, base: DecodedMaps, pack: Pack, exemplars: Exemplars) -> list[tuple[int, Params]]:
    """Indices and recipes of the exemplars nearest to what the guide sees in a picture, or turned by the
    request's difference. The variations' own aims are no use: their noise would lead to any material.
    """
    near, _ = exemplars.near(turned(of_picture(base.basecolor[0], pack.guide), s, pack.guide), ALIKE)
    return [(k, cast("Params", exemplars.recipes[k])) for k in near.tolist()]


def spread(seed: int) -> tuple[float, float]:
    """Two numbers in 0..1 for a seed: either of seeds in a row lie as far apart as so many can, nearly.

    Source: Kronecker's sequences of numbers that fractions approach badly; Niederreiter, "Random Number
    Generation and Quasi-Monte Carlo Methods", 1992.
    """
    x, y = (seed * step % 2**64 / 2**64 for step in STEPS)
    return x, y


def reshuffled(
    base: DecodedMaps, luck: list[torch.Generator], strength: float, wrap: Wrap, f: int
) -> DecodedMaps:
    """A material (a batch of one) crossed with itself, moved to where it is most alike.

    Bricks come to lie on bricks: what shows in the places that change is another brick of the same wall.
    Then all is moved by any distance. It moves along axes that tile alone.
    """
    H, W = base.height.shape[-2:]
    tone = luminance(base.basecolor)[0, 0]
    spectrum = torch.fft.rfft2(tone - tone.mean())
    alike = torch.fft.irfft2(spectrum * spectrum.conj(), s=(H, W))
    alike = (alike / alike[0, 0].clamp(min=1e-6)).cpu()
    y, x = (torch.arange(n).minimum(n - torch.arange(n)) for n in (H, W))
    alike[(y[:, None] < H / APART) & (x < W / APART)] = -torch.inf
    for axis in (0, 1):
        if not wrap[axis]:
            alike.narrow(axis, 1, (H, W)[axis] - 1).fill_(-torch.inf)
    if not alike.isfinite().any():
        return base
    far = int(torch.multinomial((alike * CHOOSY).flatten().softmax(-1), 1, generator=luck[0]))
    both = crossed(base, rolled(base, divmod(far, W)), base.relief.new_tensor([min(0.5, strength)]), wrap, f)
    down, right = uniform(luck, (2,))[0].tolist()
    return rolled(both, (int(down * H) if wrap[0] else 0, int(right * W) if wrap[1] else 0))


def rolled(maps: DecodedMaps, shift: tuple[int, int]) -> DecodedMaps:
    """Maps moved down and to the right, by pixels, and in again at the opposite side."""
    planes = {name: x.roll(shift, (-2, -1)) for name, x in vars(maps).items() if x.ndim == 4}
    return replace(maps, **planes)
