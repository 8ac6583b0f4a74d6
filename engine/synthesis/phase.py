"""What a synthesis tells of its progress."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Phase:
    """One unit of work done.

    Attributes:
        name: "propose", "guide" or "rank".
        step: 1..total.
        loss: mean over the variations, where the unit has one.
        picture: (B, 3, H, W) in 0..1 sRGB, now and then: what is worth showing.
        first: variation of the picture's first row; the others follow.
        work: share of all guidance that is done, 0..1; None where that is step / total.
    """

    name: str
    step: int
    total: int
    loss: float | None = None
    picture: Tensor | None = None
    first: int = 0
    work: float | None = None
