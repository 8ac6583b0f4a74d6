"""Several guides at once: others pull beside the pack's own, a costly one only now and then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.models.guide import Clip
from engine.models.packs import Pack
from engine.models.vqgan import Wrap
from engine.settings import RunSettings
from engine.synthesis import targets
from engine.synthesis.cutouts import CutoutParams, Cutouts
from engine.synthesis.seeds import streams
from engine.synthesis.targets import Targets

Show = Callable[[Cutouts, CutoutParams], Tensor]
"""What the run shows its guides, cut so: (B, n, 3, s, s)."""


@dataclass(frozen=True)
class Helper:
    """One more guide.

    Attributes:
        clip: sees.
        weight: of its distance, beside 1 of the pack's own guide.
        every: it is asked at the first step and every so many after it.
        target: what the request says to it.
        cutouts: its views: of its size, as many as the pack's guide has.
        draws: a CPU generator a variation; the views of the pack's guide do not depend on it.
    """

    clip: Clip
    weight: float
    every: int
    target: Targets
    cutouts: Cutouts
    draws: list[torch.Generator]

    def loss(self, show: Show, picture_px: tuple[int, int], progress: float) -> Tensor:
        """Weighted distance, (B,)."""
        params = self.cutouts.draw(self.draws, picture_px, progress)
        views = show(self.cutouts, params)
        e = self.clip.encode_image(views.flatten(0, 1)).view(*views.shape[:2], -1)
        return self.weight * self.target.loss(e, lambda pictures: self.cutouts(pictures, params), self.clip)


@dataclass(frozen=True)
class Helpers:
    """All that a run has beside its pack's guide, and its number of steps, by which progress is counted."""

    each: tuple[Helper, ...]
    steps: int

    @classmethod
    def of(
        cls, s: RunSettings, pack: Pack, seeds: Sequence[int], wrap: Wrap, pictures: Sequence[Tensor]
    ) -> Helpers:
        """Those of a request; `pack.extra` has them loaded, in the order of `s.guides`.

        Args:
            s: the request.
            pack: as above.
            seeds: of the variations.
            wrap: axes (vertical, horizontal) that tile.
            pictures: of `s.pictures`, each (3, H, W), of the result's size.
        """
        made = []
        for i, (asked, extra) in enumerate(zip(s.guides, pack.extra, strict=True)):
            request = targets.of_request(s, extra.clip, pictures)
            cutouts = Cutouts(size_px=extra.clip.size_px, count=s.cutouts, tile=wrap)
            target = targets.everything(s, extra.clip, request, pictures)
            draws = streams(seeds, f"cutouts of guide {i + 1}")
            made.append(Helper(extra.clip, asked.weight, asked.every, target, cutouts, draws))
        return cls(tuple(made), s.steps)

    def losses(self, show: Show, picture_px: tuple[int, int], progress: float) -> list[Tensor]:
        """What those add to the loss whose turn it is, (B,) each.

        Args:
            show: cuts what there is to see.
            picture_px: (height, width) of it.
            progress: of the run, 0..1.
        """
        step = round(progress * max(1, self.steps - 1))
        return [h.loss(show, picture_px, progress) for h in self.each if step % h.every == 0]

    def streams(self) -> dict[str, list[torch.Generator]]:
        """Where their random numbers come from, by purpose."""
        return {f"guide {i}": h.draws for i, h in enumerate(self.each, 1)}
