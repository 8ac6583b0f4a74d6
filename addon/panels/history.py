"""The history's panel: prompts to search through, and the results of one of them."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from typing import Any

from bpy.types import Context, Panel, UILayout, UIList

from .. import history_view, images
from ..operators.history import UNCLICKED
from ..words import tr
from .details import Detail
from .grid import TILE_SCALE

ROWS = 5
COLUMNS = 3


class PATINA_UL_prompts(UIList):
    bl_idname = "PATINA_UL_prompts"

    def draw_item(
        self,
        _context: Context,
        layout: UILayout,
        _data: Any,
        item: Any,
        _icon: int,
        _active_data: Any,
        _active_property: str,
        _index: int = 0,
        _flag: int = 0,
    ) -> None:
        row = layout.row(align=True)
        row.label(text=item.name, translate=False, icon="SOLO_ON" if item.starred else "BLANK1")
        count = row.row()
        count.alignment = "RIGHT"
        count.label(text=str(item.count))


class PATINA_PT_history(Detail, Panel):
    bl_idname = "PATINA_PT_history"
    bl_label = "History"

    def draw(self, context: Context) -> None:
        layout, shown = self.layout, context.window_manager.patina_history
        history_view.ask()
        row = layout.row(align=True)
        row.prop(shown, "search", text="", icon="VIEWZOOM")
        row.prop(shown, "starred_only", text="", icon="SOLO_ON" if shown.starred_only else "SOLO_OFF")
        row.operator("patina.history_refresh", text="", icon="FILE_REFRESH")
        if len(shown.prompts):
            layout.template_list("PATINA_UL_prompts", "", shown, "prompts", shown, "active", rows=ROWS)
            _draw_results(layout, context, shown)
        layout.label(text=_sentence(shown))
        row = layout.row(align=True)
        row.operator("patina.history_delete_unstarred")
        row.operator("patina.history_folder", text="", icon="FILE_FOLDER")


def _draw_results(layout: UILayout, context: Context, shown: Any) -> None:
    state = context.window_manager.patina
    chosen = state.results[state.selected].basecolor if state.selected < len(state.results) else ""
    columns = min(COLUMNS, max(len(shown.results), 1))
    cells = layout.grid_flow(row_major=True, columns=columns, even_columns=True, even_rows=True, align=False)
    scale = TILE_SCALE * 2 / max(columns, 2)
    for item in shown.results:
        cell = cells.column(align=True)
        cell.template_icon(icon_value=images.file_icon(item.basecolor), scale=scale)
        row = cell.row(align=True)
        button = row.operator("patina.history_show", text=item.score, depress=item.basecolor == chosen)
        button.key = item.key
        star = row.operator("patina.star", text="", icon="SOLO_ON" if item.starred else "SOLO_OFF")
        star.key = item.key
    if shown.pages > 1:
        row = layout.row(align=True)
        row.operator("patina.history_page", text="", icon="TRIA_LEFT").step = -1
        row.label(text=tr("Page {page} of {pages}", page=shown.page + 1, pages=shown.pages))
        row.operator("patina.history_page", text="", icon="TRIA_RIGHT").step = 1
    current = next((item.key for item in shown.results if item.basecolor == chosen), "")
    row = layout.row(align=True)
    if not current:
        row.context_pointer_set(UNCLICKED, shown)  # greys the two, and has them say why
    row.operator("patina.history_reuse").key = current
    row.operator("patina.history_delete", text="", icon="TRASH").key = current


def _sentence(shown: Any) -> str:
    facts = [tr("{count} results", count=shown.total)]
    if shown.found > len(shown.prompts):
        facts.append(tr("{shown} of {found} prompts shown", shown=len(shown.prompts), found=shown.found))
    if shown.damaged:
        facts.append(tr("{count} unreadable", count=shown.damaged))
    if shown.undeleted:
        facts.append(tr("{count} cannot be deleted", count=shown.undeleted))
    if shown.scanning:
        facts.append(tr("still looking"))
    return ", ".join(facts)


CLASSES = (PATINA_UL_prompts, PATINA_PT_history)
