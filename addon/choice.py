"""What holds for a scene: the artist's own values, and until they are touched, those of the preset."""

from typing import Any

from . import presets
from .properties import plain

MATERIAL = ("tile_size", "normal_strength", "displacement", "mapping")
OF_THE_PANEL = ("prompt", "negative", "preset", "variations", "width", "height", "tile", "seed")
"""What a request always takes from the panel, whatever a preset says."""


def preset_of(inputs: Any) -> presets.Preset | None:
    """The scene's preset; the plain one where its own is gone."""
    return presets.of(inputs.preset)


def material_by_preset(inputs: Any) -> dict[str, Any]:
    """Map settings that the preset chooses, as the artist has never touched theirs."""
    preset = preset_of(inputs)
    chosen = preset.material.items() if preset else ()
    return {
        name: value
        for name, value in chosen
        if name in MATERIAL and value is not None and not inputs.is_property_set(name)
    }


def relief_by_preset(inputs: Any) -> dict[str, float]:
    """The relief that the preset chooses, as the artist does not; empty where neither does."""
    preset = preset_of(inputs)
    value = preset.settings.get("relief") if preset and not inputs.use_relief else None
    return {} if value is None else {"relief": value}


def material_value(inputs: Any, name: str) -> Any:
    """A map setting as it holds: the artist's, else the preset's, else the default."""
    return material_by_preset(inputs).get(name, getattr(inputs, name))


def as_preset(
    inputs: Any, label: str, description: str, words: str, settings: dict[str, Any]
) -> dict[str, Any]:
    """The content of a preset file that gives what the scene gives now.

    Args:
        inputs: of the scene.
        label: what it is called.
        description: what it is for.
        words: what is put around every prompt, which {} stands for.
        settings: what the scene asks the engine for; the values of its own preset are added where they hold.
    """
    base = preset_of(inputs)
    known = inputs.bl_rna.properties
    kept = dict(base.settings) if base else {}
    for name, value in settings.items():
        is_default = name != "relief" and value == plain(known[name].default)
        if name not in OF_THE_PANEL and (name in kept or not is_default):
            kept[name] = value
    material = {name: plain(material_value(inputs, name)) for name in MATERIAL}
    return {
        "format": 1,
        "label": label,
        "description": description,
        "group": base.group if base else "general",
        "example": inputs.prompt.strip(),
        "templates": [template.replace("{}", words) for template in (base.templates if base else ("{}",))],
        "negative": inputs.negative.strip() or (base.negative if base else ""),
        "settings": kept,
        "material": {name: v for name, v in material.items() if v != plain(known[name].default)},
    }
