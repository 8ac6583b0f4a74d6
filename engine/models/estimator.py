"""Map estimator: picture of a surface, lit or not → its maps. A U-Net (Ronneberger et al. 2015) on the torus.

Its convolutions are the VQGAN's, so along the axes that tile estimation commutes with rolling the picture by
multiples of `factor`. What has no place, such as where the light comes from, is told to every position by
statistics of the whole picture.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F  # the field's name for it

from engine.models.grad import clamp_with_grad
from engine.models.vqgan import TORUS, Conv, Resample, ResnetBlock, VQGANConfig, Wrap

COLOURS = ("red", "green", "blue")
MAPS = ("height", "roughness", "metallic", "relief")


class EstimatorConfig(BaseModel):
    """Architecture of an estimator; `ch`, `ch_mult`, `patch`, `norm_groups` and `border` as in `VQGANConfig`.

    `channels` names what comes out, base colour first. `reference_px` is the width that relief refers to:
    see `Estimator.forward`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    channels: tuple[str, ...] = (*COLOURS, *MAPS)
    ch: int = Field(default=40, ge=1)
    ch_mult: tuple[int, ...] = Field(default=(1, 2, 4), min_length=1)
    patch: int = Field(default=4, ge=1)
    norm_groups: int = Field(default=8, ge=1)
    border: str = Field(default="reflect", pattern="^(zeros|reflect)$")
    reference_px: int = Field(default=256, ge=1)

    @model_validator(mode="after")
    def _consistent(self) -> EstimatorConfig:
        if self.channels[:3] != COLOURS or sorted(self.channels[3:]) != sorted(MAPS):
            raise ValueError(f"channels must be {', '.join(COLOURS)} and then {', '.join(MAPS)} in any order")
        if self.ch % self.norm_groups or min(self.ch_mult) < 1:
            raise ValueError("ch must be a multiple of norm_groups, and ch_mult at least 1")
        return self


class Context(nn.Module):
    """Tells every position the mean and deviation of each feature over the whole picture."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(2 * channels, channels)
        self.fc2 = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean((-2, -1))
        deviation = (x.float().var((-2, -1), correction=0) + 1e-6).sqrt().to(x.dtype)
        h = self.fc2(F.silu(self.fc1(torch.cat([mean, deviation], 1))))
        return x + h[:, :, None, None]


class Up(nn.Module):
    """Twice the resolution, with the features that the way down had there beside it."""

    def __init__(self, c_in: int, c_out: int, cfg: VQGANConfig) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(c_in, c_out, 1)  # before the upsampling, where it costs a quarter
        self.block = ResnetBlock(2 * c_out, c_out, cfg)

    def forward(self, x: Tensor, skip: Tensor, wrap: Wrap) -> Tensor:
        x = F.interpolate(self.narrow(x), scale_factor=2.0, mode="nearest")
        return self.block(torch.cat([x, skip], 1), wrap)


class Estimator(nn.Module):
    """Pictures (B, 3, H, W), 0..1 sRGB, to maps (B, len(channels), H, W); H and W multiples of `factor`."""

    def __init__(self, cfg: EstimatorConfig) -> None:
        super().__init__()
        self.cfg = cfg
        self.factor = cfg.patch * 2 ** (len(cfg.ch_mult) - 1)
        blocks = VQGANConfig(patch=cfg.patch, norm_groups=cfg.norm_groups, border=cfg.border)
        widths = [cfg.ch * m for m in cfg.ch_mult]
        self.conv_in = Conv(3 * cfg.patch**2, widths[0], 3, pads=(1, 1, 1, 1), border=cfg.border)
        self.down = nn.ModuleList(
            ResnetBlock(widths[max(0, i - 1)], width, blocks) for i, width in enumerate(widths)
        )
        self.halve = nn.ModuleList(Resample(width, up=False, cfg=blocks) for width in widths[:-1])
        self.context = Context(widths[-1])
        self.mid = ResnetBlock(widths[-1], widths[-1], blocks)
        self.up = nn.ModuleList(Up(wide, narrow, blocks) for narrow, wide in reversed(list(pairwise(widths))))
        self.norm_out = nn.GroupNorm(cfg.norm_groups, widths[0], eps=1e-6)
        outputs = len(cfg.channels) * cfg.patch**2
        self.conv_out = Conv(widths[0], outputs, 3, pads=(1, 1, 1, 1), border=cfg.border)
        nn.init.zeros_(self.conv_out.weight)  # training starts from the picture itself and from middle grey

    def estimate_raw(self, picture: Tensor, wrap: Wrap = TORUS) -> Tensor:
        """As `forward`, before anything is clamped."""
        H, W = picture.shape[-2:]
        if H % self.factor or W % self.factor:
            raise ValueError(
                f"The estimator takes sides that are multiples of {self.factor} px, not {W} x {H}: "
                "resize the picture first, and its maps back afterwards."
            )
        h = self.conv_in(F.pixel_unshuffle(2 * picture - 1, self.cfg.patch), wrap)
        skips = []
        for i, block in enumerate(self.down):
            h = block(h, wrap)
            if i < len(self.halve):
                skips.append(h)
                h = self.halve[i](h, wrap)
        h = self.mid(self.context(h), wrap)
        for up in self.up:
            h = up(h, skips.pop(), wrap)
        out = F.pixel_shuffle(self.conv_out(F.silu(self.norm_out(h)), wrap), self.cfg.patch).float()
        # Without light the base colour is the picture itself: only what light did to it has to be found.
        return torch.cat([picture.float() + out[:, :3], 0.5 + out[:, 3:]], 1)

    def forward(self, picture: Tensor, wrap: Wrap = TORUS) -> Tensor:
        """The maps that explain a picture.

        Args:
            picture: (B, 3, H, W), sRGB, 0..1; sides multiples of `factor`.
            wrap: which axes (vertical, horizontal) tile.

        Returns:
            (B, len(channels), H, W) float32 in 0..1, in the order of `cfg.channels`. Relief is encoded as
            `material/relief.py` does, and refers to `reference_px` pixels rather than to the picture's
            width: slopes are what a picture shows, and pixels are all that it measures them in.

        Raises:
            ValueError: a side is no multiple of `factor`. Resizing is the caller's business.
        """
        return clamp_with_grad(self.estimate_raw(picture, wrap), 0, 1)
