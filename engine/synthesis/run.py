"""One request from settings to ranked maps: propose, guide, rank. Numbers in, numbers out."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F  # the field's name for it

from engine.material.maps import DecodedMaps
from engine.models.packs import Pack
from engine.models.vqgan import Wrap, tile_axes
from engine.settings import MAX_SEED, RunSettings
from engine.synthesis.cutouts import Cutouts
from engine.synthesis.decal import decal_alpha
from engine.synthesis.decode import decode, decode_maps, decode_picture
from engine.synthesis.edit import Edit
from engine.synthesis.edits import NO_EDITS, Edits
from engine.synthesis.losses import lone_changes, prompt_loss
from engine.synthesis.optimize import optimize
from engine.synthesis.phase import Phase
from engine.synthesis.rank import score
from engine.synthesis.seeds import streams
from engine.synthesis.starts import begin

SHOWN = 6
"""How many times a run decodes its pictures to show them."""


@dataclass(frozen=True)
class Synthesis:
    """What a run made, in the order of its variations; `order` lists them best first.

    `origins` says where each began, for people; `alpha` is the opacity of decals, (B, 1, H, W).
    """

    maps: DecodedMaps
    seeds: list[int]
    origins: list[str]
    guide_scores: Tensor
    judge_scores: Tensor
    order: list[int]
    warnings: list[str]
    alpha: Tensor | None = None


@dataclass(frozen=True)
class Target:
    """Unit text embeddings (P, D) of one CLIP with their weights (P,): positive draws, negative repels."""

    embeddings: Tensor
    weights: Tensor

    @property
    def stops(self) -> Tensor:
        """No prompt stops early."""
        return torch.full_like(self.weights, -torch.inf)


def variation_seeds(s: RunSettings) -> list[int]:
    """Variation i has the seed of the run plus i, so that it can be made again alone."""
    return [(s.seed + i) % (MAX_SEED + 1) for i in range(s.variations)]


def targets(s: RunSettings, pack: Pack) -> Target:
    """The guide's view of prompt and negative prompt, averaged over the preset's templates."""
    rows, weights = [pack.guide.encode_templates(s.prompt, s.templates)], [1.0]
    if s.negative.strip() and s.negative_weight > 0:
        rows.append(pack.guide.encode_templates(s.negative, s.templates))
        weights.append(-s.negative_weight)
    embeddings = torch.stack(rows)
    return Target(embeddings, torch.tensor(weights, device=embeddings.device))


def synthesize(s: RunSettings, pack: Pack, *, edits: Edits = NO_EDITS) -> Generator[Phase, None, Synthesis]:
    """Runs a request. Yields after every unit of work; the value at the end is the result.

    Nothing but `s`, the files that it names, which are `edits`, and the pack's weights decides the result.
    """
    seeds, wrap, target = variation_seeds(s), tile_axes(s.tile), targets(s, pack)
    start = yield from begin(s, pack, seeds, wrap, target.embeddings[0], edits)
    edit = Edit.of(s, edits, pack, wrap, start)
    proposal = edit.proposal
    z = yield from _guide(s, pack, seeds, wrap, target, edit)
    maps = edit.finish(decode_maps(z, s, pack, wrap, proposal.drawn))
    yield Phase("rank", 1, 2)
    guide_scores = score(
        maps.basecolor,
        target.embeddings[0],
        pack.guide,
        streams(seeds, "guide-score"),
        views=s.judge_views,
        tile=wrap,
    )
    judged = pack.judge.encode_templates(s.prompt, s.templates)
    judge_scores = score(
        maps.basecolor, judged, pack.judge, streams(seeds, "judge"), views=s.judge_views, tile=wrap
    )
    yield Phase("rank", 2, 2, picture=maps.basecolor)
    order = judge_scores.argsort(descending=True, stable=True).tolist()
    return Synthesis(
        maps,
        seeds,
        proposal.origins,
        guide_scores.cpu(),
        judge_scores.cpu(),
        order,
        _warnings(s, pack),
        decal_alpha(s, seeds, maps, edits.alpha),
    )


def _warnings(s: RunSettings, pack: Pack) -> list[str]:
    words = pack.guide.unknown_words(s.prompt)
    if not words:
        return []
    named = ", ".join(f'"{w}"' for w in words)
    closest = pack.guide.closest_known(" ".join(words))
    nearby = f"; the closest that it knows: {closest}" if closest else ""
    return [f"The {pack.id} pack does not know {named}{nearby}. Expect something else, or use other words."]


def _guide(
    s: RunSettings, pack: Pack, seeds: list[int], wrap: Wrap, target: Target, edit: Edit
) -> Generator[Phase, None, Tensor]:
    """The CLIP-guided optimisation of all variations at once."""
    cutouts = Cutouts(size_px=pack.guide.size_px, count=s.cutouts, tile=wrap)
    proposal = edit.proposal
    draws, start, z = streams(seeds, "cutouts"), proposal.z, proposal.z

    def objective(z: Tensor, progress: float) -> Tensor:
        with pack.compute.autocast():
            picture = decode(z, pack, wrap, proposal.drawn)[:, :3]
        picture = edit.shown(picture)
        params = cutouts.draw(draws, (s.height, s.width), progress)
        views = cutouts(edit.elsewhere(picture), params)
        embeddings = pack.guide.encode_image(views.flatten(0, 1)).view(*views.shape[:2], -1)
        loss = prompt_loss(embeddings, target.embeddings, target.weights, target.stops)
        if s.coherence > 0:
            loss = loss + s.coherence * lone_changes(z - start, wrap)
        for term in edit.terms(cutouts, params):
            loss = loss + term(picture)
        if s.keep > 0:
            loss = loss + s.keep * F.mse_loss(z, start, reduction="none").mean((1, 2, 3))
        return loss

    every = max(1, s.steps // SHOWN)
    z_range, lr = pack.generator.z_range(), s.lr * edit.pace
    steps = optimize(z, objective, z_range, steps=s.steps, lr=lr, ema=s.ema, renew=edit.renew)
    for step in steps:
        z = step.z
        due = step.index % every == 0
        shown = edit.shown(decode_picture(z, pack, wrap, proposal.drawn)) if due else None
        yield Phase("guide", step.index, step.total, float(step.loss.mean()), shown)
    return z
