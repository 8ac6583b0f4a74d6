"""What the weights in a folder were trained on, by which configuration, how long, and where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from engine.errors import BadWeights

FILE = "training.json"


class StageRecord(BaseModel):
    """One network's training, the seed among its configuration."""

    model_config = ConfigDict(extra="forbid")

    configuration: dict[str, Any]
    seconds: float | None = None
    machine: str | None = None
    note: str = ""


class TrainingRecord(BaseModel):
    """Lies beside the weights. What is evaluated, and what may be promised, depends on it."""

    model_config = ConfigDict(extra="forbid")

    families: tuple[str, ...]
    materials: int
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
        record = found if (found.families, found.materials) == (families, materials) else record
    record.stages[name] = stage
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(record.model_dump(mode="json"), indent=2) + "\n", "utf-8")
    partial.replace(path)
