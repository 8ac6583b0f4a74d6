"""The kinds of priors that a pack may have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.errors import BadWeights
from engine.models.prior import Prior, PriorConfig
from engine.models.stream import StreamConfig, StreamPrior

AnyPrior = Prior | StreamPrior
"""Both are sampled alike, whole or from a start with holes; `rounds` says how often `sample` yields."""

KINDS: dict[str, Callable[[dict[str, Any]], AnyPrior]] = {
    "masked": lambda config: Prior(PriorConfig.model_validate(config)),
    "stream": lambda config: StreamPrior(StreamConfig.model_validate(config)),
}


def build(config: dict[str, Any]) -> AnyPrior:
    """A prior of the kind that its configuration names; one that names none is masked.

    Raises:
        BadWeights: there is no such kind.
        ValidationError: the configuration is not that of its kind.
    """
    kind = config.get("kind", "masked")
    if kind not in KINDS:
        raise BadWeights(
            f"There is no prior of the kind {kind!r}. Update Patina, or install the pack again.",
            details=f"kinds: {', '.join(KINDS)}",
        )
    return KINDS[kind](config)
