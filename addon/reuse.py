"""A result's settings back into the panel."""

from collections.abc import Callable
from typing import Any

from . import presets, properties, quality, sources, starting

FILES = ("mask", "palette", "spots", "overlay", "alpha", "towards")
BEFORE = {"quality": "normal", "candidates": 1, "coarse": False}
"""Of results that were made before there were these settings."""


def take(inputs: Any, settings: dict[str, Any]) -> list[str]:
    """Set all that the panel has of a result's settings, and lock its seed. Returns what it could not set.

    What the preset, the quality or the default would give is not set but left to them, so that a later change
    of these does what it says.
    """
    settings = {**BEFORE, **settings}
    missing = [name for name in FILES if settings.get(name)]
    usual = _usual(settings)
    for name, value in settings.items():
        rna = inputs.bl_rna.properties.get(name)
        if rna is None or name in {"rna_type", "name", "size"}:
            continue
        if value is None or (name in properties.FILLED and value == usual(name, rna.default)):
            inputs.property_unset(name)
        elif not _set(inputs, name, value):
            missing.append(name)
    inputs.use_relief = settings.get("relief") is not None
    inputs.lock_seed = "seed" not in missing
    starting.take(inputs.id_data, settings)
    sources.take(inputs.id_data, settings)
    return missing


def _usual(settings: dict[str, Any]) -> Callable[[str, Any], Any]:
    """What a setting is where nobody touches it, by name and default."""
    preset = presets.load_all().get(str(settings.get("preset")))
    size = int(settings.get("width", 0)), int(settings.get("height", 0))
    by_quality = quality.filled(str(settings["quality"]), *size)
    given = {**by_quality, **(preset.settings if preset else {})}
    return lambda name, default: given.get(name, properties.plain(default))


def _set(inputs: Any, name: str, value: Any) -> bool:
    try:
        properties.set_by_name(inputs, name, value)
    except (TypeError, ValueError, AttributeError, OverflowError):
        return False  # a preset that is gone, a seed larger than Blender's integers
    return name == "coarse" or properties.plain(getattr(inputs, name)) == value
