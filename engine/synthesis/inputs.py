"""What a request brings besides its settings."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F  # the field's name for it


@dataclass(frozen=True)
class Inputs:
    """Decoded files that the settings name.

    Attributes:
        pictures: of `RunSettings.pictures`, in their order: (3, h, w) of any size, sRGB, 0..1.
    """

    pictures: tuple[Tensor, ...] = ()


NOTHING = Inputs()


def fitted(picture: Tensor, height: int, width: int) -> Tensor:
    """The middle of a picture (3, h, w) in the shape of a result, and at its size: (3, height, width), 0..1.

    It fills the result; what juts out is cut off, so that nothing is squashed.
    """
    h, w = picture.shape[-2:]
    scale = max(height / h, width / w)
    rows, columns = min(h, round(height / scale)), min(w, round(width / scale))
    top, left = (h - rows) // 2, (w - columns) // 2
    middle = picture[None, :, top : top + rows, left : left + columns]
    size = (height, width)
    return F.interpolate(middle, size, mode="bicubic", antialias=True, align_corners=False)[0].clamp(0, 1)
