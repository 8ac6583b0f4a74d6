"""CLIP guidance: what the latent follows in a stage of a run, and the steps that it takes."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F  # the field's name for it

from engine.models.packs import Pack
from engine.models.vqgan import Wrap
from engine.settings import RunSettings
from engine.synthesis.course import Leg
from engine.synthesis.cutouts import CutoutParams, Cutouts
from engine.synthesis.decode import decode, decode_picture
from engine.synthesis.extra_guides import Helpers
from engine.synthesis.halving import Race
from engine.synthesis.lit import Lit
from engine.synthesis.losses import lone_changes
from engine.synthesis.optimize import optimize
from engine.synthesis.palette import palette_distance, palette_of
from engine.synthesis.phase import Phase
from engine.synthesis.targets import Targets

SHOWN = 6
"""How many times a run decodes its pictures to show them."""


@dataclass(frozen=True)
class Guidance:
    """What guides a stage of a run.

    Attributes:
        settings: at the size of the stage.
        pack: the networks.
        wrap: axes (vertical, horizontal) that tile.
        target: what the pack's guide is asked for.
        helpers: the guides beside it.
        span: which steps of the run are this stage's.
    """

    settings: RunSettings
    pack: Pack
    wrap: Wrap
    target: Targets
    helpers: Helpers
    span: range

    def follow(self, race: Race, leg: Leg) -> Generator[Phase, None, None]:
        """Guides all variations at once, and their candidates while they are in. Yields every step."""
        s, pack, wrap = self.settings, self.pack, self.wrap
        objective = Objective(self, race)
        race.take_up(objective.streams())
        race.select(0, race.z, pack, wrap)
        before = leg.begin(race.draws, race.z.device, self.span)
        if before is not None:
            race.z = before.average
        steps = optimize(
            race.z, objective, pack.generator.z_range(), steps=s.steps, lr=s.lr * race.edit.pace, ema=s.ema,
            renew=race.edit.renew, select=lambda step, z: race.select(step, z, pack, wrap), span=self.span,
            resume=before,
        )  # fmt: skip
        every = max(1, s.steps // SHOWN)
        for step in steps:
            race.z = step.z
            shown = None
            if step.index % every == 0:
                picture = decode_picture(race.z, pack, wrap, race.edit.proposal.drawn)
                shown = race.leaders(race.edit.shown(picture))
            yield Phase("guide", step.index, step.total, float(step.loss.mean()), shown)
            if leg.stops(step.index, step.total, step.state, race.draws, race.seeds):
                break


class Objective:
    """What the loop makes small: how far pictures are from all that is asked for, (B,) for z (B, C, h, w).

    Args:
        guidance: of the stage.
        race: whose candidates are guided; those that are out are not asked for.
    """

    def __init__(self, guidance: Guidance, race: Race) -> None:
        self._guidance, self._race = guidance, race
        s, pack, wrap = guidance.settings, guidance.pack, guidance.wrap
        self._cutouts = Cutouts(size_px=pack.guide.size_px, count=s.cutouts, tile=wrap)
        self._light = Lit.of(s.lit_cuts, s.relief, pack, race.seeds, wrap)

    def streams(self) -> dict[str, list[torch.Generator]]:
        """What it draws from besides the race's own, by purpose."""
        light = {} if self._light is None else {"light": self._light.draws}
        return {**self._guidance.helpers.streams(), **light}

    def __call__(self, z: Tensor, progress: float) -> Tensor:
        guidance, edit = self._guidance, self._race.edit
        s, pack = guidance.settings, guidance.pack
        size = (s.height, s.width)
        with pack.compute.autocast():
            decoded = decode(z, pack, guidance.wrap, edit.proposal.drawn)
        picture = edit.shown(decoded[:, :3])
        params = self._cutouts.draw(self._race.draws["cutouts"], size, progress)
        lit = None if self._light is None else edit.elsewhere(self._light.picture(decoded, picture))

        def show(cutouts: Cutouts, params: CutoutParams) -> Tensor:
            views = cutouts(edit.elsewhere(picture), params)
            if self._light is None or lit is None:
                return views
            return self._light.mixed(views, cutouts(lit, params))

        views = show(self._cutouts, params)
        embeddings = pack.guide.encode_image(views.flatten(0, 1)).view(*views.shape[:2], -1)
        loss = guidance.target.loss(embeddings, lambda pictures: self._cutouts(pictures, params), pack.guide)
        loss = sum(guidance.helpers.losses(show, size, progress), loss)
        if s.palette and s.palette_weight > 0:
            loss = loss + s.palette_weight * palette_distance(picture, palette_of(s.palette, z))
        start = edit.proposal.z
        if s.coherence > 0:
            loss = loss + s.coherence * lone_changes(z - start, guidance.wrap)
        for term in edit.terms(self._cutouts, params):
            loss = loss + term(picture)
        if s.keep > 0:
            loss = loss + s.keep * F.mse_loss(z, start, reduction="none").mean((1, 2, 3))
        return loss
