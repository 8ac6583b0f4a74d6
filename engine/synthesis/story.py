"""A story: prompts over time, each frame going on from the latent of the one before."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from engine.material.maps import DecodedMaps
from engine.models.packs import Pack
from engine.models.vqgan import Wrap, tile_axes
from engine.settings import RunSettings
from engine.starter.captions import canonical
from engine.starter.drawing import draw_maps
from engine.starter.materials import with_coats
from engine.synthesis import targets
from engine.synthesis.base import channels_of, remembered
from engine.synthesis.course import Course
from engine.synthesis.crossing import between, crossed
from engine.synthesis.decode import Drawn, decode, decode_maps, maps_of
from engine.synthesis.edit import Edit
from engine.synthesis.edits import NO_EDITS
from engine.synthesis.extra_guides import Helpers
from engine.synthesis.guidance import Guidance
from engine.synthesis.halving import Race
from engine.synthesis.phase import Phase
from engine.synthesis.propose import Proposal, Proposer, propose
from engine.synthesis.recipes import described, named_nearest
from engine.synthesis.scenes import Scene, at
from engine.synthesis.starts import Beginning
from engine.synthesis.targets import Target, Targets, slerp
from engine.synthesis.wish import Wish, wish_of

MEMORY = 0.8
"""Share of what guidance has changed that a frame takes over from the one before, where scenes are drawn."""

PACE = 0.25
"""Times the learning rate, where scenes are drawn: what guidance adds shall not flicker."""

PLACE = 0.08
"""In cosine: so much worse may a scene's name fit to the words, if it is the same place as before."""


@dataclass(frozen=True)
class Frame:
    """One frame: its number from 0, its picture (1, 3, H, W), sRGB, 0..1, and if asked for all its maps."""

    index: int
    picture: Tensor
    maps: DecodedMaps | None = None


def tell(
    s: RunSettings, story: list[Scene], frames: int, pack: Pack, *, with_maps: bool = False
) -> Generator[Phase | Frame]:
    """Yields after every unit of work, and each frame when it is there.

    What scenes ask for are targets at their times, and in between what `faded` says. Where the pack proposes
    drawn maps for words, the frames cross from one scene's to the next one's, and what guidance has changed
    is carried along; else the latent just goes on. `s.steps` guided steps make a frame.

    Args:
        s: of every frame; its prompt and number of variations do not count.
        story: from `scenes`.
        frames: how many, 2 or more.
        pack: the networks.
        with_maps: whether frames bring their maps.
    """
    wrap, s = tile_axes(s.tile), s.model_copy(update={"variations": 1})
    asked = [Asked.of(s, scene, pack, wrap) for scene in story]
    stage = yield from _staged(s, pack, wrap, asked)
    begun: Tensor | None = None
    z = torch.empty(0)
    for k in range(frames):
        i, j, share = at(story, k / (frames - 1))
        start = stage.on(i, j, share)
        carried = start.z if begun is None else _carried(start, begun, z, pack)
        begun = start.z
        proposal = Proposal(carried, start.origins, start.drawn)
        pace = 1.0 if start.drawn is None else PACE
        edit = Edit.of(s, NO_EDITS, pack, wrap, Beginning(proposal, pace=pace))
        race = Race.of(edit, [s.seed], [s.seed], asked[i].text, {})
        target, helpers = asked[i].towards(asked[j], share, asked[0].helpers)
        guidance = Guidance(s, pack, wrap, target, helpers, range(s.steps))
        yield from _counted(guidance.follow(race, Course().leg(0, 1)), k, frames)
        z = race.z
        with torch.no_grad():
            picture = decode(z, pack, wrap, start.drawn)[:, :3]
        yield Frame(k, picture, decode_maps(z, s, pack, wrap, start.drawn) if with_maps else None)


@dataclass(frozen=True)
class Asked:
    """What a scene asks for, as its request alone would.

    Attributes:
        text: what its start is chosen by, a unit embedding (D,) of the guide's.
        wish: what else its start shall be.
        target: what the pack's guide is asked for.
        helpers: the guides beside it, each with its own target.
    """

    text: Tensor
    wish: Wish
    target: Targets
    helpers: Helpers

    @classmethod
    def of(cls, s: RunSettings, scene: Scene, pack: Pack, wrap: Wrap) -> Asked:
        """Of a scene, in a story of these settings."""
        s = s.model_copy(update={"prompt": scene.text})
        asked = targets.of_request(s, pack.guide)
        target = targets.everything(s, pack.guide, asked, ())
        helpers = Helpers.of(s, pack, [s.seed], wrap, ())
        return cls(asked.attracting().direction(), wish_of(s, asked, (), pack.guide), target, helpers)

    def towards(self, other: Asked, share: float, helpers: Helpers) -> tuple[Targets, Helpers]:
        """What is asked for on the way to another scene; the streams of `helpers` go on all the time."""
        pairs = zip(helpers.each, self.helpers.each, other.helpers.each, strict=True)
        each = tuple(replace(h, target=_between(a.target, b.target, share)) for h, a, b in pairs)
        return _between(self.target, other.target, share), replace(helpers, each=each)


def _between(a: Targets, b: Targets, share: float) -> Targets:
    return replace(a, fixed=faded(a.fixed, b.fixed, share))


def faded(a: Target, b: Target, share: float) -> Target:
    """Targets on the way from a to b: what either asks for most lies on the arc between both.

    Everything else fades, by its weight: out what is of a, in what is of b. What both have stays as it is.

    Args:
        a, b: each with something that draws.
        share: 0..1 of the way.
    """
    if share == 0:
        return a
    i, j = int(a.weights.argmax()), int(b.weights.argmax())
    nearer, n = (a, i) if share < 0.5 else (b, j)
    lead = Target(
        slerp(a.embeddings[i], b.embeddings[j], share)[None],
        torch.lerp(a.weights[i], b.weights[j], share)[None],
        nearer.stops[n : n + 1],
    )
    others = [x.select([row != main for row in range(len(x))]) for x, main in ((a, i), (b, j))]
    shares = (1 - share, share)
    rest = [replace(x, weights=x.weights * part) for x, part in zip(others, shares, strict=True)]
    return lead + rest[0] + rest[1]


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


def _staged(s: RunSettings, pack: Pack, wrap: Wrap, asked: list[Asked]) -> Generator[Phase, None, Stage]:
    found: list[Proposal] = []
    for k, scene in enumerate(asked):
        text, wish = scene.text, scene.wish
        proposal = yield from propose(s, pack, [s.seed], wrap, text, wish)
        yield Phase("propose", k + 1, len(asked))
        if proposal.drawn is None:
            return Stage(found or [proposal], Proposer(s, pack, [s.seed], wrap, text))
        found.append(proposal if not found else _same_place(found[-1], proposal, s, pack, wrap, text, wish))
    return Stage(found, Proposer(s, pack, [s.seed], wrap, asked[0].text))


def _same_place(
    before: Proposal, proposed: Proposal, s: RunSettings, pack: Pack, wrap: Wrap, text: Tensor, wish: Wish
) -> Proposal:
    """A scene on the layout of the one before, in another condition, where that fits its words as well."""
    old, new = (remembered(scene.origins[0], s.seed, pack) for scene in (before, proposed))
    if old is None or new is None:
        return proposed
    told = text if wish.material is None else wish.material
    recipe, fit = named_nearest(with_coats(old.recipe, ()), told, pack.guide)
    bare = with_coats(new.recipe, ())
    names = [canonical(bare), canonical(bare, coloured=False)]
    if float((pack.guide.encode_text(names) @ told).max()) > fit + PLACE:
        return proposed
    recipe = with_coats(recipe, wish.coats)
    maps = draw_maps(recipe, pack.channels, s.height, s.width)[None].to(before.z)
    z, decoded = Proposer(s, pack, [s.seed], wrap, text).through_codes(maps)
    origin = f"exemplar {old.exemplar}, draw {old.draw}: {described(recipe)}"
    return Proposal(z, [origin], Drawn(maps, decoded, torch.ones_like(maps[:, :1])))


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
