"""Pictures side by side."""

from bpy.types import UILayout

TILE_SCALE = 5.0  # icons in the grid, in rows of buttons
SINGLE_SCALE = 9.0


def grid(layout: UILayout, count: int) -> UILayout:
    """Cells for so many pictures."""
    columns = 1 if count == 1 else 2
    return layout.grid_flow(row_major=True, columns=columns, even_columns=True, even_rows=True, align=False)


def scale(count: int) -> float:
    """Of each of so many pictures."""
    return SINGLE_SCALE if count == 1 else TILE_SCALE
