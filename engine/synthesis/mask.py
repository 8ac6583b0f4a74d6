"""What an edit keeps: parts of maps that stay the original's to the last bit."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.material.maps import FLAT, DecodedMaps
from engine.models.vqgan import Wrap
from engine.synthesis.decode import smooth

PLAIN = ("basecolor", "roughness", "metallic", "emission")
"""Maps that mean the same whatever the relief."""


def softened(mask: Tensor, f: int, wrap: Wrap) -> Tensor:
    """A mask (B, 1, H, W), 0..1, with a border in which original and new blend: about f px on either side.

    Where black lies farther from white it is 0 exactly. The border goes on at the opposite side where the
    picture tiles.
    """
    return smooth(mask, f, wrap)


def blend(original: DecodedMaps, new: DecodedMaps, share: Tensor) -> DecodedMaps:
    """The original where `share` (B, 1, H, W) is 0, to the last bit, and the new maps where it is 1.

    Heights are brought to the scale of the original, around the middle, so that its relief holds for both;
    new ones that are deeper are made as deep. Where the original is flat, the new relief holds.
    """
    relief = torch.where(original.relief < FLAT, new.relief, original.relief)
    scale = (new.relief / relief.clamp(min=FLAT)).clamp(max=1).view(-1, 1, 1, 1)
    height = 0.5 + (new.height - 0.5) * scale
    pairs = {name: (getattr(original, name), getattr(new, name)) for name in PLAIN}
    blended = {name: torch.lerp(a, b, share.expand_as(a)) for name, (a, b) in pairs.items()}
    return DecodedMaps(**blended, height=torch.lerp(original.height, height, share), relief=relief)
