"""How a preset wants its result shown: what the add-on calls the same, and the engine only checks."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class MapSettings(BaseModel):
    """The `material` of a preset file. No picture depends on it; what is left out is as the artist has it.

    Lengths are metres in the scene.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    tile_size: float | None = Field(None, ge=0.001, le=1000, description="Width of one tile")
    normal_strength: float | None = Field(None, ge=0, le=4)
    displacement: Literal["OFF", "BUMP", "REAL"] | None = None
    mapping: Literal["AUTO", "UV", "BOX"] | None = None
