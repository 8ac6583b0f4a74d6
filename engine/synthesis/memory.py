"""How much memory a run takes, so that as many variations are guided at once as fit."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import cast
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from engine.models.guide import Clip
from engine.models.packs import Pack
from engine.models.vqgan import TORUS, VQGAN, Level, ResnetBlock, Wrap
from engine.settings import RunSettings
from engine.synthesis.cutouts import Cutouts
from engine.synthesis.decode import decode
from engine.synthesis.halving import guided
from engine.synthesis.lit import Lit
from engine.synthesis.seeds import streams

SMALL_PX, SMALLER_PX = 128, 64
"""Sides of the pictures that steps are measured on: memory grows with pixels and with views alone."""

WORKING = 3.0
"""Peak over what a step keeps for its gradient: inputs and outputs of what runs just now, in float32.

Measured on a CPU in bfloat16 with the starter pack and 8 cutouts: 1.7 at 256 x 256, 2.8 at 512 x 512.
"""

HELD = 2 * 4
"""Bytes of a channel of a pixel that is drawn: what it is and what it decodes to, in float32."""


@dataclass(frozen=True)
class Cost:
    """Bytes that one variation takes in a step: so many a pixel, more where it is lit, and so many a view.

    `held` is what a pixel of a proposal takes from when it is drawn to the end of the run, and `lean` what
    one takes instead of `pixel` where the generator puts memory before time.
    """

    pixel: float
    lean: float
    view: float
    lit: float = 0.0
    held: float = 0.0

    @classmethod
    def of(cls, pack: Pack, wrap: Wrap) -> Cost:
        """Measures a pack's networks by what autograd keeps of small steps: more pixels, or more views."""
        least, wider, more, lit = (
            _kept(pack, wrap, *of)
            for of in ((SMALLER_PX, 1, 0.0), (SMALL_PX, 1, 0.0), (SMALL_PX, 2, 0.0), (SMALL_PX, 1, 1.0))
        )
        with _lean(pack.generator):
            lean = _kept(pack, wrap, SMALL_PX, 1, 0.0) - _kept(pack, wrap, SMALLER_PX, 1, 0.0)
        return cls(
            pixel=WORKING * (wider - least) / (SMALL_PX**2 - SMALLER_PX**2),
            lean=WORKING * lean / (SMALL_PX**2 - SMALLER_PX**2),
            view=WORKING * (more - wider),
            lit=WORKING * (lit - wider) / SMALL_PX**2,
            held=HELD * len(pack.channels),
        )

    def of_variation(self, s: RunSettings, *, lean: bool = False) -> int:
        """Bytes for each variation of a run, with its candidates; `lean`: where memory comes before time."""
        whole = s.width * s.height
        first = whole // 4 if s.coarse else whole
        proposed = math.ceil(s.candidates * self.held * first)
        raced = guided(s.candidates) * self._of_picture(first, s, lean=lean)
        return max(proposed, raced, self._of_picture(whole, s, lean=lean))

    def _of_picture(self, pixels: int, s: RunSettings, *, lean: bool) -> int:
        pixel = (self.lean if lean else self.pixel) + self.held + (self.lit if s.lit_cuts > 0 else 0)
        return math.ceil(pixel * pixels + self.view * s.cutouts)


_views: WeakKeyDictionary[Clip, float] = WeakKeyDictionary()
_costs: WeakKeyDictionary[VQGAN, Cost] = WeakKeyDictionary()


def cost_of(pack: Pack) -> Cost:
    """As `Cost.of`, with the views of guides beside the pack's own. Tiling takes about nothing.

    Measured once for as long as the networks are in memory.
    """
    if pack.generator not in _costs:
        _costs[pack.generator] = Cost.of(pack, TORUS)
    cost = _costs[pack.generator]
    for extra in pack.extra:
        if extra.clip not in _views:
            _views[extra.clip] = Cost.of(replace(pack, guide=extra.clip), TORUS).view
        cost = replace(cost, view=cost.view + _views[extra.clip])
    return cost


def at_once(s: RunSettings, cost: Cost, budget: int) -> int:
    """How many variations of a run to guide together in `budget` bytes: one at least."""
    return max(1, min(s.variations, budget // cost.of_variation(s)))


def fits(s: RunSettings, cost: Cost, budget: int, *, lean: bool = False) -> bool:
    """Whether one variation of a run can be guided in `budget` bytes with all that its steps keep.

    `lean`: with what they keep where memory comes before time.
    """
    return cost.of_variation(s, lean=lean) <= budget


@contextlib.contextmanager
def _lean(generator: VQGAN) -> Iterator[None]:
    """A generator that keeps what its backward pass holds at most where memory comes before time.

    That is the inputs of all blocks and, of the one that is computed anew just then, all: most of the first
    at the full resolution.
    """
    generator.lean = True
    first = cast(Level, generator.decoder.up[0]).block[0]  # `up` counts from the highest resolution
    cast(ResnetBlock, first).lean = False
    try:
        yield
    finally:
        generator.lean = False


def _kept(pack: Pack, wrap: Wrap, side_px: int, views: int, lit_cuts: float) -> int:
    """Bytes that the backward pass of one variation's step would need; weights not counted."""
    networks = (pack.generator, pack.guide.model)
    weights = {_place(p) for network in networks for p in network.parameters()}
    kept: dict[int, int] = {}

    def keep(x: Tensor) -> Tensor:
        if _place(x) not in weights:
            kept[_place(x)] = x.untyped_storage().nbytes()
        return x

    side = side_px // pack.generator.f
    device = pack.compute.device
    z = torch.zeros(1, pack.generator.cfg.embed_dim, side, side, device=device, requires_grad=True)
    cutouts = Cutouts(size_px=pack.guide.size_px, count=views, tile=wrap)
    draw = cutouts.draw(streams([0], "memory"), (side_px, side_px), 0.5)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda x: x):
        with pack.compute.autocast():
            decoded = decode(z, pack, wrap)
        picture = decoded[:, :3]
        light = Lit.of(lit_cuts, None, pack, [0], wrap)
        if light is not None:
            picture = light.picture(decoded, picture)
        embeddings = pack.guide.encode_image(cutouts(picture, draw).flatten(0, 1))
    del embeddings  # alive until here, and with it all that was kept, each at a place of its own
    return sum(kept.values())


def _place(x: Tensor) -> int:
    return x.untyped_storage().data_ptr()
