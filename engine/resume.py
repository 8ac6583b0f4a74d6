"""The parameters of `resume`: go on with a run that was stopped, to the end that it would have had."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine import checkpoint, presets
from engine.errors import InvalidRequest
from engine.params import Delivery, resolve as resolve_generate
from engine.settings import RunSettings


def resolve(params: Mapping[str, Any], folder: Path = presets.FOLDER) -> tuple[RunSettings, Delivery]:
    """The settings of the run whose folder this is.

    Args:
        params: fields of Delivery, of which `folder` must be there: that of the run.
        folder: where the preset files are.

    Raises:
        InvalidRequest: nothing is there to go on with, or a picture that the run began with is another one.
    """
    place = params.get("folder")
    if not isinstance(place, str) or not Path(place).is_absolute():
        raise InvalidRequest("'folder' must be the absolute path of a run's folder.", field="folder")
    unknown = [name for name in params if name not in Delivery.model_fields]
    if unknown:
        raise InvalidRequest(f"A run goes on with its own {unknown[0]!r}: leave it out.", field=unknown[0])
    settings = checkpoint.about(Path(place))["settings"]
    return resolve_generate({**settings, **params, "resume": True}, folder)
