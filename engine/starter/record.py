"""What the weights in a folder were trained on, by which configuration, how long, and where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from engine.errors import BadWeights

FILE = "training.json"


class StageRecord(BaseModel):
    """One network's training, the seed among its configuration; None is what nobody recorded.

    `size_px` is the side of the materials that it saw, `supersampling` how many times larger they were drawn.
    """

    model_config = ConfigDict(extra="forbid")

    configuration: dict[str, Any]
    seconds: float | None = None
    machine: str | None = None
    size_px: int | None = None
    supersampling: int | None = None
    note: str = ""

    def saw_the_same(self, other: StageRecord) -> bool:
        """Whether both may have been trained on materials drawn alike: what is not recorded may be."""
        pairs = ((self.size_px, other.size_px), (self.supersampling, other.supersampling))
        return all(None in pair or pair[0] == pair[1] for pair in pairs)


class TrainingRecord(BaseModel):
    """Lies beside the weights. What is evaluated, and what may be promised, depends on it."""

    model_config = ConfigDict(extra="forbid")

    families: tuple[str, ...]
    materials: int
    note: str = ""
    stages: dict[str, StageRecord] = {}


def read(weights: Path) -> TrainingRecord:
    """The record of a folder of weights.

    Raises:
        BadWeights: there is none, or it cannot be read.
    """
    try:
        return TrainingRecord.model_validate_json((weights / FILE).read_text("utf-8"))
    except (OSError, ValidationError) as error:
        raise BadWeights(
            f"{FILE} of the starter pack cannot be read. Install the pack again.", details=str(error)
        ) from error


def enter(weights: Path, families: tuple[str, ...], materials: int, name: str, stage: StageRecord) -> None:
    """Enters a finished stage. Stages that were trained on other materials are forgotten."""
    path = weights / FILE
    record = TrainingRecord(families=families, materials=materials)
    if path.exists():
        found = read(weights)
        if (found.families, found.materials) == (families, materials):
            kept = {other: about for other, about in found.stages.items() if about.saw_the_same(stage)}
            record = found.model_copy(update={"stages": kept})
    record.stages[name] = stage
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(record.model_dump(mode="json"), indent=2) + "\n", "utf-8")
    partial.replace(path)
