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
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: tuple[str, ...]
    grid: tuple[int, int]
    key_dim: int


class Exemplars(nn.Module):
    """Grids of codes on the torus, and keys in the space of the guide."""

    codes: Tensor
    keys: Tensor

    def __init__(self, cfg: ExemplarsConfig) -> None:
        super().__init__()
        self.cfg = cfg
        self.register_buffer("codes", torch.zeros(len(cfg.names), *cfg.grid, dtype=torch.int16))
        self.register_buffer("keys", torch.zeros(len(cfg.names), cfg.key_dim))

    def near(self, text: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """The exemplars nearest to an embedding (D,): indices and cosines, both (count,), best first."""
        cosine = F.normalize(self.keys, dim=-1) @ text
        best = cosine.topk(min(count, len(cosine)))
        return best.indices, best.values

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
