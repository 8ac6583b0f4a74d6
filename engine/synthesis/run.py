"""One request from settings to ranked maps: propose, guide, rank. Numbers in, numbers out."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F  # the field's name for it

from engine.material.maps import DecodedMaps
from engine.material.relief import decode_relief
from engine.models.packs import Pack
from engine.models.prior import ROUNDS
from engine.models.vqgan import Wrap, tile_axes
from engine.settings import MAX_SEED, RunSettings
from engine.synthesis.cutouts import Cutouts
from engine.synthesis.losses import prompt_loss
from engine.synthesis.optimize import optimize
from engine.synthesis.rank import score
from engine.synthesis.seeds import streams

PROPOSAL_VIEWS = 6
SHOWN = 12
"""How many times a run decodes its pictures to show them."""


@dataclass(frozen=True)
class Phase:
    """One unit of work done.

    Attributes:
        name: "propose", "guide" or "rank".
        step: 1..total.
        loss: mean over the variations, where the unit has one.
        picture: (B, 3, H, W) in 0..1 sRGB, now and then: what is worth showing.
    """

    name: str
    step: int
    total: int
    loss: float | None = None
    picture: Tensor | None = None


@dataclass(frozen=True)
class Synthesis:
    """What a run made, in the order of its variations; `order` lists them best first."""

    maps: DecodedMaps
    seeds: list[int]
    guide_scores: Tensor
    judge_scores: Tensor
    order: list[int]
    warnings: list[str]


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


def synthesize(s: RunSettings, pack: Pack) -> Generator[Phase, None, Synthesis]:
    """Runs a request. Yields after every unit of work; the value at the end is the result.

    Nothing but `s` and the pack's weights decides the result.
    """
    seeds, wrap, target = variation_seeds(s), tile_axes(s.tile), targets(s, pack)
    z = yield from _propose(s, pack, seeds, wrap, target)
    z = yield from _guide(s, pack, seeds, wrap, target, z)
    maps = decode_maps(z, s, pack, wrap)
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
    return Synthesis(maps, seeds, guide_scores.cpu(), judge_scores.cpu(), order, _warnings(s, pack))


def _warnings(s: RunSettings, pack: Pack) -> list[str]:
    words = pack.guide.unknown_words(s.prompt)
    if not words:
        return []
    named = ", ".join(f'"{w}"' for w in words)
    return [f"The {pack.id} pack does not know {named}: expect something else, or use other words."]


def _propose(
    s: RunSettings, pack: Pack, seeds: list[int], wrap: Wrap, target: Target
) -> Generator[Phase, None, Tensor]:
    """Starting latents (B, C, h, w): the prior's samples, best of a few by the guide; else random codes."""
    grid = (s.height // pack.generator.f, s.width // pack.generator.f)
    if pack.prior is None:
        draws = [
            torch.randint(0, pack.generator.cfg.n_embed, grid, generator=g) for g in streams(seeds, "codes")
        ]
        z = pack.generator.lookup(torch.stack(draws).to(pack.compute.device))
        yield Phase("propose", 1, 1)
        return z
    best_z, best = torch.empty(0), torch.full((len(seeds),), -torch.inf)
    for p in range(s.proposals):
        text = target.embeddings[:1].expand(len(seeds), -1)
        codes = torch.empty(0)
        rounds = pack.prior.sample(
            text, grid, streams(seeds, f"prior/{p}"), temperature=s.temperature, wrap=wrap
        )
        for i, codes in enumerate(_under_autocast(rounds, pack)):  # noqa: B007  # the last one counts
            yield Phase("propose", p * ROUNDS + i + 1, s.proposals * ROUNDS)
        z = pack.generator.lookup(codes)
        picture = decode_picture(z, pack, wrap)
        fit = score(
            picture,
            target.embeddings[0],
            pack.guide,
            streams(seeds, f"proposal/{p}"),
            views=PROPOSAL_VIEWS,
            tile=wrap,
        ).cpu()
        better = fit > best
        best_z = z if p == 0 else torch.where(better.to(z.device)[:, None, None, None], z, best_z)
        best = torch.maximum(best, fit)
        yield Phase("propose", (p + 1) * ROUNDS, s.proposals * ROUNDS, picture=picture)
    return best_z


def _under_autocast(rounds: Iterator[Tensor], pack: Pack) -> Iterator[Tensor]:
    """The same rounds, each computed in the pack's precision. Between them the caller's own holds."""
    while True:
        with pack.compute.autocast():
            codes = next(rounds, None)
        if codes is None:
            return
        yield codes


def _guide(
    s: RunSettings, pack: Pack, seeds: list[int], wrap: Wrap, target: Target, z: Tensor
) -> Generator[Phase, None, Tensor]:
    """The CLIP-guided optimisation of all variations at once."""
    cutouts = Cutouts(size_px=pack.guide.size_px, count=s.cutouts, tile=wrap)
    draws, start = streams(seeds, "cutouts"), z.clone()

    def objective(z: Tensor, progress: float) -> Tensor:
        with pack.compute.autocast():
            picture = pack.generator.decode(z, wrap)[:, :3]
        views = cutouts(picture, cutouts.draw(draws, (s.height, s.width), progress))
        embeddings = pack.guide.encode_image(views.flatten(0, 1)).view(*views.shape[:2], -1)
        loss = prompt_loss(embeddings, target.embeddings, target.weights, target.stops)
        if s.keep > 0:
            loss = loss + s.keep * F.mse_loss(z, start, reduction="none").mean((1, 2, 3))
        return loss

    every = max(1, s.steps // SHOWN)
    steps = optimize(z, objective, pack.generator.z_range(), steps=s.steps, lr=s.lr, ema=s.ema)
    for step in steps:
        z = step.z
        shown = decode_picture(z, pack, wrap) if step.index % every == 0 else None
        yield Phase("guide", step.index, step.total, float(step.loss.mean()), shown)
    return z


@torch.no_grad()
def decode_picture(z: Tensor, pack: Pack, wrap: Wrap) -> Tensor:
    """Latent → base colour (B, 3, H, W), 0..1 sRGB."""
    with pack.compute.autocast():
        return pack.generator.decode(z, wrap)[:, :3]


@torch.no_grad()
def decode_maps(z: Tensor, s: RunSettings, pack: Pack, wrap: Wrap) -> DecodedMaps:
    """Latent → every map that the pack's generator decodes, in float32 so that the last bit is stable."""
    x = pack.generator.decode(z, wrap)
    channel = {name: x[:, i : i + 1] for i, name in enumerate(pack.channels)}
    relief = decode_relief(channel["relief"].mean((1, 2, 3)))
    if s.relief is not None:
        relief = torch.full_like(relief, s.relief)
    return DecodedMaps(
        basecolor=x[:, :3],
        height=channel["height"],
        roughness=channel["roughness"],
        metallic=channel["metallic"],
        relief=relief,
    )
