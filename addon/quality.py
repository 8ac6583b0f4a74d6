"""What a quality fills of the settings that nobody has touched, as the engine does. No bpy.

The engine fills them: this is for panels to show, and a test holds it against engine/quality.py.
"""

from typing import Any

DEFAULT = "normal"
QUALITIES: dict[str, dict[str, Any]] = {
    "draft": {"steps": 4, "cutouts": 4, "proposals": 2, "judge_views": 8},
    "normal": {},
    "best": {"steps": 18, "cutouts": 12, "proposals": 8, "judge_views": 32, "candidates": 4},
}
LARGE_PX = 512
HALVES_PX = 32
SMALLEST_PX = 128


def filled(quality: str, width: int, height: int) -> dict[str, Any]:
    """What a quality sets where neither the artist nor the preset does; an unknown one, as normal."""
    return {**QUALITIES.get(quality, {}), "coarse": is_coarse(width, height)}


def is_coarse(width: int, height: int) -> bool:
    """Whether the engine begins at half the size when left to choose."""
    halves = all(side % HALVES_PX == 0 and side >= 2 * SMALLEST_PX for side in (width, height))
    return halves and max(width, height) >= LARGE_PX
