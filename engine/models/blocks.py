"""Blocks of 2 x 2 codes, and where they lie from one another on a grid that tiles or does not."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.models.vqgan import Wrap

BLOCK = 2
"""Codes a side of a block."""

IN_BLOCK = BLOCK * BLOCK

NEIGHBOURS = tuple((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0))


def to_blocks(codes: Tensor) -> Tensor:
    """Codes (B, h, w), both even → blocks in reading order (B, h·w/4, 4)."""
    B, h, w = codes.shape
    x = codes.view(B, h // BLOCK, BLOCK, w // BLOCK, BLOCK)
    return x.permute(0, 1, 3, 2, 4).reshape(B, -1, IN_BLOCK)


def from_blocks(blocks: Tensor, grid: tuple[int, int]) -> Tensor:
    """The inverse of `to_blocks`, for codes of this grid (h, w)."""
    h, w = grid
    x = blocks.view(-1, h // BLOCK, w // BLOCK, BLOCK, BLOCK)
    return x.permute(0, 1, 3, 2, 4).reshape(-1, h, w)


@dataclass(frozen=True)
class Places:
    """Where the places of a stream lie: H x W blocks in reading order, T of them."""

    H: int
    W: int
    wrap: Wrap
    window: int

    def angles(self) -> Tensor:
        """By which places turn their queries and keys, (T, 2·window), rad.

        Rotary embedding (Su et al. 2021) along both axes. `window` frequencies tell 2·window distances apart;
        on an axis that tiles they make whole turns, so that distances are those on the torus.
        """
        k = torch.arange(1, self.window + 1) / (2 * self.window)  # turns a block
        fy, fx = (
            (k * n).round() / n if tiles else k for n, tiles in zip((self.H, self.W), self.wrap, strict=True)
        )
        t = torch.arange(self.H * self.W)[:, None]
        return 2 * math.pi * torch.cat([t // self.W * fy, t % self.W * fx], 1)

    def near(self, t: Tensor) -> Tensor:
        """Whether each of all places is seen from places t (n,), bool (n, T): not later, not too far."""
        j, n = torch.arange(self.H * self.W), self.window
        dy, dx = j // self.W - t[:, None] // self.W, j % self.W - t[:, None] % self.W
        if self.wrap[0]:  # the short way round
            dy = (dy + self.H // 2) % self.H - self.H // 2
        if self.wrap[1]:
            dx = (dx + self.W // 2) % self.W - self.W // 2
        return (j <= t[:, None]) & (dy >= -n) & (dy < n) & (dx >= -n) & (dx < n)

    def neighbours(self) -> tuple[Tensor, Tensor]:
        """Block beside every block on each of eight sides, and whether it is said before: both (T, 8)."""
        t = torch.arange(self.H * self.W)[:, None]
        dy, dx = torch.tensor(NEIGHBOURS).T
        y, x = t // self.W + dy, t % self.W + dx
        inside = torch.ones_like(y, dtype=torch.bool)
        if not self.wrap[0]:
            inside &= (y >= 0) & (y < self.H)
        if not self.wrap[1]:
            inside &= (x >= 0) & (x < self.W)
        index = y % self.H * self.W + x % self.W
        return index, inside & (index < t)
