"""Coarse to fine: most steps guide a quarter of the pixels; what they changed is enlarged for the others.

Where a run begins from what is drawn, a recipe or noise, that is drawn anew at the full size, so that detail
comes from there, and only changes are enlarged. Else the latent itself is.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import replace

from torch import Tensor

from engine.material.resize import resized
from engine.models.packs import Pack
from engine.models.vqgan import Wrap
from engine.settings import RunSettings
from engine.synthesis.decode import Drawn
from engine.synthesis.edits import NO_EDITS, Edits
from engine.synthesis.halving import Race
from engine.synthesis.phase import Phase
from engine.synthesis.propose import Proposal
from engine.synthesis.starts import DRAWN, begin
from engine.synthesis.wish import WORDS, Wish

FINE = 1 / 3
"""Share of the steps at the full size."""

Stage = tuple[RunSettings, range]
"""Settings at the size of a stage, and which steps of the run are its."""


def stages(s: RunSettings, edits: Edits) -> list[Stage]:
    """Half the sides and then all, or at once all: where files are brought, layout is there already."""
    from_words = not (edits.has_base or edits.spots) and edits.mask is None and edits.overlay is None
    if not (s.coarse and from_words and s.steps > 0):
        return [(s, range(s.steps))]
    turn = s.steps - round(FINE * s.steps)
    return [(halved(s), range(turn)), (s, range(turn, s.steps))]


def weighed(phases: Generator[Phase, None, None], parts: Sequence[Stage]) -> Generator[Phase, None, None]:
    """Guided steps with the share of all work that is done by then: a step costs what it has of pixels."""

    def cost(until: float) -> float:
        return sum(max(0.0, min(until, span.stop) - span.start) * s.width * s.height for s, span in parts)

    for phase in phases:
        yield replace(phase, work=cost(phase.step) / cost(math.inf))


def halved(s: RunSettings) -> RunSettings:
    """The same at half the sides."""
    return s.model_copy(update={"width": s.width // 2, "height": s.height // 2})


def enlarged(z: Tensor, like: Tensor, wrap: Wrap) -> Tensor:
    """Latents or changes of them (B, C, h, w) on the grid of others, across borders that tile."""
    return resized(z, like.shape[-2], like.shape[-1], wrap)


def continued(
    s: RunSettings, pack: Pack, race: Race, wrap: Wrap, text: Tensor, wish: Wish = WORDS
) -> Generator[Phase, None, Race]:
    """What a coarse stage left, at the size of the next.

    Args:
        s: of the next stage.
        pack: the networks.
        race: of the coarse stage, over.
        wrap: which axes tile.
        text: the guide's embedding (D,) of the prompt.
        wish: what else is asked of starts: that of the coarse stage, for the same exemplars.
    """
    coarse = race.edit.proposal
    if coarse.drawn is None and s.start not in DRAWN:
        f = pack.generator.f
        grid = coarse.z.new_empty(0, 0, s.height // f, s.width // f)
        fine = replace(coarse, z=enlarged(coarse.z, grid, wrap))
        return race.at(replace(race.edit, settings=s, proposal=fine), enlarged(race.z, grid, wrap))
    # What the prior drew anew there is a change like any other; it would draw something else here.
    whole = s.model_copy(update={"redraw": 0.0})
    begun = yield from begin(whole, pack, race.seeds, wrap, text, NO_EDITS, wish)
    fine = begun.proposal
    z = fine.z + enlarged(race.z - _plain(coarse, pack, wrap), fine.z, wrap)
    if fine.drawn is not None and coarse.drawn is not None:
        share = enlarged(coarse.drawn.share, fine.drawn.maps, wrap).clamp(0, 1)
        fine = replace(fine, drawn=Drawn(fine.drawn.maps, fine.drawn.decoded, share))
    return race.at(replace(race.edit, settings=s, proposal=fine), z)


def _plain(proposal: Proposal, pack: Pack, wrap: Wrap) -> Tensor:
    """The latent of what was drawn, before a prior drew some of it anew."""
    if proposal.drawn is None or bool((proposal.drawn.share == 1).all()):
        return proposal.z
    generator = pack.generator
    return generator.lookup(generator.codes_of(proposal.drawn.maps, wrap))
