"""One request from settings to ranked maps: propose, guide, rank. Numbers in, numbers out."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace

from torch import Tensor
from torch.nn import functional as F  # the field's name for it

from engine.material.maps import DecodedMaps
from engine.models.packs import Pack
from engine.models.vqgan import Wrap, tile_axes
from engine.settings import MAX_SEED, RunSettings
from engine.synthesis import targets
from engine.synthesis.aims import aims_of, direction
from engine.synthesis.coarse import continued, stages, weighed
from engine.synthesis.course import Course, Leg
from engine.synthesis.decal import decal_alpha
from engine.synthesis.decode import decode_maps
from engine.synthesis.edit import Edit
from engine.synthesis.edits import NO_EDITS, Edits
from engine.synthesis.extra_guides import Helpers
from engine.synthesis.guidance import Guidance
from engine.synthesis.halving import Race, candidates, first_of_each, pool, rungs
from engine.synthesis.inputs import NOTHING, Inputs, fitted
from engine.synthesis.phase import Phase
from engine.synthesis.prompts import parse
from engine.synthesis.rank import fit, looks, score
from engine.synthesis.ranking import Ranking, rank
from engine.synthesis.seeds import streams
from engine.synthesis.starts import begin
from engine.synthesis.wish import Wish, wish_of


@dataclass(frozen=True)
class Synthesis:
    """What a run made, in the order of its variations; `ranking` lists them best first.

    `origins` says where each began, for people; `looks` is what the judge sees in each, unit vectors (B, D);
    `alpha` is the opacity of decals, (B, 1, H, W); `stopped_at` the step after which a variation was told to
    stop, None where it was not; `estimated` the bytes that its largest group was expected to take.
    """

    maps: DecodedMaps
    seeds: list[int]
    origins: list[str]
    guide_scores: Tensor
    judge_scores: Tensor
    looks: Tensor
    ranking: Ranking
    warnings: list[str]
    alpha: Tensor | None = None
    stopped_at: list[int | None] = field(default_factory=list)
    estimated: int | None = None

    @property
    def order(self) -> list[int]:
        """Variations, best first."""
        return self.ranking.order


def variation_seeds(s: RunSettings) -> list[int]:
    """Variation i has the seed of the run plus i, so that it can be made again alone."""
    return [(s.seed + i) % (MAX_SEED + 1) for i in range(s.variations)]


def synthesize(
    s: RunSettings,
    pack: Pack,
    inputs: Inputs = NOTHING,
    *,
    edits: Edits = NO_EDITS,
    leg: Leg | None = None,
) -> Generator[Phase, None, Synthesis]:
    """Runs a request. Yields after every unit of work; the value at the end is the result.

    Nothing but `s`, the files that it names, which are `inputs` and `edits`, and the pack's weights decides
    the result, unless `leg` stops it after a step: then what there is becomes one.

    Raises:
        BadPrompt: see `prompts.wanted`.
    """
    wrap, own = tile_axes(s.tile), variation_seeds(s)
    leg = leg or Course().leg(0, s.variations)
    race: Race | None = None
    parts = stages(s, edits)
    shown = [
        [fitted(p.to(pack.compute.device), part.height, part.width) for p in inputs.pictures]
        for part, _ in parts
    ]
    read = [targets.of_request(s, pack.guide, pictures) for pictures in shown]
    aims, nearness = aims_of(s, edits, pack.guide, own), aims_of(s, edits, pack.judge, seeds=None)
    # What the guide sees in a picture hangs on its size, and all sizes must begin from the same exemplars:
    # a change of one layout would be noise on another.
    text, wish = direction(read[-1].attracting(), aims), wish_of(s, read[-1], shown[-1], pack.guide)
    for (part, span), pictures, asked in zip(parts, shown, read, strict=True):
        judged = direction(targets.of_request(part, pack.judge, pictures), nearness)
        if race is None:
            race = yield from _entered(part, pack, wrap, text, wish, judged, edits, len(span), leg)
        else:
            race.lead()  # where a run was stopped there may be others, and none of them goes on
            race = yield from continued(part, pack, race, wrap, text, wish)
        if leg.goes(span):
            target = targets.everything(part, pack.guide, asked, pictures, aims)
            helpers = Helpers.of(part, pack, race.seeds, wrap, pictures)
            guidance = Guidance(part, pack, wrap, target, helpers, span)
            yield from weighed(guidance.follow(race, leg), parts)
    assert race is not None, "there is always a stage"
    race.lead()
    edit, seeds = race.edit, race.seeds
    maps = edit.finish(decode_maps(race.z, s, pack, wrap, edit.proposal.drawn))
    yield Phase("rank", 1, 2)
    guide_scores = score(
        maps.basecolor,
        direction(asked, aims),
        pack.guide,
        streams(seeds, "guide-score"),
        views=s.judge_views,
        tile=wrap,
    )
    seen = looks(maps.basecolor, pack.judge, streams(seeds, "judge"), views=s.judge_views, tile=wrap)
    judge_scores, look = fit(seen, judged).cpu(), F.normalize(seen.mean(1), dim=-1).cpu()
    yield Phase("rank", 2, 2, picture=maps.basecolor)
    return Synthesis(
        maps,
        seeds,
        edit.proposal.origins,
        guide_scores.cpu(),
        judge_scores,
        look,
        ranked(s, judge_scores, look, maps),
        _warnings(s, pack),
        decal_alpha(s, seeds, maps, edits.alpha),
        [leg.stopped_at] * s.variations,
    )


def ranked(s: RunSettings, judge_scores: Tensor, looks: Tensor, maps: DecodedMaps) -> Ranking:
    """Variations, best first; those on the way from one picture to another as they lie on it."""
    found = rank(judge_scores, looks, maps, s.tile)
    if not s.towards:
        return found
    count = len(judge_scores)
    return replace(found, order=list(range(count)), repeats=[None] * count)


def _warnings(s: RunSettings, pack: Pack) -> list[str]:
    texts = [prompt.text for prompt in parse(s.prompt) if prompt.weight > 0]
    if s.vary or s.towards:
        texts = [] if s.difference is None else [s.difference.before, s.difference.after]
    texts += [spot.prompt for spot in s.spots if spot.weight > 0]
    found = [_strange(words, pack) for text in texts if (words := pack.guide.unknown_words(text))]
    if s.anti_lettering > 0 and pack.guide.unknown_words(" ".join(targets.LETTERING)):
        found.append(f"The {pack.id} pack has hardly read of lettering: to push it away will change little.")
    return list(dict.fromkeys(found))


def _strange(words: list[str], pack: Pack) -> str:
    """The sentence about words of one prompt that mean nothing to the guide."""
    named = ", ".join(f'"{w}"' for w in words)
    closest = pack.guide.closest_known(" ".join(words))
    if not closest:
        return f"The {pack.id} pack does not know {named}. Expect something else, or use other words."
    return (
        f"The {pack.id} pack does not know {named}; the closest that it knows: {closest}. "
        "Expect something else, or use other words."
    )


def _entered(
    s: RunSettings,
    pack: Pack,
    wrap: Wrap,
    text: Tensor,
    wish: Wish,
    judged: Tensor,
    edits: Edits,
    steps: int,
    leg: Leg,
) -> Generator[Phase, None, Race]:
    """All candidates at their starts, for what the prompt is to guide and judge: unit vectors.

    A run that goes on has only those that were left when it stopped, and what was still to decide.
    """
    entered = candidates(s, given=edits.has_base)
    pools = [pool(own, entered) for own in variation_seeds(s)]
    seeds, decisions = [seed for each in pools for seed in each], rungs(entered, steps)
    if (before := leg.before()) is not None:
        seeds = list(before.seeds)
        decisions = {step: keep for step, keep in decisions.items() if step > before.step}
    each = len(seeds) // s.variations
    start = yield from first_of_each(begin(s, pack, seeds, wrap, text, edits, wish), each)
    return Race.of(Edit.of(s, edits, pack, wrap, start), seeds, [p[0] for p in pools], judged, decisions)
