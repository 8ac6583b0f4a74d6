"""What the guide is drawn to and pushed from: texts, pictures, directions and noise in CLIP's space."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F  # the field's name for it

from engine.models.guide import Clip
from engine.settings import RunSettings
from engine.synthesis.cutouts import Cutouts
from engine.synthesis.losses import prompt_loss
from engine.synthesis.prompts import Prompt, parse, wanted
from engine.synthesis.seeds import normal, streams

LETTERING = ("letters", "text", "words", "writing", "a watermark", "a logo", "a caption")
PLAIN = ("a surface", "a texture", "a material")
"""What lettering is written on: without it, the direction of lettering would lead away from surfaces too."""

FREE_VIEWS = 32
"""Views over which a free picture prompt is averaged."""


@dataclass(frozen=True)
class Target:
    """Unit embeddings (P, D) of one CLIP with weights and stops (P,): positive draws, negative repels.

    Stops are in the unit of `prompt_loss`: distance times the weight's sign, -inf for never.
    """

    embeddings: Tensor
    weights: Tensor
    stops: Tensor

    @classmethod
    def of(
        cls, embeddings: Sequence[Tensor], weights: Sequence[float], stops: Sequence[float] | None = None
    ) -> Target:
        """From embeddings (D,), a row each; without stops none ever stops."""
        if not embeddings:
            return cls(*torch.empty(3, 0))
        rows = torch.stack(list(embeddings))
        ends = [-torch.inf] * len(rows) if stops is None else list(stops)
        return cls(rows, *(torch.tensor(x, device=rows.device) for x in (list(weights), ends)))

    def __add__(self, other: Target) -> Target:
        if not (len(self) and len(other)):
            return self if len(self) else other
        pairs = zip(
            (self.embeddings, self.weights, self.stops),
            (other.embeddings, other.weights, other.stops),
            strict=True,
        )
        return Target(*(torch.cat(pair) for pair in pairs))

    def __len__(self) -> int:
        return len(self.weights)

    def select(self, rows: Sequence[bool]) -> Target:
        """The rows that are marked."""
        if not len(self):
            return self
        marked = torch.tensor(list(rows), device=self.weights.device)
        return Target(self.embeddings[marked], self.weights[marked], self.stops[marked])

    def attracting(self) -> Target:
        """The rows that draw."""
        return self.select((self.weights > 0).tolist())

    def direction(self) -> Tensor:
        """All rows as one unit vector (D,): their sum by weight, in which the negative ones subtract."""
        if len(self) == 1 and self.weights[0] > 0:
            return self.embeddings[0]  # to the last bit
        return F.normalize(self.weights @ self.embeddings, dim=0)


@dataclass(frozen=True)
class Aligned:
    """A picture (3, H, W), of the result's size, that the guide sees cut exactly as the result."""

    picture: Tensor
    weight: float

    def loss(self, embeddings: Tensor, cut: Callable[[Tensor], Tensor], clip: Clip) -> Tensor:
        """Mean distance of each view of a result to the same view of the picture, weighted: (B,).

        Layout counts, unlike for a free picture prompt: view is compared with view.

        Args:
            embeddings: (B, n, D) of the result's views.
            cut: pictures (B, 3, H, W) → the same views of them, (B, n, 3, s, s).
            clip: the guide.

        Source: pixray, which keeps the warps of a step for its image prompts.
        """
        with torch.no_grad():
            views = cut(self.picture.expand(len(embeddings), -1, -1, -1))
            seen = clip.encode_image(views.flatten(0, 1)).view_as(embeddings)[:, :, None]
        weights = embeddings.new_tensor([self.weight])
        return prompt_loss(embeddings, seen, weights, torch.full_like(weights, -torch.inf))


@dataclass(frozen=True)
class Targets:
    """All that the guide is drawn to and pushed from in a run; `aims` (B, D) are a variation's own."""

    fixed: Target
    aligned: tuple[Aligned, ...] = ()
    aims: Tensor | None = None

    def loss(self, embeddings: Tensor, cut: Callable[[Tensor], Tensor], clip: Clip) -> Tensor:
        """How far views are from it, (B,). The arguments are those of `Aligned.loss`."""
        loss = embeddings.new_zeros(len(embeddings))
        if len(self.fixed):
            loss = prompt_loss(embeddings, self.fixed.embeddings, self.fixed.weights, self.fixed.stops)
        if self.aims is not None:
            one = embeddings.new_ones(1)
            loss = loss + prompt_loss(embeddings, self.aims[:, None, None], one, -torch.inf * one)
        for aligned in self.aligned:
            loss = loss + aligned.loss(embeddings, cut, clip)
        return loss


def of_texts(prompts: Sequence[Prompt], templates: Sequence[str], clip: Clip) -> Target:
    """Texts, each averaged over the templates."""
    return Target.of(
        [clip.encode_templates(p.text, templates) for p in prompts],
        [p.weight for p in prompts],
        [-torch.inf if p.stop is None else p.stop * (1 if p.weight > 0 else -1) for p in prompts],
    )


def of_request(s: RunSettings, clip: Clip, pictures: Sequence[Tensor] = ()) -> Target:
    """Prompts, negative prompts and then pictures, as one CLIP reads them: what starts and ranks a run.

    Args:
        s: the request.
        clip: guide or judge.
        pictures: of `s.pictures`, each (3, H, W), of the result's size.

    Raises:
        BadPrompt: see `prompts.wanted`.
    """
    words = wanted(s.prompt, s.negative, s.negative_weight)
    if s.vary or s.towards:  # the prompt is no more than a name then
        words = words[len([p for p in parse(s.prompt) if p.weight != 0]) :]
    texts = of_texts(words, s.templates, clip)
    return texts + Target.of(
        [of_picture(picture, clip) for picture in pictures], [asked.weight for asked in s.pictures]
    )


def everything(
    s: RunSettings, clip: Clip, request: Target, pictures: Sequence[Tensor], aims: Tensor | None = None
) -> Targets:
    """What a request asks the guide for: its texts, pictures, noise, and no lettering.

    All but aligned pictures is the same for every view and variation; none of it depends on the run's seed.

    Args:
        s: the request.
        clip: the guide.
        request: what it reads there, from `of_request`.
        pictures: as there.
        aims: of each variation its own, (B, D).
    """
    pairs = zip(s.pictures, pictures, strict=True)
    aligned = tuple(Aligned(picture, asked.weight) for asked, picture in pairs if asked.aligned)
    texts = len(request) - len(s.pictures)
    fixed = request.select([True] * texts + [not asked.aligned for asked in s.pictures])
    like = (request.embeddings if aims is None else aims)[0]
    rows, weights = [of_noise(n.seed, like) for n in s.noise_prompts], [n.weight for n in s.noise_prompts]
    if s.anti_lettering > 0:
        rows.append(lettering(clip))
        weights.append(-s.anti_lettering)
    return Targets(fixed + Target.of(rows, weights), aligned, aims)


@torch.no_grad()
def of_picture(picture: Tensor, clip: Clip) -> Tensor:
    """What a CLIP sees in a picture (3, H, W), wherever in it: mean of augmented views, unit vector (D,)."""
    cutouts = Cutouts(size_px=clip.size_px, count=FREE_VIEWS, tile=(False, False))
    params = cutouts.draw(streams([0], "picture-prompt"), (picture.shape[-2], picture.shape[-1]), 0.5)
    return F.normalize(clip.encode_image(cutouts(picture[None], params)[0]).mean(0), dim=0)


def of_noise(seed: int, like: Tensor) -> Tensor:
    """A random unit vector (D,) beside embeddings (D,): the noise prompt of VQGAN+CLIP.

    Source: `noise_prompt_seeds` in nerdyrodent/VQGAN-CLIP, `generate.py`.
    """
    return F.normalize(normal(streams([seed], "noise-prompt"), like.shape)[0].to(like), dim=0)


def lettering(clip: Clip) -> Tensor:
    """The direction of lettering in a CLIP's space, a unit vector (D,): to push away from.

    Mean of texts that name it less mean of texts that name bare surfaces, so that it is lettering that
    is pushed away and not what it stands on; after pixray's vector prompt "textoff".
    """
    written, bare = (clip.encode_text(texts).mean(0) for texts in (LETTERING, PLAIN))
    return F.normalize(written - bare, dim=0)


def slerp(x: Tensor, y: Tensor, t: float, dim: int = -1) -> Tensor:
    """From x (t = 0) to y (t = 1) on the arc between them, at an even pace; lengths change evenly, too.

    Args:
        x: embeddings (..., D), or latents (B, C, h, w) with `dim` 1: every place moves on its own arc.
        y: of the same shape; the arc between opposites is undefined, and what comes then has length 0.
        t: 0..1.
        dim: along which vectors lie.

    Source: Shoemake, "Animating Rotation with Quaternion Curves", 1985.
    """
    length = torch.lerp(x.norm(dim=dim, keepdim=True), y.norm(dim=dim, keepdim=True), t)
    x_hat, y_hat = F.normalize(x, dim=dim), F.normalize(y, dim=dim)
    # Kahan's formula: good near 0 and near π, where the cosine is flat.
    apart, along = (v.norm(dim=dim, keepdim=True) for v in (x_hat - y_hat, x_hat + y_hat))
    omega = 2 * torch.atan2(apart, along)
    straight = omega.sin() < 1e-6
    sine = omega.sin().masked_fill(straight, 1)  # nothing is divided by 0, in the gradient neither
    a = torch.where(straight, 1 - t, ((1 - t) * omega).sin() / sine)
    b = torch.where(straight, t, (t * omega).sin() / sine)
    return length * F.normalize(a * x_hat + b * y_hat, dim=dim, eps=1e-6)


def interpolated(x: Tensor, y: Tensor, steps: int, dim: int = -1) -> Tensor:
    """N points at an even pace from x to y, both included: (N, ...). See `slerp`; N is at least 2.

    DALL·E 2's interpolation of two pictures, for their embeddings and for their latents (Ramesh et al.
    2022, section 3.2).
    """
    return torch.stack([slerp(x, y, i / (steps - 1), dim) for i in range(steps)])


def varied(embedding: Tensor, strength: float, draws: Sequence[torch.Generator]) -> Tensor:
    """Targets for variations of a picture: its own embedding (D,) and noise, unit vectors (B, D).

    Args:
        embedding: unit vector.
        strength: 0 leaves it alone; at 1 the noise is as long as it is, and about 45° come between.
        draws: a CPU generator a variation.
    """
    noise = F.normalize(normal(draws, embedding.shape).to(embedding), dim=-1)
    return F.normalize(embedding + strength * noise, dim=-1)


def text_difference(picture: Tensor, before: Tensor, after: Tensor, amount: float) -> Tensor:
    """A picture's embedding, turned towards what `after` has and `before` has not: "from dry to wet".

    Args:
        picture: unit embeddings (..., D).
        before: unit embedding (D,) of the text that describes it now.
        after: that of the text that should.
        amount: 0 leaves it alone; 1 leaves nothing of it. DALL·E 2 takes 0.25 to 0.5.

    Returns:
        Unit vectors (..., D); the picture itself where the texts are the same.

    Source: text diffs, Ramesh et al. 2022, section 3.3.
    """
    difference = after - before
    if not difference.any():
        return picture
    return slerp(picture, F.normalize(difference, dim=-1).expand_as(picture), amount)
