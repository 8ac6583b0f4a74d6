"""What edits add to the guided loop: a mask, spots, terms and an overlay, each nothing unless asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from torch import Tensor

from engine.material.maps import DecodedMaps
from engine.models.packs import Pack
from engine.models.vqgan import Wrap
from engine.settings import RunSettings
from engine.synthesis.cutouts import CutoutParams, Cutouts
from engine.synthesis.edits import Edits
from engine.synthesis.mask import blend, softened
from engine.synthesis.overlay import Renew, laid_over
from engine.synthesis.propose import Proposal
from engine.synthesis.spots import Spots
from engine.synthesis.starts import Beginning
from engine.synthesis.terms import Term, weighted


@dataclass(frozen=True)
class Edit:
    """One run's edits, ready for its loop.

    Attributes:
        settings: of the run.
        wrap: which axes (vertical, horizontal) tile.
        proposal: where it begins.
        pace: times the learning rate.
        kept: what a mask keeps, and the share (1, 1, H, W) that is free; None without a mask.
        spots: parts with prompts of their own.
        renew: what `optimize` calls after every step.
    """

    settings: RunSettings
    wrap: Wrap
    proposal: Proposal
    pace: float
    kept: tuple[DecodedMaps, Tensor] | None
    spots: Spots | None
    renew: Renew | None

    @classmethod
    def of(cls, s: RunSettings, edits: Edits, pack: Pack, wrap: Wrap, start: Beginning) -> Edit:
        """From what the settings' files hold, and where the run begins."""
        proposal, renew, kept = start.proposal, None, None
        if edits.overlay is not None:
            proposal, renew = laid_over(s, pack, wrap, proposal, edits.overlay)
        if edits.mask is not None and start.original is not None:
            mask = edits.mask[None].to(proposal.z.device)
            kept = start.original, softened(mask, pack.generator.f, wrap)
        spots = Spots.of(s, edits, pack, wrap)
        return cls(s, wrap, proposal, start.pace, kept, spots, renew)

    def shown(self, picture: Tensor) -> Tensor:
        """Base colour (B, 3, H, W) as it will be: with what the mask keeps."""
        if self.kept is None:
            return picture
        original, share = self.kept
        return original.basecolor.lerp(picture, share.expand_as(picture))

    def elsewhere(self, picture: Tensor) -> Tensor:
        """What the run's own prompts see, and change where no spot does."""
        return picture if self.spots is None else self.spots.elsewhere(picture)

    def terms(self, cutouts: Cutouts, params: CutoutParams) -> Iterator[Callable[[Tensor], Tensor]]:
        """What adds to the loss: pictures (B, 3, H, W) → (B,), each already weighted."""
        if self.spots is not None:
            yield partial(self.spots.loss, cutouts=cutouts, params=params)
        for weight, term in weighted(self.settings):
            yield partial(_weighted, weight=weight, term=term, wrap=self.wrap)

    def finish(self, maps: DecodedMaps) -> DecodedMaps:
        """The maps of the result: the original's wherever the mask keeps them."""
        return maps if self.kept is None else blend(self.kept[0], maps, self.kept[1])


def _weighted(picture: Tensor, weight: float, term: Term, wrap: Wrap) -> Tensor:
    return weight * term(picture, wrap)
