"""Exemplars: materials that a pack remembers as grids of codes, found by what they look like.

Retrieval as a prior, after kNN-Diffusion (Sheynin et al. 2022) and retrieval-augmented diffusion (Blattmann
et al. 2022): layout that a small network cannot invent yet is recalled, and what is made of it is new.
"""

from __future__ import annotations

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn
from torch.nn import functional as F  # the field's name for it


class ExemplarsConfig(BaseModel):
    """What the grids are, in their order.

    Attributes:
        names: of each exemplar, as a person would call it.
        grid: (h, w) of their codes.
        key_dim: of the guide's embeddings.
        colour_axes: how many directions of that space tell colours apart rather than materials.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: tuple[str, ...]
    grid: tuple[int, int]
    key_dim: int
    colour_axes: int = 0


MATERIAL = 0.6
"""Share of what a thing is, beside its colour, in how near an exemplar is: guidance repaints easily."""


class Exemplars(nn.Module):
    """Grids of codes on the torus, keys in the space of the guide, and its orthonormal axes of colour."""

    codes: Tensor
    keys: Tensor
    colour: Tensor

    def __init__(self, cfg: ExemplarsConfig) -> None:
        super().__init__()
        self.cfg = cfg
        self.register_buffer("codes", torch.zeros(len(cfg.names), *cfg.grid, dtype=torch.int16))
        self.register_buffer("keys", torch.zeros(len(cfg.names), cfg.key_dim))
        self.register_buffer("colour", torch.zeros(cfg.colour_axes, cfg.key_dim))

    def near(self, text: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """The exemplars nearest to an embedding (D,): indices and nearness, both (count,), best first.

        Nearness, at most 1, is the cosine in part of all and in part of what is left without colour.
        """
        keys = F.normalize(self.keys, dim=-1)
        colourless = F.normalize(self.without_colour(keys), dim=-1) @ F.normalize(
            self.without_colour(text), dim=-1
        )
        nearness = (1 - MATERIAL) * keys @ text + MATERIAL * colourless
        best = nearness.topk(min(count, len(nearness)))
        return best.indices, best.values

    def without_colour(self, x: Tensor) -> Tensor:
        """Embeddings (..., D), less what tells colours apart."""
        return x - x @ self.colour.T @ self.colour

    def lay(self, index: int, grid: tuple[int, int], shift: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """One exemplar on a grid of any size (h, w), moved by `shift` (down, right).

        Returns:
            codes (h, w), int64, repeated or cut to fit, and the places (h, w), bool, where it was cut:
            there, across the border of the grid, the two sides do not belong together.
        """
        tile = self.codes[index].long()
        H, W = tile.shape
        h, w = grid
        rows = (torch.arange(h, device=tile.device) - shift[0]) % H
        columns = (torch.arange(w, device=tile.device) - shift[1]) % W
        cut = torch.zeros(h, w, dtype=torch.bool, device=tile.device)
        if h % H:
            cut[[0, 1, -2, -1]] = True
        if w % W:
            cut[:, [0, 1, -2, -1]] = True
        return tile[rows[:, None], columns[None]], cut
