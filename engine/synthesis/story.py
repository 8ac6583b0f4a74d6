"""A story: prompts over time, each frame going on from the latent of the one before."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.models.packs import Pack
from engine.models.vqgan import Wrap, tile_axes
from engine.settings import RunSettings
from engine.starter.captions import canonical
from engine.starter.drawing import draw_maps
from engine.synthesis import targets
from engine.synthesis.base import channels_of, remembered
from engine.synthesis.course import Course
from engine.synthesis.crossing import between, crossed
from engine.synthesis.decode import Drawn, decode, maps_of
from engine.synthesis.edit import Edit
from engine.synthesis.edits import NO_EDITS
from engine.synthesis.extra_guides import Helpers
from engine.synthesis.guidance import Guidance
from engine.synthesis.halving import Race
from engine.synthesis.phase import Phase
from engine.synthesis.prompts import Prompt, parse
from engine.synthesis.propose import Proposal, Proposer, propose
from engine.synthesis.recipes import named_nearest
from engine.synthesis.scenes import Scene, at
from engine.synthesis.starts import Beginning
from engine.synthesis.targets import Target, Targets, slerp

MEMORY = 0.8
"""Share of what guidance has changed that a frame takes over from the one before, where scenes are drawn."""

PACE = 0.25
"""Times the learning rate, where scenes are drawn: what guidance adds shall not flicker."""

PLACE = 0.08
"""In cosine: so much worse may a scene's name fit to the words, if it is the same place as before."""


@dataclass(frozen=True)
class Frame:
    """One frame: its number from 0, and its picture (1, 3, H, W), sRGB, 0..1."""

    index: int
    picture: Tensor


def tell(s: RunSettings, story: list[Scene], frames: int, pack: Pack) -> Generator[Phase | Frame]:
    """Yields after every unit of work, and each frame when it is there.

    Texts are targets at their times, and on the arc between them in between. Where the pack proposes drawn
    maps for words, the frames cross from one scene's to the next one's, and what guidance has changed is
    carried along; else the latent just goes on. `s.steps` guided steps make a frame.

    Args:
        s: of every frame; its prompt and number of variations do not count.
        story: from `scenes`.
        frames: how many, 2 or more.
        pack: the networks.
    """
    wrap, s = tile_axes(s.tile), s.model_copy(update={"variations": 1})
    texts = [pack.guide.encode_templates(scene.text, s.templates) for scene in story]
    stage = yield from _staged(s, pack, wrap, story, texts)
    avoided = _avoided(s, pack)
    begun: Tensor | None = None
    helpers = Helpers.of(s, pack, [s.seed], wrap, ())
    z = torch.empty(0)
    for k in range(frames):
        i, j, share = at(story, k / (frames - 1))
        start = stage.on(i, j, share)
        carried = start.z if begun is None else _carried(start, begun, z, pack)
        begun = start.z
        text = texts[i] if share == 0 else slerp(texts[i], texts[j], share)
        target = Targets(Target.of([text], [1.0]) + avoided)
        proposal = Proposal(carried, start.origins, start.drawn)
        pace = 1.0 if start.drawn is None else PACE
        edit = Edit.of(s, NO_EDITS, pack, wrap, Beginning(proposal, pace=pace))
        race = Race.of(edit, [s.seed], [s.seed], text, {})
        guidance = Guidance(s, pack, wrap, target, helpers, range(s.steps))
        yield from _counted(guidance.follow(race, Course().leg(0, 1)), k, frames)
        z = race.z
        with torch.no_grad():
            yield Frame(k, decode(z, pack, wrap, start.drawn)[:, :3])


@dataclass(frozen=True)
class Stage:
    """The scenes' beginnings, and what lies between them.

    Attributes:
        proposals: one a scene; where nothing is drawn the first scene's alone.
        proposer: of the run.
    """

    proposals: list[Proposal]
    proposer: Proposer

    def on(self, i: int, j: int, share: float) -> Proposal:
        """Where a frame begins that has gone so far from scene i to scene j."""
        if len(self.proposals) == 1:
            return self.proposals[0]
        a, b = self.proposals[i], self.proposals[j]
        if i == j or share == 0:
            return a
        pack, wrap = self.proposer.pack, self.proposer.wrap
        assert a.drawn is not None and b.drawn is not None
        names = pack.channels
        ends = [maps_of(scene.drawn.maps, names) for scene in (a, b) if scene.drawn is not None]
        maps = channels_of(crossed(ends[0], ends[1], a.z.new_tensor([share]), wrap, pack.generator.f), names)
        z = between(a.z, b.z, (share,), pack.generator)
        with torch.no_grad():
            decoded = pack.generator.decode(z, wrap)
        return Proposal(z, [f"{a.origins[0]} + {b.origins[0]}"], Drawn(maps, decoded, a.drawn.share))


def _staged(
    s: RunSettings, pack: Pack, wrap: Wrap, story: list[Scene], texts: list[Tensor]
) -> Generator[Phase, None, Stage]:
    found: list[Proposal] = []
    for k, text in enumerate(texts):
        proposal = yield from propose(s, pack, [s.seed], wrap, text)
        yield Phase("propose", k + 1, len(story))
        if proposal.drawn is None:
            return Stage(found or [proposal], Proposer(s, pack, [s.seed], wrap, text))
        found.append(proposal if not found else _same_place(found[-1], proposal, s, pack, wrap, text))
    return Stage(found, Proposer(s, pack, [s.seed], wrap, texts[0]))


def _same_place(
    before: Proposal, proposed: Proposal, s: RunSettings, pack: Pack, wrap: Wrap, text: Tensor
) -> Proposal:
    """A scene on the layout of the one before, in another condition, where that fits its words as well."""
    old, new = (remembered(scene.origins[0], s.seed, pack) for scene in (before, proposed))
    if old is None or new is None:
        return proposed
    recipe, fit = named_nearest(old.recipe, text, pack.guide)
    names = [canonical(new.recipe), canonical(new.recipe, coloured=False)]
    if float((pack.guide.encode_text(names) @ text).max()) > fit + PLACE:
        return proposed
    maps = draw_maps(recipe, pack.channels, s.height, s.width)[None].to(before.z)
    z, decoded = Proposer(s, pack, [s.seed], wrap, text).through_codes(maps)
    origin = f"exemplar {old.exemplar}, draw {old.draw}: {canonical(recipe)}"
    return Proposal(z, [origin], Drawn(maps, decoded, torch.ones_like(maps[:, :1])))


def _avoided(s: RunSettings, pack: Pack) -> Target:
    prompts = (
        [Prompt(p.text, -s.negative_weight * p.weight, p.stop) for p in parse(s.negative, "negative")]
        if s.negative.strip()
        else []
    )
    return targets.of_texts(prompts, s.templates, pack.guide)


def _carried(start: Proposal, begun: Tensor, z: Tensor, pack: Pack) -> Tensor:
    """Where a frame's latent goes on: at that of the one before, moved as the scene has moved since."""
    if start.drawn is None:
        return z
    low, high = pack.generator.z_range()
    return (start.z + MEMORY * (z - begun)).clamp(low, high)


def _counted(phases: Generator[Phase, None, None], k: int, frames: int) -> Generator[Phase, None, None]:
    """A frame's guided steps, as steps of the whole story."""
    for phase in phases:
        yield Phase("guide", k * phase.total + phase.step, frames * phase.total, phase.loss)
