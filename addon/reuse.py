"""A result's settings back into the panel."""

from typing import Any

from . import presets, properties

FILES = ("image", "mask", "pictures", "palette", "spots", "overlay", "alpha")


def take(inputs: Any, settings: dict[str, Any]) -> list[str]:
    """Set all that the panel has of a result's settings. Returns what it could not set, by name.

    What the preset or the default would give is not set but left to them, so that a later change of the
    preset does what it says.
    """
    missing = [name for name in FILES if settings.get(name) and name not in inputs.bl_rna.properties]
    preset = presets.load_all().get(str(settings.get("preset")))
    given = preset.settings if preset else {}
    for name, value in settings.items():
        rna = inputs.bl_rna.properties.get(name)
        if rna is None or name in {"rna_type", "name", "size"}:
            continue
        usual = given.get(name, properties.plain(rna.default)) if name in properties.ADVANCED else None
        if value is None or value == usual:
            inputs.property_unset(name)
        elif not _set(inputs, name, value):
            missing.append(name)
    inputs.use_relief = settings.get("relief") is not None
    return missing


def _set(inputs: Any, name: str, value: Any) -> bool:
    try:
        properties.set_by_name(inputs, name, value)
    except (TypeError, ValueError, AttributeError, OverflowError):
        return False  # a preset that is gone, a seed larger than Blender's integers
    return properties.plain(getattr(inputs, name)) == value
