"""Decoding in overlapping windows, where a whole picture's features do not fit into memory.

What looks at a whole picture stays as it is: attention, and all that comes before it, at the resolution of
the codes, runs whole. Convolutions see `reach` places around: windows overlap by as much, across borders
that tile. GroupNorm takes its statistics from all the picture: they are summed over the windows, layer after
layer, which takes a pass for each, so that windows agree with whole decoding but for rounding.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # the field's name for it

from engine.models.grad import clamp_with_grad
from engine.models.vqgan import PLANE, VQGAN, Decoder, Level, Wrap

SIDE = 64
"""Of a window, in places of what enters the windows: codes, or what the last attention leaves."""


@torch.no_grad()
def decode_in_windows(generator: VQGAN, z: Tensor, wrap: Wrap, side: int = SIDE) -> Tensor:
    """As `VQGAN.decode`, without gradient, in less memory and several times the time.

    Args:
        generator: the network.
        z: latents (B, C, h, w).
        wrap: which axes (vertical, horizontal) tile.
        side: of a window, without its overlap.

    Returns:
        (B, out_ch, f·h, f·w), float32, 0..1: within 1e-4 of what `decode` gives.
    """
    return torch.cat([_decode_one(generator, z[i : i + 1], wrap, side) for i in range(len(z))])


def _decode_one(generator: VQGAN, z: Tensor, wrap: Wrap, side: int) -> Tensor:
    decoder = generator.decoder
    h = decoder.mid(decoder.conv_in(generator.post_quant_conv(generator.snap(z)), wrap), wrap)
    levels = [cast(Level, level) for level in reversed(decoder.up)]
    whole = max((i + 1 for i, level in enumerate(levels) if len(level.attn) > 0), default=0)
    for level in levels[:whole]:
        h = level(h, wrap)
    head = Head(decoder, levels[whole:])
    windows = list(_windows(h.shape[-2:], wrap, side, head.reach))
    with head.normalised_by(h, windows):
        return _assembled(head, h, windows)


@dataclass(frozen=True)
class Stretch:
    """A window along one axis: places `start`..`end` of n, seen with their surroundings, `index`."""

    start: int
    end: int
    before: int
    index: Tensor

    @classmethod
    def of(cls, start: int, end: int, n: int, reach: int, *, wraps: bool) -> Stretch:
        """Surroundings go on at the other end where the axis closes, and end with the picture elsewhere."""
        low, high = start - reach, end + reach
        if not wraps:
            low, high = max(0, low), min(n, high)
        return cls(start, end, start - low, torch.arange(low, high) % n)

    def inside(self, scale: int) -> slice:
        """Where its own places lie in what is computed of it, at so many pixels a place."""
        return slice(scale * self.before, scale * (self.before + self.end - self.start))

    def outside(self, scale: int) -> slice:
        """Where they lie in the picture."""
        return slice(scale * self.start, scale * self.end)


Window = tuple[Stretch, Stretch]


def _windows(size: Sequence[int], wrap: Wrap, side: int, reach: int) -> Iterator[Window]:
    rows, columns = (
        [Stretch.of(a, min(a + side, n), n, reach, wraps=wraps) for a in range(0, n, side)]
        for n, wraps in zip(size, wrap, strict=True)
    )
    return ((y, x) for y in rows for x in columns)


def _cut(h: Tensor, window: Window) -> Tensor:
    y, x = (stretch.index.to(h.device) for stretch in window)
    return h[..., y, :][..., x]


def _assembled(head: Head, h: Tensor, windows: list[Window]) -> Tensor:
    picture = torch.empty(0)
    for y, x in windows:
        part = head(_cut(h, (y, x))).float()
        scale = part.shape[-1] // len(x.index)
        if picture.numel() == 0:
            picture = part.new_empty(1, part.shape[1], scale * h.shape[-2], scale * h.shape[-1])
        picture[..., y.outside(scale), x.outside(scale)] = part[..., y.inside(scale), x.inside(scale)]
    return clamp_with_grad((picture + 1) / 2, 0, 1)


class _MeasuredError(Exception):
    """Leaves a pass once the layer that it is for has been reached."""


class Head:
    """The part of a decoder that runs in windows: what looks around no farther than `reach` places."""

    def __init__(self, decoder: Decoder, levels: list[Level]) -> None:
        self._decoder, self._levels = decoder, levels
        blocks = [norm for level in levels for norm in _norms(level)]
        self._norms = [*blocks, decoder.norm_out]

    @property
    def reach(self) -> int:
        """How many places away what enters can still matter: one a convolution, halved by upsampling."""
        reach = 1
        for level in reversed(self._levels):
            if level.resample is not None:
                reach = math.ceil((reach + 1) / 2)
            reach += 2 * len(level.block)
        return reach

    def __call__(self, h: Tensor) -> Tensor:
        """Of a window (1, C, h, w) the picture, about -1..1; only its middle is as in the whole."""
        decoder = self._decoder
        for level in self._levels:
            h = level(h, PLANE)
        h = decoder.conv_out(F.silu(decoder.norm_out(h)), PLANE)
        return F.pixel_shuffle(h, decoder.patch)

    @contextlib.contextmanager
    def normalised_by(self, h: Tensor, windows: list[Window]) -> Iterator[None]:
        """Within, GroupNorm takes its statistics from the whole picture of h (1, C, h, w)."""
        with contextlib.ExitStack() as hooks:
            for norm in self._norms:
                statistics = self._measured(norm, h, windows)
                hooks.callback(norm.register_forward_hook(statistics).remove)
            yield

    def _measured(self, norm: nn.GroupNorm, h: Tensor, windows: list[Window]) -> Statistics:
        """Statistics of what enters a layer, when those before it have theirs already."""
        found = Statistics(norm.num_groups)
        for window in windows:
            handle = norm.register_forward_pre_hook(found.watching(window))
            try:
                self(_cut(h, window))
            except _MeasuredError:
                continue
            finally:
                handle.remove()
        return found


def _norms(level: Level) -> Iterator[nn.GroupNorm]:
    """In the order in which they come."""
    return (m for m in level.modules() if isinstance(m, nn.GroupNorm))


@dataclass
class Statistics:
    """Sums over a picture by group, in float64, and as a forward hook the layer that normalises by them."""

    groups: int
    count: int = 0
    total: Tensor = field(default_factory=lambda: torch.zeros(()))
    squares: Tensor = field(default_factory=lambda: torch.zeros(()))

    def watching(self, window: Window) -> Watcher:
        """A hook that takes what enters in this window, without its surroundings."""
        return Watcher(self, window)

    def add(self, x: Tensor) -> None:
        """Takes places (1, C, h, w) of a picture."""
        flat = x.double().reshape(self.groups, -1)
        self.count += flat.shape[-1]
        self.total, self.squares = self.total + flat.sum(-1), self.squares + flat.square().sum(-1)

    def __call__(self, norm: nn.Module, args: tuple[Tensor, ...], out: Tensor) -> Tensor:
        """(x - mean)/√(variance + ε), weighted and shifted, with the mean and variance of the whole."""
        assert isinstance(norm, nn.GroupNorm)
        x = args[0].float()
        mean = self.total / self.count
        scale = (self.squares / self.count - mean.square() + norm.eps).rsqrt()
        each = x.shape[1] // self.groups
        mean, scale = (s.float().repeat_interleave(each).view(1, -1, 1, 1) for s in (mean, scale))
        shaped = [p.float().view(1, -1, 1, 1) for p in (norm.weight, norm.bias)]
        return ((x - mean) * scale * shaped[0] + shaped[1]).to(out.dtype)


@dataclass(frozen=True)
class Watcher:
    """A forward pre-hook that adds a window to statistics and goes no further."""

    statistics: Statistics
    window: Window

    def __call__(self, _: nn.Module, args: tuple[Tensor, ...]) -> None:
        x, (rows, columns) = args[0], self.window
        scale = x.shape[-1] // len(columns.index)
        self.statistics.add(x[..., rows.inside(scale), columns.inside(scale)])
        raise _MeasuredError
