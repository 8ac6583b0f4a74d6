"""The parameters of `rank`: pictures that exist, in the order in which they fit words."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.library.requests import AbsolutePath
from engine.settings import Tile


class Rank(BaseModel):
    """What a client may ask."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    prompt: str = Field(min_length=1, max_length=2000, pattern=r"\S", description="As of `generate`")
    negative: str = Field("", max_length=2000, description="What they should not look like")
    files: tuple[AbsolutePath, ...] = Field(
        min_length=1, max_length=1000, strict=False, description="PNG, JPEG, WebP or TIFF"
    )
    tile: Tile = Field("xy", description="Along which axes they are meant to repeat")
    views: int = Field(16, ge=1, le=128, description="Augmented views of each that the judge looks at")
    pack: str = Field("starter", pattern=r"^[a-z0-9_-]+$", description="Whose judge looks")
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
