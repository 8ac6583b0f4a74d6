"""What a run begins from and keeps, besides its settings: decoded pictures, a stored result, masks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from engine.material.maps import DecodedMaps


@dataclass(frozen=True)
class Stored:
    """A result of an earlier run.

    Attributes:
        maps: a batch of one, as its files have them.
        origin: where it began, as its sidecar says.
        seed: of its variation.
        sha256: of its pack's files, by role.
    """

    maps: DecodedMaps
    origin: str
    seed: int
    sha256: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Edits:
    """Decoded files that the settings name. Every picture but the stored maps has the size of the run.

    Attributes:
        picture: to begin from, (3, H, W), sRGB, 0..1.
        stored: to begin from instead, of any size.
        mask: (1, H, W), 0..1: 1 may change.
        spots: of `RunSettings.spots`, in their order, (1, H, W), 0..1: 1 is the part.
        overlay: (4, H, W), sRGB and alpha, 0..1.
        alpha: outline of a decal, (1, H, W), 0..1: 1 is opaque.
        towards: what variations lie on the way to, as a picture or stored.
    """

    picture: Tensor | None = None
    stored: Stored | None = None
    mask: Tensor | None = None
    spots: tuple[Tensor, ...] = ()
    overlay: Tensor | None = None
    alpha: Tensor | None = None
    towards: Edits | None = None

    @property
    def has_base(self) -> bool:
        """Whether there is something to begin from."""
        return self.picture is not None or self.stored is not None


NO_EDITS = Edits()
"""A run from words alone."""
