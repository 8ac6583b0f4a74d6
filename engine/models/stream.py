"""The autoregressive prior: one stream of text tokens and image codes, each block told from all before it.

DALL·E 1 (Ramesh et al. 2021) and VQGAN's transformer (Esser et al. 2021): text first, then codes. Two things
differ. A block of 2 x 2 codes is one place of the stream and is spelled out by a small head, as in
RQ-Transformer (Lee et al. 2022), so that the stream is a quarter as long. And places are told apart by where
they lie from one another on the torus, within a window: the last blocks of a row see the first ones, so
samples close, and the same weights serve any grid.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Literal, Self

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F  # the field's name for it

from engine.errors import InvalidRequest, Remedy
from engine.models.blocks import BLOCK, IN_BLOCK, NEIGHBOURS, Places, from_blocks, to_blocks
from engine.models.prior import CODE_SCALE
from engine.models.vqgan import TORUS, Wrap


class StreamConfig(BaseModel):
    """Architecture of an autoregressive prior."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["stream"] = "stream"
    n_embed: int = 1024
    code_dim: int = 8
    text_dim: int = 128
    text_tokens: Annotated[int, Field(ge=1)] = 4
    """Tokens of the stream that tell the text."""
    width: int = 192
    heads: int = 4
    layers: int = 6
    window: Annotated[int, Field(ge=1)] = 8
    """How far a place sees up, down, left and right, in blocks."""

    @model_validator(mode="after")
    def _channels_for_places(self) -> Self:
        if self.width % self.heads or self.width // self.heads <= 4 * self.window:
            raise ValueError("a head needs more than 4 * window channels, and width whole heads")
        return self


SPELL_WIDTH = 64

Turn = tuple[Tensor, Tensor]
"""Cosines and sines of angles, (n, 2·window) each."""


def turned(x: Tensor, turn: Turn) -> Tensor:
    """Turns the first 4·window channels of x (B, n, heads, channels), in pairs; the rest knows no place."""
    cos, sin = (a.to(x.dtype)[:, None] for a in turn)
    pairs = cos.shape[-1]
    a, b, rest = x.split([pairs, pairs, x.shape[-1] - 2 * pairs], -1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos, rest], -1)


def stream_turn(places: Places, K: int, device: torch.device) -> Turn:
    """Of K tokens of text and all places. Text has no place: zeros leave its keys what knows none."""
    angles = places.angles()
    cos, sin = (F.pad(a, (0, 0, K, 0)).to(device) for a in (angles.cos(), angles.sin()))
    return cos, sin


def stream_mask(places: Places, K: int, device: torch.device) -> Tensor | None:
    """Who of K tokens and all places sees whom; None: each sees all before, which is faster."""
    near = places.near(torch.arange(places.H * places.W))
    before = torch.ones(K + len(near), K + len(near), dtype=torch.bool).tril()
    seen = before.clone()
    seen[K:, K:] = near
    return None if torch.equal(seen, before) else seen.to(device)


class Cache:
    """Keys and values of one layer, of all that the stream has said: room for n, (B, heads, n, channels)."""

    def __init__(self, like: Tensor, heads: int, n: int) -> None:
        shape = (len(like), heads, n, like.shape[-1] // heads)
        self.k, self.v, self.end = like.new_zeros(shape), like.new_zeros(shape), 0

    def extend(self, k: Tensor, v: Tensor, seen: Tensor | None) -> tuple[Tensor, Tensor]:
        """Takes in the next ones; returns those that are `seen` (indices), or all."""
        place = slice(self.end, self.end + k.shape[2])
        self.k[:, :, place], self.v[:, :, place], self.end = k, v, place.stop
        if seen is None:
            return self.k[:, :, : self.end], self.v[:, :, : self.end]
        return self.k[:, :, seen], self.v[:, :, seen]


class Layer(nn.Module):
    """Attention by content and distance, then an MLP; the text sets scale and shift of both inputs."""

    def __init__(self, cfg: StreamConfig) -> None:
        super().__init__()
        d, self.heads = cfg.width, cfg.heads
        self.norm1 = nn.LayerNorm(d, elementwise_affine=False)
        self.qkv = nn.Linear(d, 3 * d)
        self.out = nn.Linear(d, d)
        self.norm2 = nn.LayerNorm(d, elementwise_affine=False)
        self.mlp = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d))
        self.modulate = nn.Linear(d, 4 * d)
        with torch.no_grad():  # every layer starts close to the identity
            for p in (*self.out.parameters(), *self.mlp[2].parameters(), *self.modulate.parameters()):
                p.mul_(0.1)

    def forward(
        self,
        x: Tensor,
        c: Tensor,
        turn: Turn,
        mask: Tensor | None = None,
        cache: Cache | None = None,
        seen: Tensor | None = None,
    ) -> Tensor:
        """The next n of the stream (B, n, d) → the same, each having looked at what is before it.

        Args:
            x: n of the stream; all of it, where there is no cache.
            c: what sets scale and shift, (B, d).
            turn: of each of the n.
            mask: who sees whom, bool (n, n); None: each all before it.
            cache: of this layer, which takes in x and lends what is before it.
            seen: what of the cache, as in `Cache.extend`.
        """
        B, n, d = x.shape
        scale1, shift1, scale2, shift2 = self.modulate(c)[:, None].chunk(4, -1)
        h = self.norm1(x) * (1 + scale1) + shift1
        q, k, v = self.qkv(h).view(B, n, 3 * self.heads, -1).chunk(3, 2)
        q, k, v = (u.transpose(1, 2) for u in (turned(q, turn), turned(k, turn), v))
        if cache is not None:
            k, v = cache.extend(k, v, seen)
        h = F.scaled_dot_product_attention(q, k, v, mask, is_causal=mask is None and n > 1)
        x = x + self.out(h.transpose(1, 2).reshape(B, n, d))
        return x + self.mlp(self.norm2(x) * (1 + scale2) + shift2)


def _mlp(c_in: int, width: int, c_out: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(c_in, width), nn.SiLU(), nn.Linear(width, c_out))


class StreamPrior(nn.Module):
    """A text embedding and the codes so far → logits of the next block's codes.

    The embedding becomes the first tokens of the stream, which every place sees; their mean sets scale and
    shift in all layers besides, from which small networks learn sooner (DiT, Peebles and Xie 2023). Codes are
    read and written by functions of their place in the codebook, so that what is learnt of one holds for its
    neighbours.
    """

    block = BLOCK  # codes a side that are written together

    def __init__(self, cfg: StreamConfig) -> None:
        super().__init__()
        self.cfg = cfg
        self.mask = cfg.n_embed  # the code that stands for a hole
        d = cfg.width
        self.register_buffer("codebook", F.normalize(torch.randn(cfg.n_embed, cfg.code_dim), dim=-1))
        self.read = _mlp(IN_BLOCK * cfg.code_dim, d, d)
        self.beside = nn.Linear(len(NEIGHBOURS) * d, d)
        self.unknown = nn.Parameter(0.02 * torch.randn(len(NEIGHBOURS), d))
        self.first = nn.Parameter(torch.zeros(d))
        self.text = _mlp(cfg.text_dim, d, cfg.text_tokens * d)
        self.no_text = nn.Parameter(torch.zeros(cfg.text_tokens * d))
        self.layers = nn.ModuleList(Layer(cfg) for _ in range(cfg.layers))
        self.norm = nn.LayerNorm(d)
        self.earlier = nn.Linear(IN_BLOCK * cfg.code_dim, d)
        self.which = nn.Parameter(0.02 * torch.randn(IN_BLOCK, d))
        self.spell = _mlp(d, 2 * d, d)
        self.spell_norm = nn.LayerNorm(d)
        self.say = nn.Linear(d, SPELL_WIDTH)
        self.write = _mlp(cfg.code_dim, d, SPELL_WIDTH)
        self.common = nn.Parameter(torch.zeros(cfg.n_embed))  # how common each code is, as a logit

    def forward(self, codes: Tensor, text: Tensor, drop: Tensor | None = None, wrap: Wrap = TORUS) -> Tensor:
        """Codes (B, h, w), unit text (B, D) → logits (B, h·w/4, 4, n_embed), each from what is before it.

        Rows where `drop` (B,) is true are answered as if there were no text.
        """
        return self.features(codes, text, drop, wrap) @ self.written().T

    def features(self, codes: Tensor, text: Tensor, drop: Tensor | None = None, wrap: Wrap = TORUS) -> Tensor:
        """The logits of `forward` before their last product: (B, h·w/4, 4, SPELL_WIDTH + 1)."""
        h, w = codes.shape[1:]
        places = Places(h // BLOCK, w // BLOCK, wrap, self.cfg.window)
        vectors = self._vectors(to_blocks(codes))  # (B, T, 4, D)
        content = self.read(vectors.flatten(2))
        index, known = (x.to(codes.device) for x in places.neighbours())
        beside = torch.where(known[..., None], content[:, index], self.unknown)  # (B, T, 8, d)
        before = torch.cat([self.first.expand(len(codes), 1, -1), content[:, :-1]], 1)
        tokens = self._tokens(text, drop)
        K, c = tokens.shape[1], tokens.mean(1)
        x = torch.cat([tokens, c[:, None] + before + self.beside(beside.flatten(2))], 1)
        turn, mask = stream_turn(places, K, codes.device), stream_mask(places, K, codes.device)
        for layer in self.layers:
            x = layer(x, F.silu(c), turn, mask)
        x = self.norm(x[:, K:, None])
        said = torch.ones(IN_BLOCK, IN_BLOCK, device=x.device).tril(-1)
        earlier = vectors[:, :, None] * said[..., None]  # (B, T, 4, 4, D)
        return self._spell(x + self.which, earlier.flatten(3))

    def written(self) -> Tensor:
        """What the features of each code are compared with, (n_embed, SPELL_WIDTH + 1)."""
        written: Tensor = self.write(CODE_SCALE * self.get_buffer("codebook"))
        return torch.cat([written, self.common[:, None].to(written.dtype)], 1)

    def rounds(self, grid: tuple[int, int]) -> int:
        """How often `sample` yields for a grid (h, w): after every row of blocks.

        Raises:
            InvalidRequest: a side is odd.
        """
        if grid[0] % BLOCK or grid[1] % BLOCK:
            raise InvalidRequest(
                f"The prior of this pack draws even sides only, not {grid[0]} x {grid[1]} codes. "
                "Set start to 'codes', or change width and height.",
                field="start",
                remedy=Remedy("start", "codes"),
            )
        return grid[0] // BLOCK

    @torch.no_grad()
    def sample(
        self,
        text: Tensor,
        grid: tuple[int, int],
        streams: list[torch.Generator],
        *,
        start: Tensor | None = None,
        temperature: float = 1.0,
        text_scale: float = 2.0,
        wrap: Wrap = TORUS,
    ) -> Iterator[Tensor]:
        """Draws code grids block by block in reading order. Yields after every row, to be stopped between.

        Args:
            text: unit embeddings (B, D).
            grid: (h, w) of the codes, both even.
            streams: a CPU generator a row of the batch, which does not depend on its neighbours.
            start: codes (B, h, w) with `self.mask` where the prior shall draw; None: everywhere. It sees
                those that are before what it draws.
            temperature: 0 takes the likeliest code, 1 draws from the distribution.
            text_scale: how far logits move from those without text to those with it and beyond
                (classifier-free guidance, Ho and Salimans 2022).
            wrap: axes (vertical, horizontal) along which the samples shall close.

        Yields:
            Codes (B, h, w), int64; `self.mask` where holes are left, none after the last row.

        Raises:
            InvalidRequest: a side of the grid is odd.
        """
        B, rows = len(text), self.rounds(grid)
        places = Places(rows, grid[1] // BLOCK, wrap, self.cfg.window)
        T = places.H * places.W
        codes = torch.full((B, *grid), self.mask, device=text.device) if start is None else start
        blocks = to_blocks(codes).clone()
        holes = (blocks == self.mask).any(0).any(-1).tolist()
        drop = torch.arange(2 * B, device=text.device) >= B if text_scale != 1 else None
        told = _Told(self, self._tokens(text if drop is None else text.repeat(2, 1), drop), places)
        luck = torch.stack([torch.rand(T, IN_BLOCK, generator=g) for g in streams]).to(text.device)
        written = self.written()
        for t in range(T):
            x = told.next()
            for k in range(IN_BLOCK if holes[t] else 0):
                earlier = self._vectors(blocks[:, t, :k]).flatten(1)
                earlier = F.pad(earlier, (0, (IN_BLOCK - k) * self.cfg.code_dim))
                spelled = self._spell(x + self.which[k], earlier.repeat(len(x) // B, 1))
                logits = (spelled @ written.T).float()
                if drop is not None:
                    given, free = logits.chunk(2)
                    logits = free + text_scale * (given - free)
                drawn, known = draw(logits, temperature, luck[:, t, k]), blocks[:, t, k]
                blocks[:, t, k] = torch.where(known == self.mask, drawn, known)
            told.say(self.read(self._vectors(blocks[:, t]).flatten(1)).repeat(len(x) // B, 1))
            if (t + 1) % places.W == 0:
                yield from_blocks(blocks, grid)

    def _vectors(self, blocks: Tensor) -> Tensor:
        """Blocks (..., 4) → their places in the codebook (..., 4, D)."""
        return CODE_SCALE * F.embedding(blocks, self.get_buffer("codebook"))

    def _tokens(self, text: Tensor, drop: Tensor | None) -> Tensor:
        """What the stream begins with, (B, text_tokens, d)."""
        c: Tensor = self.text(text * math.sqrt(text.shape[-1]))
        if drop is not None:
            c = torch.where(drop[:, None], self.no_text.to(c.dtype), c)
        return c.unflatten(-1, (self.cfg.text_tokens, -1))

    def _spell(self, x: Tensor, earlier: Tensor) -> Tensor:
        u = x + self.earlier(earlier)
        spelled: Tensor = self.say(self.spell_norm(u + self.spell(u)))
        return F.pad(spelled, (0, 1), value=1.0)  # to which codes add how common they are


def draw(logits: Tensor, temperature: float, luck: Tensor) -> Tensor:
    """One code a row from logits (B, K), by uniform numbers (B,): the first whose share reaches `luck`."""
    if temperature == 0:
        return logits.argmax(-1)
    share = (logits / temperature).softmax(-1).cumsum(-1)
    return (share <= luck[:, None] * share[:, -1:]).sum(-1).clamp(max=logits.shape[-1] - 1)


class _Told:
    """The stream while it is sampled: tokens and blocks so far, what each layer remembers of them."""

    def __init__(self, prior: StreamPrior, tokens: Tensor, places: Places) -> None:
        self.prior, self.places, self.t = prior, places, 0
        self.K, self.c = tokens.shape[1], tokens.mean(1)
        T = places.H * places.W
        self.turn = stream_turn(places, self.K, tokens.device)
        self.caches = [Cache(tokens, prior.cfg.heads, self.K + T) for _ in prior.layers]
        self.content = tokens.new_zeros(len(tokens), T, prior.cfg.width)
        self.index, self.known = (x.to(tokens.device) for x in places.neighbours())
        self._through(tokens, slice(0, self.K), None)

    def next(self) -> Tensor:
        """What the next place makes of everything before it, (B, d)."""
        prior, t = self.prior, self.t
        before = prior.first if t == 0 else self.content[:, t - 1]
        beside = torch.where(self.known[t, :, None], self.content[:, self.index[t]], prior.unknown)
        x = (self.c + before + prior.beside(beside.flatten(1)))[:, None]
        near = self.places.near(torch.tensor([t]))[0, : t + 1]
        seen = None
        if not near.all():
            seen = F.pad(near, (self.K, 0), value=True).nonzero()[:, 0].to(x.device)
        return prior.norm(self._through(x, slice(self.K + t, self.K + t + 1), seen)[:, 0])

    def say(self, content: Tensor) -> None:
        """Takes in the next block, (B, d) as `read` sees it."""
        self.content[:, self.t] = content
        self.t += 1

    def _through(self, x: Tensor, part: slice, seen: Tensor | None) -> Tensor:
        turn = self.turn[0][part], self.turn[1][part]
        c = F.silu(self.c)
        for layer, cache in zip(self.prior.layers, self.caches, strict=True):
            x = layer(x, c, turn, cache=cache, seen=seen)
        return x
