"""The parameters of `maps`: all maps of a surface from one picture of it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.library.requests import AbsolutePath
from engine.settings import Tile


class Maps(BaseModel):
    """What a client may ask."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    picture: AbsolutePath = Field(description="Of the surface, lit or not: PNG, JPEG, WebP or TIFF")
    folder: AbsolutePath = Field(description="Where the maps go")
    history: AbsolutePath | None = Field(None, description="Folder of all results, kept in the library")
    pack: str = Field("starter", pattern=r"^[a-z0-9_-]+$", description="Whose estimator looks")
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    tile: Tile = Field("xy", description="Along which axes the picture repeats without a seam")
    longest_px: int = Field(2048, ge=64, le=4096, description="Sides beyond this are reduced")
