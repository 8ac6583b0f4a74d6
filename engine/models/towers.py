"""Image towers of our own, registered with timm so that open_clip builds them from a configuration."""

from __future__ import annotations

import itertools
from typing import Any

import torch
from timm.models import register_model
from timm.models.vision_transformer import Block
from torch import Tensor, nn
from torch.nn import functional as F  # the field's name for it


def statistics(x: Tensor) -> Tensor:
    """Mean and standard deviation over the places of a feature map, (B, C, H, W) → (B, 2C)."""
    x = x.flatten(2).float()
    return torch.cat([x.mean(-1), (x.var(-1, correction=0) + 1e-5).sqrt()], -1)


class Stage(nn.Module):
    """Halves the resolution, then refines once beside a shortcut."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.down = nn.Conv2d(c_in, c_out, 3, stride=2, padding=1, bias=False)
        self.down_norm = nn.BatchNorm2d(c_out)
        self.conv = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(c_out)

    def forward(self, x: Tensor) -> Tensor:
        x = F.silu(self.down_norm(self.down(x)))
        return F.silu(x + self.norm(self.conv(x)))


class TextureNet(nn.Module):
    """A small convolutional network that describes a picture by statistics of its features.

    What makes a texture is how often things occur, not where (Portilla and Simoncelli 2000; Gatys et
    al. 2015), so every stage, and the plain picture, hands its channel means and deviations to the end.

    Input (B, 3, H, W), any H and W from 32; output (B, num_features), or (B, num_classes) with a head.
    """

    def __init__(self, widths: tuple[int, ...] = (32, 64, 128, 192), num_classes: int = 0) -> None:
        super().__init__()
        self.default_cfg: dict[str, Any] = {"pool_size": None, "input_size": (3, 96, 96)}
        self.stages = nn.ModuleList(Stage(a, b) for a, b in zip((3, *widths), widths, strict=False))
        self.num_features = 2 * (3 + sum(widths[1:]))
        self.mix = nn.Sequential(
            nn.LayerNorm(self.num_features), nn.Linear(self.num_features, 384), nn.SiLU()
        )
        self.num_features = 384
        self.head: nn.Module = nn.Identity()
        self.reset_classifier(num_classes)

    def reset_classifier(self, num_classes: int, global_pool: str | None = None) -> None:  # noqa: ARG002
        """timm's interface: drops or sets the linear head; pooling stays what it is."""
        self.head = nn.Linear(self.num_features, num_classes) if num_classes else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        pooled = [statistics(x)]
        for i, stage in enumerate(self.stages):
            x = stage(x)
            if i > 0:
                pooled.append(statistics(x))
        return self.head(self.mix(torch.cat(pooled, -1)))


class PatchNet(nn.Module):
    """A small vision transformer: convolutions make patches of 8 x 8 px, blocks of attention compare them.

    Early convolutions let a transformer learn from few pictures (Xiao et al. 2021). Where a patch lies is
    not told in numbers but seen, by a convolution over neighbours (Chu et al. 2021), so that any size goes
    in. As in `TextureNet` the picture is described by mean and deviation over all places.

    Input (B, 3, H, W), any H and W from 32; output (B, num_features), or (B, num_classes) with a head.
    """

    def __init__(self, width: int = 160, depth: int = 3, heads: int = 4, num_classes: int = 0) -> None:
        super().__init__()
        self.default_cfg: dict[str, Any] = {"pool_size": None, "input_size": (3, 96, 96)}
        widths = (3, 32, 64, width)
        self.stem = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a, b, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(b), nn.SiLU())
            for a, b in itertools.pairwise(widths)
        )
        self.places = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.blocks = nn.ModuleList(Block(width, heads, mlp_ratio=3, qkv_bias=True) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.mix = nn.Sequential(nn.LayerNorm(2 * width), nn.Linear(2 * width, 384), nn.SiLU())
        self.num_features = 384
        self.head: nn.Module = nn.Identity()
        self.reset_classifier(num_classes)

    def reset_classifier(self, num_classes: int, global_pool: str | None = None) -> None:  # noqa: ARG002
        """timm's interface: drops or sets the linear head; pooling stays what it is."""
        self.head = nn.Linear(self.num_features, num_classes) if num_classes else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        for stage in self.stem:
            x = stage(x)
        x = x + self.places(x)
        tokens = x.flatten(2).mT  # (B, h·w, width)
        for block in self.blocks:
            tokens = block(tokens)
        return self.head(self.mix(statistics(self.norm(tokens).mT[..., None])))


@register_model
def patina_texture_net(pretrained: bool = False, **kwargs: Any) -> TextureNet:  # noqa: ARG001
    """timm's entry point of `TextureNet`. Weights come with the CLIP around it, never from a hub."""
    return TextureNet(num_classes=kwargs.get("num_classes", 0))


@register_model
def patina_texture_net_deep(pretrained: bool = False, **kwargs: Any) -> TextureNet:  # noqa: ARG001
    """The same with a stage more and fewer channels."""
    return TextureNet((24, 48, 96, 144, 192), num_classes=kwargs.get("num_classes", 0))


@register_model
def patina_patch_net(pretrained: bool = False, **kwargs: Any) -> PatchNet:  # noqa: ARG001
    """timm's entry point of `PatchNet`: what fools convolutions need not fool attention."""
    return PatchNet(num_classes=kwargs.get("num_classes", 0))


@register_model
def patina_texture_net_wide(pretrained: bool = False, **kwargs: Any) -> TextureNet:  # noqa: ARG001
    """More channels: what fits into a file of 16 MiB beside a table of all tokens."""
    return TextureNet((40, 80, 160, 256), num_classes=kwargs.get("num_classes", 0))


@register_model
def patina_patch_net_wide(pretrained: bool = False, **kwargs: Any) -> PatchNet:  # noqa: ARG001
    """More channels and blocks: what fits into a file of 16 MiB beside a table of all tokens."""
    return PatchNet(192, depth=6, num_classes=kwargs.get("num_classes", 0))
