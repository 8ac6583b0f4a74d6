"""The prior: from a text embedding to code grids, one block of codes after another.

VQGAN's transformer (Esser et al. 2021) and DALL·E 1 (Ramesh et al. 2021): text first, then codes. Two
things differ. A block of 2 x 2 codes is one place of the stream and is spelled out by a small head, as in
RQ-Transformer (Lee et al. 2022), so that the stream is a quarter as long. And places are told apart by
where they lie from one another on the torus, within a window: the last blocks of a row see the first ones,
so samples close, and the same weights serve any grid.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn
from torch.nn import functional as F  # the field's name for it

from engine.models.vqgan import TORUS, Wrap


class PriorConfig(BaseModel):
    """Architecture of a prior."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_embed: int = 1024
    code_dim: int = 8
    text_dim: int = 128
    width: int = 192
    heads: int = 6
    layers: int = 8
    window: int = 8
    """How far a place sees up, down, left and right, in blocks."""


BLOCK = 2
"""Codes a side of a block."""

CODE_SCALE = 4.0
"""Codes lie about 0.15 apart on the unit sphere; the functions that read them want larger steps."""

SPELL_WIDTH = 64

NEIGHBOURS = tuple((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0))


def to_blocks(codes: Tensor) -> Tensor:
    """Codes (B, h, w), both even → blocks in reading order (B, h·w/4, 4)."""
    B, h, w = codes.shape
    x = codes.view(B, h // BLOCK, BLOCK, w // BLOCK, BLOCK)
    return x.permute(0, 1, 3, 2, 4).reshape(B, -1, BLOCK * BLOCK)


def from_blocks(blocks: Tensor, grid: tuple[int, int]) -> Tensor:
    """The inverse of `to_blocks`, for codes of this grid (h, w)."""
    h, w = grid
    x = blocks.view(-1, h // BLOCK, w // BLOCK, BLOCK, BLOCK)
    return x.permute(0, 1, 3, 2, 4).reshape(-1, h, w)


def rows_of(grid: tuple[int, int]) -> int:
    """How often `Prior.sample` yields for a grid (h, w) of codes."""
    return grid[0] // BLOCK


@dataclass(frozen=True)
class Places:
    """Where the places of a stream lie: H x W blocks in reading order, T of them.

    Place t is about to say block t. What it brings to others is block t - 1, the last that is known.
    """

    H: int
    W: int
    wrap: Wrap
    window: int

    def offsets(self, t: Tensor, j: Tensor) -> tuple[Tensor, Tensor]:
        """How far block t lies down and right of what place j brings, the short way round."""
        dy, dx = t // self.W - (j - 1) // self.W, t % self.W - (j - 1) % self.W
        if self.wrap[0]:
            dy = (dy + self.H // 2) % self.H - self.H // 2
        if self.wrap[1]:
            dx = (dx + self.W // 2) % self.W - self.W // 2
        return dy, dx

    def rows(self, t: Tensor, j: Tensor) -> tuple[Tensor, Tensor]:
        """Row of the table of distances for every pair of places, and whether t may look at j."""
        dy, dx = self.offsets(t, j)
        n = self.window
        near = (j <= t) & (dy.abs() <= n) & (dx.abs() <= n)
        return ((dy.clamp(-n, n) + n) * (2 * n + 1) + dx.clamp(-n, n) + n), near | (j == t)

    def first_key(self, t: int) -> int:
        """No place before this one can lie in the window of place t."""
        y = t // self.W
        if self.wrap[0] and y + self.window + 1 >= self.H:  # the start, too, lies a row up
            return 0
        return max(0, (y - self.window) * self.W)

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


class Layer(nn.Module):
    """Attention by content and distance, then an MLP; the text sets scale and shift of both inputs."""

    def __init__(self, cfg: PriorConfig) -> None:
        super().__init__()
        d, self.heads = cfg.width, cfg.heads
        self.norm1 = nn.LayerNorm(d, elementwise_affine=False)
        self.qkv = nn.Linear(d, 3 * d)
        self.out = nn.Linear(d, d)
        self.norm2 = nn.LayerNorm(d, elementwise_affine=False)
        self.mlp = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d))
        self.modulate = nn.Linear(d, 4 * d)
        n = torch.arange(-cfg.window, cfg.window + 1).abs()
        slope = 0.5 ** torch.arange(cfg.heads)  # some heads begin near-sighted
        self.distance = nn.Parameter(-slope[:, None] * (n[:, None] + n).flatten())  # (heads, (2·window+1)²)
        with torch.no_grad():  # every layer starts close to the identity
            for p in (*self.out.parameters(), *self.mlp[2].parameters(), *self.modulate.parameters()):
                p.mul_(0.1)

    def forward(
        self, x: Tensor, c: Tensor, rows: Tensor, near: Tensor, memory: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Places (B, n, d) → (B, n, d) and their keys and values, which join `memory`'s as what is seen.

        `rows` and `near` are (n, keys) from `Places.rows`.
        """
        B, n, d = x.shape
        scale1, shift1, scale2, shift2 = self.modulate(c)[:, None].chunk(4, -1)
        h = self.norm1(x) * (1 + scale1) + shift1
        q, k, v = self.qkv(h).view(B, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        seen_k, seen_v = (k, v) if memory is None else memory
        if memory is not None:
            seen_k[:, :, -n:], seen_v[:, :, -n:] = k, v
        bias = self.distance[:, rows].masked_fill(~near, -torch.inf)  # (heads, n, keys)
        weight = (q @ seen_k.mT / math.sqrt(d // self.heads) + bias).softmax(-1)
        x = x + self.out((weight @ seen_v).transpose(1, 2).reshape(B, n, d))
        return x + self.mlp(self.norm2(x) * (1 + scale2) + shift2), (k, v)


def _mlp(c_in: int, width: int, c_out: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(c_in, width), nn.SiLU(), nn.Linear(width, c_out))


class Prior(nn.Module):
    """A text embedding and the codes so far → logits of the next block's codes.

    Codes are read and written by functions of their place in the codebook, so that what is learnt of one
    holds for its neighbours.
    """

    def __init__(self, cfg: PriorConfig) -> None:
        super().__init__()
        self.cfg = cfg
        d = cfg.width
        self.register_buffer("codebook", F.normalize(torch.randn(cfg.n_embed, cfg.code_dim), dim=-1))
        self.read = _mlp(BLOCK * BLOCK * cfg.code_dim, d, d)
        self.beside = nn.Linear(len(NEIGHBOURS) * d, d)
        self.unknown = nn.Parameter(0.02 * torch.randn(len(NEIGHBOURS), d))
        self.start = nn.Parameter(torch.zeros(d))
        self.text = _mlp(cfg.text_dim, d, d)
        self.no_text = nn.Parameter(torch.zeros(d))
        self.layers = nn.ModuleList(Layer(cfg) for _ in range(cfg.layers))
        self.norm = nn.LayerNorm(d)
        self.earlier = nn.Linear(BLOCK * BLOCK * cfg.code_dim, d)
        self.which = nn.Parameter(0.02 * torch.randn(BLOCK * BLOCK, d))
        self.spell = _mlp(d, 2 * d, d)
        self.spell_norm = nn.LayerNorm(d)
        self.say = nn.Linear(d, SPELL_WIDTH)
        self.write = _mlp(cfg.code_dim, d, SPELL_WIDTH)

    def forward(self, codes: Tensor, text: Tensor, drop: Tensor | None = None, wrap: Wrap = TORUS) -> Tensor:
        """Codes (B, h, w), unit text (B, D) → logits (B, h·w/4, 4, n_embed), each from what is before it.

        Rows where `drop` (B,) is true are answered as if there were no text.
        """
        h, w = codes.shape[1:]
        places = Places(h // BLOCK, w // BLOCK, wrap, self.cfg.window)
        blocks = to_blocks(codes)
        vectors = self._vectors(blocks)  # (B, T, 4·D)
        content = self.read(vectors)
        index, known = (x.to(codes.device) for x in places.neighbours())
        beside = torch.where(known[..., None], content[:, index], self.unknown)  # (B, T, 8, d)
        before = torch.cat([self.start.expand(len(codes), 1, -1), content[:, :-1]], 1)
        c = self._condition(text, drop)
        x = c[:, None] + before + self.beside(beside.flatten(2))
        t = torch.arange(content.shape[1], device=codes.device)
        rows, near = places.rows(t[:, None], t[None])
        for layer in self.layers:
            x, _ = layer(x, F.silu(c), rows, near)
        x = self.norm(x)
        parts = vectors.unflatten(-1, (BLOCK * BLOCK, -1))
        spelled = []
        for k in range(BLOCK * BLOCK):
            earlier = torch.cat([parts[:, :, :k], torch.zeros_like(parts[:, :, k:])], 2)
            spelled.append(self._spell(x, earlier.flatten(2), k))
        return torch.stack(spelled, 2) @ self._written().T

    def bytes_a_row(self, grid: tuple[int, int]) -> int:
        """What `sample` remembers of one row of its batch, both with and without text, on a grid (h, w)."""
        places = grid[0] * grid[1] // BLOCK**2
        return 2 * places * self.cfg.width * 4 * (2 * self.cfg.layers + 1)

    def _vectors(self, blocks: Tensor) -> Tensor:
        """Blocks (..., 4) → their places in the codebook, side by side (..., 4·D)."""
        return F.embedding(blocks, CODE_SCALE * self.get_buffer("codebook")).flatten(-2)

    def _condition(self, text: Tensor, drop: Tensor | None) -> Tensor:
        c: Tensor = self.text(text * math.sqrt(text.shape[-1]))
        return c if drop is None else torch.where(drop[:, None], self.no_text.to(c.dtype), c)

    def _spell(self, x: Tensor, earlier: Tensor, k: int) -> Tensor:
        u = x + self.which[k] + self.earlier(earlier)
        spelled: Tensor = self.say(self.spell_norm(u + self.spell(u)))
        return spelled

    def _written(self) -> Tensor:
        written: Tensor = self.write(CODE_SCALE * self.get_buffer("codebook"))
        return written

    @torch.no_grad()
    def sample(
        self,
        text: Tensor,
        grid: tuple[int, int],
        streams: list[torch.Generator],
        *,
        temperature: float = 1.0,
        text_scale: float = 2.0,
        wrap: Wrap = TORUS,
    ) -> Iterator[Tensor]:
        """Draws code grids block by block in reading order. Yields after every row, to be stopped between.

        Args:
            text: unit embeddings (B, D).
            grid: (h, w) of the codes, both even.
            streams: a CPU generator a row of the batch, which does not depend on its neighbours.
            temperature: 0 takes the likeliest code, 1 draws from the distribution.
            text_scale: how far logits move from those without text to those with it and beyond
                (classifier-free guidance, Ho and Salimans 2022).
            wrap: axes (vertical, horizontal) along which the samples shall close.

        Yields:
            Codes (B, h, w), int64; zero where nothing is drawn yet.
        """
        B, (h, w) = len(text), grid
        places = Places(h // BLOCK, w // BLOCK, wrap, self.cfg.window)
        T = places.H * places.W
        drop = torch.arange(2 * B, device=text.device) >= B if text_scale != 1 else None
        state = _Memory(self, self._condition(text if drop is None else text.repeat(2, 1), drop), places)
        luck = torch.stack([torch.rand(T, BLOCK * BLOCK, generator=g) for g in streams]).to(text.device)
        written = self._written()
        blocks = torch.zeros(B, T, BLOCK * BLOCK, dtype=torch.int64, device=text.device)
        for t in range(T):
            x = state.place(t)
            earlier = x.new_zeros(len(x), BLOCK * BLOCK, self.cfg.code_dim)
            for k in range(BLOCK * BLOCK):
                logits = (self._spell(x, earlier.flatten(1), k) @ written.T).float()
                if drop is not None:
                    given, free = logits.chunk(2)
                    logits = free + text_scale * (given - free)
                drawn = draw(logits, temperature, luck[:, t, k])
                blocks[:, t, k] = drawn
                earlier[:, k] = self._vectors(drawn[:, None]).repeat(len(x) // B, 1)
            state.said(t, self.read(earlier.flatten(1)))
            if (t + 1) % places.W == 0:
                yield from_blocks(blocks, grid)


def draw(logits: Tensor, temperature: float, luck: Tensor) -> Tensor:
    """One code a row from logits (B, K), by uniform numbers (B,): the first whose share reaches `luck`."""
    if temperature == 0:
        return logits.argmax(-1)
    share = (logits / temperature).softmax(-1).cumsum(-1)
    return (share < luck[:, None] * share[:, -1:]).sum(-1).clamp(max=logits.shape[-1] - 1)


class _Memory:
    """What sampling has said and seen: contents of blocks, keys and values of places."""

    def __init__(self, prior: Prior, c: Tensor, places: Places) -> None:
        self.prior, self.c, self.places = prior, c, places
        self.silu_c = F.silu(c)
        cfg, T = prior.cfg, places.H * places.W
        shape = (len(c), cfg.heads, T, cfg.width // cfg.heads)
        self.seen = [(c.new_zeros(shape), c.new_zeros(shape)) for _ in prior.layers]
        self.content = c.new_zeros(len(c), T, cfg.width)
        self.index, self.known = (x.to(c.device) for x in places.neighbours())

    def place(self, t: int) -> Tensor:
        """What place t makes of everything before it, (B, d)."""
        prior = self.prior
        before = prior.start.expand_as(self.c) if t == 0 else self.content[:, t - 1]
        beside = torch.where(self.known[t][:, None], self.content[:, self.index[t]], prior.unknown)
        x = (self.c + before + prior.beside(beside.flatten(1)))[:, None]
        first = self.places.first_key(t)
        keys = torch.arange(first, t + 1, device=x.device)
        rows, near = self.places.rows(keys[-1:, None], keys[None])
        for layer, (k, v) in zip(prior.layers, self.seen, strict=True):
            x, _ = layer(x, self.silu_c, rows, near, (k[:, :, first : t + 1], v[:, :, first : t + 1]))
        return prior.norm(x[:, 0])

    def said(self, t: int, content: Tensor) -> None:
        """Takes in block t, (B, d) as `read` sees it."""
        self.content[:, t] = content
