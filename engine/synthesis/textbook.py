"""CLIP-guided VQGAN as it was published: what tests and the benchmark hold our own loop against.

It is nerdyrodent/VQGAN-CLIP's `generate.py` at its defaults, in our words and on our networks: one picture at
a time, seen whole by every cutout, kornia's modules one after another, a one-hot quantiser, float32, nothing
that closes on itself. Nothing that makes materials imports it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import kornia.augmentation as K
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # the field's name for it

from engine.models.grad import clamp_with_grad, replace_grad
from engine.models.guide import Clip
from engine.models.vqgan import PLANE, VQGAN

CUTOUTS = 32
LR = 0.1
NOISE = 0.1  # at most, standard deviation


@dataclass(frozen=True)
class TextbookStep:
    """The state after one step.

    Attributes:
        index: 1..total.
        losses: (P,), one a prompt, before the step's update, detached.
        z: (1, C, h, w), the latent itself: nothing is averaged.
    """

    index: int
    total: int
    losses: Tensor
    z: Tensor


@dataclass(frozen=True)
class Textbook:
    """The published loop for one picture.

    Attributes:
        generator: in float32.
        guide: in float32.
        targets: (P, D), the guide's embeddings of the prompts, any norm.
        weights: (P,), a negative one pushes away.
        stops: (P,), in the unit of the signed distance; -inf never stops.
        cutouts: views n of the picture at each step.
        augment: whether they are augmented, and noise is added. Without, all of them are alike.
        lr: of Adam.
    """

    generator: VQGAN
    guide: Clip
    targets: Tensor
    weights: Tensor
    stops: Tensor
    cutouts: int = CUTOUTS
    augment: bool = True
    lr: float = LR

    @cached_property
    def augmentations(self) -> nn.Sequential:
        """The published "latest" list; every module resamples or repaints what the one before left."""
        return nn.Sequential(
            K.RandomAffine(degrees=15, translate=(0.1, 0.1), shear=5, p=0.7, padding_mode="zeros"),
            K.RandomPerspective(0.7, p=0.7),
            K.ColorJitter(0.1, 0.1, 0.1, 0.1, p=0.7),
            K.RandomErasing((0.1, 0.4), (0.3, 1 / 0.3), same_on_batch=True, p=0.7),
        )

    def run(self, z: Tensor, stream: torch.Generator, *, steps: int) -> Iterator[TextbookStep]:
        """Guides z (1, C, h, w). Yields after every step.

        Args:
            z: where to begin; it stays as it is.
            stream: a CPU generator, for the augmentations.
            steps: how many.
        """
        z = z.float().clone().requires_grad_()
        low, high = self.generator.z_range()
        adam = torch.optim.Adam([z], lr=self.lr)
        for i in range(steps):
            adam.zero_grad()
            losses = self.losses(z, stream)
            losses.sum().backward()
            adam.step()
            with torch.no_grad():
                z.copy_(z.maximum(low).minimum(high))
            yield TextbookStep(i + 1, steps, losses.detach(), z.detach())

    def losses(self, z: Tensor, stream: torch.Generator) -> Tensor:
        """Latent (1, C, h, w) → what each prompt adds to the loss, (P,)."""
        e = F.normalize(self.guide.encode_image(self.views(self.decode(z), stream)), dim=-1)
        t = F.normalize(self.targets, dim=-1)
        d = 2 * ((e[:, None] - t).norm(dim=-1) / 2).arcsin().square() * self.weights.sign()  # (n, P)
        return self.weights.abs() * replace_grad(d, d.maximum(self.stops)).mean(0)

    def decode(self, z: Tensor) -> Tensor:
        """Latent (1, C, h, w) → base colour (1, 3, H, W) in 0..1."""
        x = self.generator.decode_raw(self.quantize(z), PLANE)[:, :3]
        return clamp_with_grad((x + 1) / 2, 0, 1)

    def quantize(self, z: Tensor) -> Tensor:
        """z (1, C, h, w) on its nearest codes in value, with the gradient passing straight through to z."""
        c = self.generator.codebook
        x = z.movedim(1, -1)  # (1, h, w, C)
        d = x.square().sum(-1, keepdim=True) + c.square().sum(-1) - 2 * x @ c.T  # (1, h, w, n_embed)
        one_hot = F.one_hot(d.argmin(-1), len(c)).to(d.dtype)
        return replace_grad((one_hot @ c).movedim(-1, 1), z)

    def views(self, picture: Tensor, stream: torch.Generator) -> Tensor:
        """Picture (1, 3, H, W) in 0..1 → views (n, 3, s, s), squashed to squares; noise leaves 0..1."""
        s = self.guide.size_px
        pooled = [
            (F.adaptive_avg_pool2d(picture, s) + F.adaptive_max_pool2d(picture, s)) / 2
            for _ in range(self.cutouts)
        ]
        views = torch.cat(pooled)
        if not self.augment:
            return views
        with lent(stream):
            views = self.augmentations(views)
        # On the views' own device, as published: the millions that they are would take long to arrive there.
        luck = torch.Generator(views.device).manual_seed(int(torch.randint(2**62, (), generator=stream)))
        reach = views.new_empty(len(views), 1, 1, 1).uniform_(0, NOISE, generator=luck)
        return views + reach * torch.empty_like(views).normal_(generator=luck)


@contextlib.contextmanager
def lent(stream: torch.Generator) -> Iterator[None]:
    """Lends a CPU generator to kornia's modules, which draw from torch's global one and no other."""
    with torch.random.fork_rng(devices=[]):
        torch.set_rng_state(stream.get_state())
        yield
        stream.set_state(torch.get_rng_state())
