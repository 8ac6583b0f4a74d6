"""Where a run begins: a picture, a stored result, fractal noise, a gradient, or what the pack proposes.

Whatever begins it, parts that have a prompt of their own begin as that prompt would.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from engine.material.maps import DecodedMaps
from engine.material.resize import resized
from engine.models.packs import Pack
from engine.models.vqgan import Wrap
from engine.settings import RunSettings
from engine.synthesis.base import base_maps, channels_of
from engine.synthesis.crossing import crossing
from engine.synthesis.decode import Drawn, decode_maps, maps_of
from engine.synthesis.edits import Edits
from engine.synthesis.mask import blend, softened
from engine.synthesis.phase import Phase
from engine.synthesis.propose import Proposal, Proposer, propose
from engine.synthesis.seeds import streams, uniform
from engine.synthesis.vary import pace_of, vary
from engine.synthesis.wish import WORDS, Wish, worded

OCTAVES = 5
ROUGHNESS = 0.6
"""How strong an octave is beside the one before."""

CONTRAST = 1.6
COLOUR = 0.5
"""How far channels go their own ways in noise: at 0 it is grey, at 1 no two are alike."""


@dataclass(frozen=True)
class Beginning:
    """Where a run begins.

    Attributes:
        proposal: the starting latents, and what they stand for.
        original: what a mask keeps; None without a mask.
        pace: times the learning rate, for how much shall change.
    """

    proposal: Proposal
    original: DecodedMaps | None = None
    pace: float = 1.0


def begin(
    s: RunSettings,
    pack: Pack,
    seeds: list[int],
    wrap: Wrap,
    text: Tensor,
    edits: Edits,
    wish: Wish = WORDS,
) -> Generator[Phase, None, Beginning]:
    """A beginning for every seed. The arguments are those of `propose`, and what the settings' files hold.

    Raises:
        InvalidRequest: see `propose`.
    """
    proposer = Proposer(s, pack, seeds, wrap, text)
    base = base_maps(s, edits, pack, wrap) if edits.has_base else None
    pace = 1.0
    if s.start == "auto" and base is not None and s.towards:
        proposal = crossing(proposer, base, edits)
        yield Phase("propose", 1, 1, picture=proposal.drawn.maps[:, :3] if proposal.drawn else None)
    elif s.start == "auto" and base is not None and s.vary:
        pace = pace_of(s)
        proposal = yield from vary(proposer, base, edits, pack)
    elif s.start == "auto" and base is not None:
        pace, share = min(1.0, 2 * s.strength), min(1.0, 2 * (1 - s.strength))
        origin = "picture" if edits.stored is None else edits.stored.origin
        origin = origin if share == 1 else f"reworked: {origin}"
        maps = channels_of(base, pack.channels).expand(len(seeds), -1, -1, -1)
        proposal = on_codes(proposer, maps, origin, share=share)
        yield Phase("propose", 1, 1, picture=maps[:, :3])
    elif s.start in DRAWN:
        maps = DRAWN[s.start](seeds, (len(pack.channels), s.height, s.width), wrap)
        proposal = replace(on_codes(proposer, maps.to(pack.compute.device), s.start), drawn=None)
        yield Phase("propose", 1, 1, picture=maps[:, :3])
    else:
        proposal = yield from propose(s, pack, seeds, wrap, text, wish)
    for spot, part in zip(s.spots, edits.spots, strict=True):
        if spot.weight > 0:
            proposal = yield from _with_spot(proposer, proposal, spot.prompt, part)
    if edits.mask is None:
        return Beginning(proposal, None, pace)
    original = decode_maps(proposal.z, s, pack, wrap, proposal.drawn) if base is None else base
    named = replace(
        proposal, origins=[f"edit: {origin.removeprefix('edit: ')}" for origin in proposal.origins]
    )
    return Beginning(named, original, pace)


def on_codes(proposer: Proposer, maps: Tensor, origin: str, share: float = 1.0) -> Proposal:
    """Drawn maps (B, C, H, W) as a proposal, of whose own detail this share stays."""
    z, decoded = proposer.through_codes(maps)
    drawn = Drawn(maps, decoded, torch.full_like(maps[:, :1], share))
    return Proposal(z, [origin] * len(maps), drawn)


def _with_spot(
    proposer: Proposer, proposal: Proposal, prompt: str, part: Tensor
) -> Generator[Phase, None, Proposal]:
    """The proposal, with what the pack proposes for another prompt in a part (1, H, W) of it.

    Only where the pack proposes drawn maps: guidance alone moves tones, and hardly makes moss of bricks.
    """
    s, pack, wrap = proposer.s, proposer.pack, proposer.wrap
    if proposal.drawn is None or s.start not in {"auto", "exemplar"} or pack.exemplars is None:
        return proposal
    text = pack.guide.encode_templates(prompt, s.templates)
    own = s.model_copy(update={"start": "exemplar"})
    other = yield from propose(own, pack, proposer.seeds, wrap, text, worded(prompt, s, pack.guide))
    assert other.drawn is not None
    names = pack.channels
    share = softened(part[None].to(proposal.z.device), pack.generator.f, wrap)
    both = blend(maps_of(proposal.drawn.maps, names), maps_of(other.drawn.maps, names), share)
    z, decoded = proposer.through_codes(channels_of(both, names))
    kept = torch.lerp(proposal.drawn.share, other.drawn.share, share.expand_as(other.drawn.share))
    drawn = Drawn(channels_of(both, names), decoded, kept)
    named = zip(proposal.origins, other.origins, strict=True)
    return Proposal(z, [f"spots: {a} + {b}" for a, b in named], drawn)


def noise(seeds: list[int], shape: tuple[int, int, int], wrap: Wrap) -> Tensor:
    """Fractal noise (B, C, H, W), 0..1: octaves of lattice noise, each twice as fine and 0.6 as strong.

    The channels share a part, so that it is marbled rather than gaudy. It closes along the axes that tile.

    Source: Perlin 1985, with cubic interpolation of random values for his gradients; its contrast is
    raised as in pixray's 'pixels' start.
    """
    C, H, W = shape
    draws = streams(seeds, "noise-start")
    total = torch.zeros(len(seeds), C, H, W)
    for octave in range(OCTAVES):
        cells = [max(4, round(side / min(H, W) * 4)) * 2**octave for side in (H, W)]
        common, own = (uniform(draws, (c, *cells), -1, 1) for c in (1, C))
        total += ROUGHNESS**octave * resized(torch.lerp(common.expand_as(own), own, COLOUR), H, W, wrap)
    deviation = total.std((-2, -1), keepdim=True).clamp(min=1e-6)
    return (0.5 + CONTRAST * 0.2 * total / deviation).clamp(0, 1)


def gradient(seeds: list[int], shape: tuple[int, int, int], wrap: Wrap) -> Tensor:
    """From one random colour to another and, along axes that tile, back again: (B, C, H, W), 0..1.

    x = a + (b - a)(1 - cos φ)/2 with φ one turn over an axis that tiles, half of one over one that does
    not; along rows, columns or both, as the seed says.
    """
    C, H, W = shape
    draws = streams(seeds, "gradient-start")
    a, b = uniform(draws, (2, C, 1, 1)).unbind(1)
    way = (uniform(draws, (1,)) * 3).floor().view(-1, 1, 1, 1)  # 0 along rows, 1 along columns, 2 both
    turns = [2 * math.pi if wraps else math.pi for wraps in wrap]
    y, x = ((torch.arange(n) + 0.5) / n * turn for n, turn in zip((H, W), turns, strict=True))
    y, x = y.view(1, 1, H, 1), x.view(1, 1, 1, W)
    phase = torch.where(way != 0, y, 0.0) + torch.where(way != 1, x, 0.0)
    return torch.lerp(a.expand(-1, -1, H, W), b.expand(-1, -1, H, W), (1 - phase.cos()) / 2)


DRAWN: dict[str, Callable[[list[int], tuple[int, int, int], Wrap], Tensor]] = {
    "noise": noise,
    "gradient": gradient,
}
"""Starts that need no pack, by the setting's name."""
