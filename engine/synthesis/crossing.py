"""From one material to another: places change one by one, as their heights say, and tones all together."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.material.maps import DecodedMaps, luminance
from engine.material.relief import decode_relief, encode_relief
from engine.material.resize import resized
from engine.models.vqgan import VQGAN, Wrap
from engine.synthesis.base import base_maps, channels_of
from engine.synthesis.decode import Drawn, smooth
from engine.synthesis.edits import Edits
from engine.synthesis.propose import Proposal, Proposer
from engine.synthesis.seeds import normal, streams
from engine.synthesis.targets import slerp

EDGE = 0.15
"""Of the height range: over such a step one material passes into the other."""

FINE = 0.5
"""Share of fine detail in what decides where which is: the rest is wider than a code."""

PATCHES = 4
"""Patches of the one in the other, along the shorter side."""

DRIFT = 2.0
"""How much they count beside heights. Where these are the same on both, nothing drifts."""

CONTRAST = 2.0
"""Tones are spread at most this many times."""

PLANES = ("height", "roughness", "metallic", "emission")


def crossing(proposer: Proposer, base: DecodedMaps, edits: Edits) -> Proposal:
    """Beginnings on the way from what a run begins from to `edits.towards`, as far as `shares` say.

    Latents go along the arc between both at every place, inside the codebook's range; what is drawn on
    top of them is `crossed`.
    """
    s, pack, wrap = proposer.s, proposer.pack, proposer.wrap
    assert edits.towards is not None
    other = base_maps(s, edits.towards, pack, wrap)
    ends = [proposer.through_codes(channels_of(maps, pack.channels))[0] for maps in (base, other)]
    z = between(ends[0], ends[1], s.shares, pack.generator)
    shares = z.new_tensor(s.shares)
    maps = channels_of(crossed(base, other, shares, wrap, pack.generator.f), pack.channels)
    with torch.no_grad():
        decoded = pack.generator.decode(z, wrap)
    both = [_origin(some) for some in (edits, edits.towards)]
    return Proposal(
        z,
        [f"between: {both[0]} + {both[1]}"] * len(s.shares),
        Drawn(maps, decoded, torch.ones_like(maps[:, :1])),
    )


def between(a: Tensor, b: Tensor, shares: tuple[float, ...], generator: VQGAN) -> Tensor:
    """Latents on the arc from a to b (1, C, h, w) at every place, in the codebook's range: (B, C, h, w)."""
    low, high = generator.z_range()
    return torch.cat([slerp(a, b, share, dim=1) for share in shares]).clamp(low, high)


def crossed(a: DecodedMaps, b: DecodedMaps, shares: Tensor, wrap: Wrap, f: int) -> DecodedMaps:
    """Materials between a and b, batches of one: at share 0 it is a to the last bit, at 1 it is b.

    A mean of two pictures looks like a double exposure. So every place is the one or the other, whichever
    stands out more, and as much of the surface is b as the share says; but where both are as high
    everywhere, as in two colours of one wall, all places change at once. Mean and spread of tones
    change evenly on both, so that what is there of either belongs together; its hues stay its own.

    Args:
        a: where it comes from.
        b: where it goes.
        shares: (B,), 0..1.
        wrap: axes (vertical, horizontal) that tile.
        f: pixels a code.
    """
    t = shares.to(a.height).view(-1, 1, 1, 1)
    mask = _mask(b.height - a.height, t, wrap, f)
    colours = torch.lerp(_toned(a.basecolor, b.basecolor, t), _toned(b.basecolor, a.basecolor, 1 - t), mask)
    planes = {
        name: torch.lerp(getattr(a, name).expand_as(mask), getattr(b, name).expand_as(mask), mask)
        for name in PLANES
    }
    low, high = (encode_relief(float(maps.relief)) for maps in (a, b))
    relief = decode_relief(low + (high - low) * t.flatten())
    relief = torch.where(t.flatten() == 0, a.relief, torch.where(t.flatten() == 1, b.relief, relief))
    return DecodedMaps(basecolor=colours.clamp(0, 1), **planes, relief=relief)


def _mask(over: Tensor, t: Tensor, wrap: Wrap, f: int) -> Tensor:
    """How much of b is where (B, 1, H, W), from how far it stands out over a (1, 1, H, W).

    Patches of it grow, as wide as a drift of noise has them: a change from pixel to pixel leaves neither.
    """
    over = torch.lerp(smooth(over, f, wrap), over, FINE)
    H, W = over.shape[-2:]
    cells = [max(2, round(side / min(H, W) * PATCHES)) for side in (H, W)]
    drift = resized(normal(streams([0], "crossing"), (1, *cells)), H, W, wrap).to(over)
    over = over + DRIFT * over.std() * drift
    levels = torch.quantile(over.flatten()[:: max(1, over.numel() // 2**20)], 1 - t.flatten()).view_as(t)
    return (t + (over - levels) / EDGE).clamp(0, 1)


def _toned(x: Tensor, other: Tensor, t: Tensor) -> Tensor:
    """Pictures x (1, 3, H, W) with the mean and the spread of tones on the way to those of another.

    Grey is added alone, so that grey stays grey: moved as a whole from the mean of red bricks to that of
    moss, joints would turn turquoise, and bricks between the moss magenta.

    Source: Reinhard et al., "Color Transfer between Images", 2001, its first channel.
    """
    own, wanted = luminance(x), luminance(other)
    mean, goal = own.mean(), wanted.mean()
    scale = (wanted.std().clamp(min=1e-3) / own.std().clamp(min=1e-3)).clamp(max=CONTRAST)
    scale = torch.lerp(torch.ones_like(t), scale, t)
    return x + (scale - 1) * (own - mean) + t * (goal - mean)


def _origin(edits: Edits) -> str:
    return "picture" if edits.stored is None else edits.stored.origin.removeprefix("between: ")
