"""The prior: from a text embedding to code grids, by masked parallel decoding on the torus.

MaskGIT (Chang et al. 2022) with convolutions that wrap around in place of a transformer with places:
there is no border, so samples close, and the same weights serve any grid. Structure comes from here;
guidance refines it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn
from torch.nn import functional as F  # the field's name for it

from engine.models.vqgan import TORUS, Wrap


class PriorConfig(BaseModel):
    """Architecture of a prior. `dilations` has an entry a block."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["masked"] = "masked"
    n_embed: int = 1024
    code_dim: int = 8
    text_dim: int = 128
    width: int = 192
    dilations: tuple[int, ...] = (1, 2, 4, 1, 2, 4, 1, 1)


ROUNDS = 12
"""Rounds of parallel decoding. MaskGIT finds 8 to 12 best; more make samples tame."""

CODE_SCALE = 4.0
"""Codes lie about 0.15 apart on the unit sphere; the functions that read them want larger steps."""


def _mlp(c_in: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(c_in, width), nn.SiLU(), nn.Linear(width, width))


def _pad(x: Tensor, n: int, wrap: Wrap) -> Tensor:
    x = F.pad(x, (n, n, 0, 0), "circular" if wrap[1] else "constant")
    return F.pad(x, (0, 0, n, n), "circular" if wrap[0] else "constant")


class Block(nn.Module):
    """Two convolutions beside a shortcut; the text sets scale and shift of the normalised features."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.norm1 = nn.GroupNorm(8, width)
        self.conv1 = nn.Conv2d(width, width, 3, dilation=dilation)
        self.norm2 = nn.GroupNorm(8, width)
        self.conv2 = nn.Conv2d(width, width, 1)
        self.modulate = nn.Linear(width, 2 * width)
        with torch.no_grad():  # every block starts close to the identity
            for p in (*self.conv2.parameters(), *self.modulate.parameters()):
                p.mul_(0.1)

    def forward(self, x: Tensor, c: Tensor, wrap: Wrap) -> Tensor:
        scale, shift = self.modulate(c)[:, :, None, None].chunk(2, 1)
        h = self.norm1(x) * (1 + scale) + shift
        h = self.conv1(_pad(F.silu(h), self.dilation, wrap))
        return x + self.conv2(F.silu(self.norm2(h)))


class Prior(nn.Module):
    """Codes with holes, a text embedding → logits for every place."""

    block = 1  # codes a side that are written together

    def __init__(self, cfg: PriorConfig) -> None:
        super().__init__()
        self.cfg = cfg
        self.mask = cfg.n_embed  # the code that stands for a hole
        self.register_buffer("codebook", F.normalize(torch.randn(cfg.n_embed, cfg.code_dim), dim=-1))
        self.read = _mlp(cfg.code_dim, cfg.width)
        self.hole = nn.Parameter(torch.zeros(cfg.width))
        self.text = _mlp(cfg.text_dim, cfg.width)
        self.no_text = nn.Parameter(torch.zeros(cfg.width))
        self.share = nn.Linear(1, cfg.width)
        self.blocks = nn.ModuleList(Block(cfg.width, d) for d in cfg.dilations)
        self.norm = nn.GroupNorm(8, cfg.width)
        self.say = nn.Conv2d(cfg.width, cfg.width, 1)
        self.write = _mlp(cfg.code_dim, cfg.width)
        self.common = nn.Parameter(torch.zeros(cfg.n_embed))  # how common each code is, as a logit

    def forward(self, codes: Tensor, text: Tensor, drop: Tensor | None = None, wrap: Wrap = TORUS) -> Tensor:
        """Codes (B, h, w) with `self.mask` for holes, unit text (B, D) → logits (B, n_embed, h, w).

        Rows where `drop` (B,) is true are answered as if there were no text. Codes are read and written by
        functions of their place in the codebook, so that what is learnt of one holds for its neighbours.
        """
        return (self.features(codes, text, drop, wrap) @ self.written().T).permute(0, 3, 1, 2)

    def features(self, codes: Tensor, text: Tensor, drop: Tensor | None = None, wrap: Wrap = TORUS) -> Tensor:
        """The logits of `forward` before their last product: (B, h, w, width + 1)."""
        places = CODE_SCALE * self.get_buffer("codebook")
        hole = (codes == self.mask).float()
        c = self.text(text * math.sqrt(text.shape[-1]))
        if drop is not None:
            c = torch.where(drop[:, None], self.no_text.to(c.dtype), c)
        c = c + self.share(hole.mean((1, 2))[:, None])
        table = torch.cat([self.read(places), self.hole[None]])
        x = F.embedding(codes, table).permute(0, 3, 1, 2) + c[:, :, None, None]
        for block in self.blocks:
            x = block(x, F.silu(c), wrap)
        said: Tensor = self.say(F.silu(self.norm(x))).permute(0, 2, 3, 1)
        return F.pad(said, (0, 1), value=1.0)  # to which codes add how common they are

    def written(self) -> Tensor:
        """What the features are compared with, for each code: (n_embed, width + 1)."""
        written: Tensor = self.write(CODE_SCALE * self.get_buffer("codebook"))
        return torch.cat([written, self.common[:, None].to(written.dtype)], 1)

    def rounds(self, _grid: tuple[int, int]) -> int:
        """How often `sample` yields, whatever the grid (h, w)."""
        return ROUNDS

    @torch.no_grad()
    def sample(
        self,
        text: Tensor,
        grid: tuple[int, int],
        streams: list[torch.Generator],
        *,
        start: Tensor | None = None,
        rounds: int = ROUNDS,
        temperature: float = 1.0,
        text_scale: float = 2.0,
        choice: float = 4.5,
        wrap: Wrap = TORUS,
    ) -> Iterator[Tensor]:
        """Draws code grids, most confident places first. Yields after every round, to be stopped between.

        Args:
            text: unit embeddings (B, D).
            grid: (h, w) of the codes.
            streams: a CPU generator a row; a row does not depend on its neighbours.
            start: codes (B, h, w) with `self.mask` where the prior shall draw; None: everywhere.
            rounds: passes over the network; places are kept by a cosine schedule.
            temperature: 0 takes the likeliest code, 1 draws from the distribution.
            text_scale: how far logits move from those without text to those with it and beyond
                (classifier-free guidance, Ho and Salimans 2022).
            choice: noise on the order of places, falling to none (MaskGIT's choice temperature).

        Yields:
            Codes (B, h, w), int64; `self.mask` where holes are left, none after the last round.
        """
        B, (h, w) = text.shape[0], grid
        codes = torch.full((B, h, w), self.mask, device=text.device) if start is None else start
        missing = (codes == self.mask).flatten(1).sum(1)
        for i in range(rounds):
            logits = self._guided_logits(codes, text, text_scale, wrap)  # (B, h·w, K)
            noise = torch.stack([torch.rand(h * w, logits.shape[-1] + 1, generator=g) for g in streams])
            gumbel = -torch.log(-torch.log(noise.to(text.device).clamp(1e-9, 1 - 1e-7)))
            drawn = (logits + temperature * gumbel[..., :-1]).argmax(-1)  # Gumbel-max
            confidence = logits.log_softmax(-1).gather(-1, drawn[..., None])[..., 0]
            confidence = confidence + choice * (1 - (i + 1) / rounds) * gumbel[..., -1]
            known = codes.flatten(1) != self.mask
            confidence = confidence.masked_fill(known, torch.inf)
            drawn = torch.where(known, codes.flatten(1), drawn)
            holes = (math.cos(math.pi / 2 * (i + 1) / rounds) * missing).floor()
            order = confidence.argsort(-1).argsort(-1)  # 0 is the least confident place
            codes = drawn.masked_fill(order < holes[:, None], self.mask).view(B, h, w)
            yield codes

    def _guided_logits(self, codes: Tensor, text: Tensor, text_scale: float, wrap: Wrap) -> Tensor:
        drop = torch.zeros(len(codes), dtype=torch.bool, device=codes.device)
        logits = self(codes, text, drop, wrap).float()
        if text_scale != 1:
            free = self(codes, text, ~drop, wrap).float()
            logits = free + text_scale * (logits - free)
        return logits.flatten(2).mT
