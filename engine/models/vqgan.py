"""VQGAN (Esser et al. 2021), convolutions optionally on the torus.

Module names and arithmetic are those of CompVis/taming-transformers, so that published weights load
key by key. What taming does not have is configuration: a patch stem, more than three channels,
L2-normalised codes, and padding that wraps around along the axes that tile.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F  # the field's name for it
from torch.utils.checkpoint import checkpoint

from engine.models.grad import clamp_with_grad, replace_grad

Wrap = tuple[bool, bool]
"""Which axes close on themselves: (vertical, horizontal)."""

TORUS: Wrap = (True, True)
PLANE: Wrap = (False, False)


class VQGANConfig(BaseModel):
    """Architecture of a VQGAN. The first nine fields are taming's `ddconfig` by its own names.

    `patch` p > 1 turns p x p pixels into channels before the first convolution and back after the
    last, which saves the costly top resolutions. `border` is what lies beyond an edge that does not
    tile: zeros, as published weights were trained with, or a reflection.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    ch: int = 128
    ch_mult: tuple[int, ...] = (1, 1, 2, 2, 4)
    num_res_blocks: int = 2
    attn_resolutions: tuple[int, ...] = (16,)
    resolution: int = 256
    in_channels: int = 3
    out_ch: int = 3
    z_channels: int = 256
    mid_attention: bool = True
    embed_dim: int = 256
    n_embed: int = 16384
    patch: int = Field(1, ge=1)
    norm_groups: int = 32
    l2_codes: bool = False
    gumbel: bool = False
    border: str = Field("zeros", pattern="^(zeros|reflect)$")


class Conv(nn.Conv2d):
    """A convolution whose padding wraps around along the axes that tile.

    Args:
        pads: (left, right, top, bottom), px. taming's strided convolutions pad right and bottom only.
    """

    def __init__(
        self, c_in: int, c_out: int, kernel: int, *, stride: int = 1, pads: tuple[int, ...], border: str
    ) -> None:
        super().__init__(c_in, c_out, kernel, stride)
        self.pads = pads
        self.border = "constant" if border == "zeros" else border

    def forward(self, x: Tensor, wrap: Wrap = PLANE) -> Tensor:
        left, right, top, bottom = self.pads
        if any(self.pads):
            if wrap[0] == wrap[1]:
                x = F.pad(x, self.pads, "circular" if wrap[0] else self.border)
            else:
                x = F.pad(x, (left, right, 0, 0), "circular" if wrap[1] else self.border)
                x = F.pad(x, (0, 0, top, bottom), "circular" if wrap[0] else self.border)
        return super().forward(x)


class ResnetBlock(nn.Module):
    """Two normalised 3x3 convolutions beside a shortcut.

    Where `lean` is set, the backward pass computes it anew from its input rather than keeping what it needs:
    the same gradient, to the last bit, in less memory and more time.

    Source: Chen et al., "Training deep nets with sublinear memory cost", 2016.
    """

    lean = False

    def __init__(self, c_in: int, c_out: int, cfg: VQGANConfig) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(cfg.norm_groups, c_in, eps=1e-6)
        self.conv1 = Conv(c_in, c_out, 3, pads=(1, 1, 1, 1), border=cfg.border)
        self.norm2 = nn.GroupNorm(cfg.norm_groups, c_out, eps=1e-6)
        self.conv2 = Conv(c_out, c_out, 3, pads=(1, 1, 1, 1), border=cfg.border)
        if c_in != c_out:
            self.nin_shortcut = nn.Conv2d(c_in, c_out, 1)

    def forward(self, x: Tensor, wrap: Wrap) -> Tensor:
        if self.lean and torch.is_grad_enabled():
            anew: Tensor = checkpoint(self._forward, x, wrap, use_reentrant=False)
            return anew
        return self._forward(x, wrap)

    def _forward(self, x: Tensor, wrap: Wrap) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)), wrap)
        h = self.conv2(F.silu(self.norm2(h)), wrap)
        return (self.nin_shortcut(x) if hasattr(self, "nin_shortcut") else x) + h


class AttnBlock(nn.Module):
    """Single-head attention over all positions. It has no notion of place, so it keeps the torus."""

    def __init__(self, channels: int, cfg: VQGANConfig) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(cfg.norm_groups, channels, eps=1e-6)
        self.q = nn.Conv2d(channels, channels, 1)
        self.k = nn.Conv2d(channels, channels, 1)
        self.v = nn.Conv2d(channels, channels, 1)
        self.proj_out = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        B, C, H, W = x.shape
        h = self.norm(x)
        q, k, v = (f(h).flatten(2).mT.unsqueeze(1) for f in (self.q, self.k, self.v))  # (B, 1, HW, C)
        h = F.scaled_dot_product_attention(q, k, v)
        return x + self.proj_out(h.squeeze(1).mT.reshape(B, C, H, W))


class Resample(nn.Module):
    """taming's down- or upsampling by two; the convolution has the key `conv` in both."""

    def __init__(self, channels: int, *, up: bool, cfg: VQGANConfig) -> None:
        super().__init__()
        self.up = up
        stride, pads = (1, (1, 1, 1, 1)) if up else (2, (0, 1, 0, 1))
        self.conv = Conv(channels, channels, 3, stride=stride, pads=pads, border=cfg.border)

    def forward(self, x: Tensor, wrap: Wrap) -> Tensor:
        if self.up:
            x = F.interpolate(x, scale_factor=2.0, mode="nearest")
        return self.conv(x, wrap)


class Level(nn.Module):
    """The blocks of one resolution, with attention where the configuration asks for it.

    Args:
        channels: of the input, then of every block's output.
        attention: after every block.
        resample: "downsample" or "upsample", as its key is called, or None at the last level.
        cfg: of the whole network.
    """

    def __init__(
        self, channels: list[int], *, attention: bool, resample: str | None, cfg: VQGANConfig
    ) -> None:
        super().__init__()
        self.resample = resample
        if resample is not None:
            self.add_module(resample, Resample(channels[-1], up=resample == "upsample", cfg=cfg))
        pairs = list(pairwise(channels))
        self.block = nn.ModuleList(ResnetBlock(a, b, cfg) for a, b in pairs)
        self.attn = nn.ModuleList(AttnBlock(b, cfg) for _, b in pairs if attention)

    def forward(self, x: Tensor, wrap: Wrap) -> Tensor:
        for i, block in enumerate(self.block):
            x = block(x, wrap)
            if len(self.attn) > 0:
                x = self.attn[i](x)
        return x if self.resample is None else self.get_submodule(self.resample)(x, wrap)


class Mid(nn.Module):
    """The narrowest place: block, attention, block."""

    def __init__(self, channels: int, cfg: VQGANConfig) -> None:
        super().__init__()
        self.block_1 = ResnetBlock(channels, channels, cfg)
        self.attn_1 = AttnBlock(channels, cfg) if cfg.mid_attention else nn.Identity()
        self.block_2 = ResnetBlock(channels, channels, cfg)

    def forward(self, x: Tensor, wrap: Wrap) -> Tensor:
        return self.block_2(self.attn_1(self.block_1(x, wrap)), wrap)


class Encoder(nn.Module):
    """Picture (B, in_channels, H, W), about -1..1 → features (B, z_channels, H/f, W/f)."""

    def __init__(self, cfg: VQGANConfig) -> None:
        super().__init__()
        self.patch = cfg.patch
        widths = [cfg.ch * m for m in (1, *cfg.ch_mult)]
        self.conv_in = Conv(cfg.in_channels * cfg.patch**2, cfg.ch, 3, pads=(1, 1, 1, 1), border=cfg.border)
        self.down = nn.ModuleList()
        for i in range(len(cfg.ch_mult)):
            channels = [widths[i]] + [widths[i + 1]] * cfg.num_res_blocks
            attention = cfg.resolution // cfg.patch // 2**i in cfg.attn_resolutions
            resample = "downsample" if i < len(cfg.ch_mult) - 1 else None
            self.down.append(Level(channels, attention=attention, resample=resample, cfg=cfg))
        self.mid = Mid(widths[-1], cfg)
        self.norm_out = nn.GroupNorm(cfg.norm_groups, widths[-1], eps=1e-6)
        self.conv_out = Conv(widths[-1], cfg.z_channels, 3, pads=(1, 1, 1, 1), border=cfg.border)

    def forward(self, x: Tensor, wrap: Wrap) -> Tensor:
        h = self.conv_in(F.pixel_unshuffle(x, self.patch), wrap)
        for level in self.down:
            h = level(h, wrap)
        return self.conv_out(F.silu(self.norm_out(self.mid(h, wrap))), wrap)


class Decoder(nn.Module):
    """Features (B, z_channels, h, w) → picture (B, out_ch, f·h, f·w), about -1..1."""

    def __init__(self, cfg: VQGANConfig) -> None:
        super().__init__()
        self.patch = cfg.patch
        widths = [cfg.ch * m for m in cfg.ch_mult]
        self.conv_in = Conv(cfg.z_channels, widths[-1], 3, pads=(1, 1, 1, 1), border=cfg.border)
        self.mid = Mid(widths[-1], cfg)
        self.up = nn.ModuleList()
        for i in range(len(widths)):  # up.0 is the highest resolution, so it runs last
            c_in = widths[min(i + 1, len(widths) - 1)]
            channels = [c_in] + [widths[i]] * (cfg.num_res_blocks + 1)
            attention = cfg.resolution // cfg.patch // 2**i in cfg.attn_resolutions
            resample = "upsample" if i > 0 else None
            self.up.append(Level(channels, attention=attention, resample=resample, cfg=cfg))
        self.norm_out = nn.GroupNorm(cfg.norm_groups, widths[0], eps=1e-6)
        self.conv_out = Conv(widths[0], cfg.out_ch * cfg.patch**2, 3, pads=(1, 1, 1, 1), border=cfg.border)

    def forward(self, h: Tensor, wrap: Wrap) -> Tensor:
        h = self.mid(self.conv_in(h, wrap), wrap)
        for level in reversed(self.up):
            h = level(h, wrap)
        return F.pixel_shuffle(self.conv_out(F.silu(self.norm_out(h)), wrap), self.patch)


class NearestCodes(nn.Module):
    """A codebook whose codes are chosen by distance; taming's key is `embedding`."""

    def __init__(self, cfg: VQGANConfig) -> None:
        super().__init__()
        self.embedding = nn.Embedding(cfg.n_embed, cfg.embed_dim)

    @property
    def table(self) -> nn.Embedding:
        """The codebook."""
        return self.embedding


class GumbelCodes(nn.Module):
    """A codebook whose codes are chosen by logits; taming's keys are `proj` and `embed`."""

    def __init__(self, cfg: VQGANConfig) -> None:
        super().__init__()
        self.proj = nn.Conv2d(cfg.embed_dim, cfg.n_embed, 1)
        self.embed = nn.Embedding(cfg.n_embed, cfg.embed_dim)

    @property
    def table(self) -> nn.Embedding:
        """The codebook."""
        return self.embed


class VQGAN(nn.Module):
    """Pictures to codes and back.

    Pictures are (B, C, H, W) in 0..1, latents z (B, embed_dim, H/f, W/f) float32, codes integer
    (B, H/f, W/f) in 0..n_embed-1. `wrap` says which axes (vertical, horizontal) tile; along those,
    decoding commutes with rolling the latent.
    """

    def __init__(self, cfg: VQGANConfig) -> None:
        super().__init__()
        self.cfg = cfg
        self.f = cfg.patch * 2 ** (len(cfg.ch_mult) - 1)
        self.encoder = Encoder(cfg)
        self.decoder = Decoder(cfg)
        self.quantize = GumbelCodes(cfg) if cfg.gumbel else NearestCodes(cfg)
        self.quant_conv = nn.Conv2d(cfg.z_channels, cfg.embed_dim, 1)
        self.post_quant_conv = nn.Conv2d(cfg.embed_dim, cfg.z_channels, 1)

    @property
    def lean(self) -> bool:
        """Whether memory comes before time: see `ResnetBlock`. Set, it holds for all blocks."""
        return any(m.lean for m in self.modules() if isinstance(m, ResnetBlock))

    @lean.setter
    def lean(self, lean: bool) -> None:
        for m in self.modules():
            if isinstance(m, ResnetBlock):
                m.lean = lean

    @property
    def codebook(self) -> Tensor:
        """(n_embed, embed_dim), float32; on the unit sphere where `l2_codes` is set."""
        codes = self.quantize.table.weight.float()
        return F.normalize(codes, dim=-1) if self.cfg.l2_codes else codes

    def z_range(self) -> tuple[Tensor, Tensor]:
        """Smallest and largest value of each latent channel over the codebook, (1, embed_dim, 1, 1)."""
        low, high = self.codebook.amin(0), self.codebook.amax(0)
        return low[None, :, None, None], high[None, :, None, None]

    def encode(self, x: Tensor, wrap: Wrap = TORUS) -> Tensor:
        """Picture in 0..1 → unquantised latent (B, embed_dim, H/f, W/f)."""
        return self.quant_conv(self.encoder(2 * x - 1, wrap))

    def nearest(self, z: Tensor) -> Tensor:
        """Latent → the code nearest to each position, (B, h, w) int64."""
        if self.cfg.l2_codes:
            z = F.normalize(z.float(), dim=1)
        flat = z.float().permute(0, 2, 3, 1).flatten(0, 2)  # (B·h·w, D)
        c = self.codebook
        distance = c.square().sum(-1) - 2 * flat @ c.T  # |z|² is the same for every code
        return distance.argmin(-1).view(z.shape[0], *z.shape[2:])

    def codes_of(self, x: Tensor, wrap: Wrap = TORUS) -> Tensor:
        """Picture in 0..1 → codes (B, h, w)."""
        h = self.encode(x, wrap)
        if isinstance(self.quantize, GumbelCodes):
            logits: Tensor = self.quantize.proj(h)
            return logits.argmax(1)
        return self.nearest(h)

    def lookup(self, codes: Tensor) -> Tensor:
        """Codes (B, h, w) → the latent that sits exactly on them, (B, embed_dim, h, w)."""
        return F.embedding(codes, self.codebook).permute(0, 3, 1, 2)

    def snap(self, z: Tensor) -> Tensor:
        """z on its nearest codes in value, with the gradient passing straight through to z."""
        return replace_grad(self.lookup(self.nearest(z)), z)

    def decode_raw(self, z_q: Tensor, wrap: Wrap = TORUS) -> Tensor:
        """Latent on the codebook → picture, about -1..1, as the network leaves it."""
        return self.decoder(self.post_quant_conv(z_q), wrap)

    def decode(self, z: Tensor, wrap: Wrap = TORUS) -> Tensor:
        """Latent z, on or off the codebook → picture (B, out_ch, f·h, f·w) float32 in 0..1."""
        x = self.decode_raw(self.snap(z), wrap).float()
        return clamp_with_grad((x + 1) / 2, 0, 1)


def tile_axes(tile: str) -> Wrap:
    """The setting's words ("xy", "x", "y", "none") → (vertical, horizontal)."""
    return "y" in tile, "x" in tile
