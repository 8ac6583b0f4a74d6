"""What trials found, kept beside the weights: trials.json."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from engine.errors import BadWeights
from engine.starter.evaluation.stamp import Stamp

FILE = "trials.json"


class Variant(BaseModel):
    """One way: how long it was trained, and what it reached."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int
    seconds: float
    figures: dict[str, float]  # shares are 0..1


class Trial(BaseModel):
    """Variants that differ in one thing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str
    measured: str  # how the figures were taken
    machine: str
    caution: str = ""  # what figures may not be taken for
    stamp: Stamp = Stamp()
    variants: dict[str, Variant]


class Trials(BaseModel):
    """All trials, by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trials: dict[str, Trial] = {}


def read(weights: Path) -> Trials:
    """The trials of a folder of weights; none where there is no file.

    Raises:
        BadWeights: the file cannot be read.
    """
    try:
        return Trials.model_validate_json((weights / FILE).read_text("utf-8"))
    except FileNotFoundError:
        return Trials()
    except (OSError, ValidationError) as error:
        raise BadWeights(
            f"{FILE} beside the starter pack cannot be read. Delete it, and run the trials again.",
            details=str(error),
        ) from error


def enter(weights: Path, name: str, trial: Trial) -> Trials:
    """Enters a finished trial in place of an older one of its name."""
    trials = Trials(trials={**read(weights).trials, name: trial})
    partial = (weights / FILE).with_suffix(".part")
    partial.write_text(trials.model_dump_json(indent=2) + "\n", "utf-8")
    partial.replace(weights / FILE)
    return trials
