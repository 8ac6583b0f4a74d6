"""The library: folders, a search, a grid of what was found, and what to do with it."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from collections import Counter
from pathlib import Path, PurePath

from bpy.types import Context, Panel, UILayout

from .. import compat, shelf
from ..library import PAGE, Found, Library
from ..link import disk
from ..words import mark, tr
from .details import Detail
from .text import paragraph

COLUMNS = 3
ICON_SCALE = 4.0  # in rows of buttons
SHOWN_TAGS = 6
LIGHT = {"lit": mark("lit"), "flat": mark("no light baked in")}
BADGES = {"lettering": mark("lettering"), "object": mark("object")}


class PATINA_PT_library(Detail, Panel):
    bl_idname = "PATINA_PT_library"
    bl_label = "Library"

    def draw(self, context: Context) -> None:
        layout, library = self.layout, shelf.library
        if library is None:
            return
        if library.message:
            paragraph(layout, context, library.message, icon="ERROR")
        if library.indexing is not None or library.mapping is not None:
            row = layout.row(align=True)
            compat.progress(row, context.window_manager.patina_library, "progress_value", library.status)
            row.operator("patina.library_cancel", text="", icon="X")
        if not library.known:
            layout.operator("patina.library_open", icon="ASSET_MANAGER")
            layout.operator("patina.library_add", icon="NEWFOLDER")
            return
        _draw_search(layout, context)
        for note in library.notes:
            paragraph(layout, context, note, icon="INFO")
        _draw_results(layout, library)
        found = library.chosen()
        if found is not None:
            _draw_chosen(layout, context, library, found)


class PATINA_PT_library_folders(Detail, Panel):
    bl_idname = "PATINA_PT_library_folders"
    bl_label = "Folders"
    bl_parent_id = "PATINA_PT_library"

    def draw(self, _context: Context) -> None:
        layout, library = self.layout, shelf.library
        if library is None:
            return
        column = layout.column(align=True)
        own = str(shelf.results_folder())
        names = _names(library.folders)
        for index, folder in enumerate(library.folders):
            row = column.row(align=True)
            mine = folder == own
            if mine:
                row.label(text="Patina's results", icon="FILE_FOLDER")
            else:
                row.label(text=disk.shown(names[folder]), translate=False, icon="FILE_FOLDER")
                row.operator("patina.library_remove", text="", icon="X").index = index
        row = layout.row(align=True)
        row.operator("patina.library_add", icon="NEWFOLDER")
        row.operator("patina.library_index", icon="FILE_REFRESH")
        layout.operator("patina.library_duplicates")


def _draw_search(layout: UILayout, context: Context) -> None:
    asked = context.window_manager.patina_library
    row = layout.row(align=True)
    compat.prop_with_hint(row, asked, "text", "Mossy bricks")
    row.operator("patina.library_search", text="", icon="VIEWZOOM")
    row = layout.row(align=True)
    title = row.row()
    title.ui_units_x = 2
    title.label(text="Tag")
    row.prop_search(asked, "tag", asked, "labels", text="", icon="BOOKMARKS")
    row.prop(asked, "seamless", text="", icon="MESH_GRID", toggle=True)


def _draw_results(layout: UILayout, library: Library) -> None:
    row = layout.row(align=True)
    if library.searching:
        row.label(text="Searching")
    else:
        row.label(
            text=tr(
                "{title}: {shown} of {textures}",
                title=tr(library.title),
                shown=len(library.results),
                textures=library.textures,
            )
        )
    if library.pages > 1:
        row.operator("patina.library_page", text="", icon="TRIA_LEFT").step = -1
        row.label(text=f"{library.page + 1}/{library.pages}")
        row.operator("patina.library_page", text="", icon="TRIA_RIGHT").step = 1
    grid = layout.grid_flow(row_major=True, columns=COLUMNS, even_columns=True, even_rows=True, align=False)
    before = library.page * PAGE
    for rank, found in enumerate(library.shown(), before + 1):
        cell = grid.column(align=True)
        cell.template_icon(icon_value=shelf.icon(found), scale=ICON_SCALE)
        line = cell.row(align=True)
        button = line.operator(
            "patina.library_choose",
            text=_caption(library, found, rank),
            translate=False,
            depress=found.key == library.selected,
        )
        button.key = found.key
        if found.badges.get("light") == "lit":
            line.label(text="", icon="LIGHT_SUN")


def _caption(library: Library, found: Found, rank: int) -> str:
    """A search tells the order alone: its scores say nothing by themselves, and are often below zero."""
    if found.key in library.copies:
        return tr("Set {number}", number=library.copies[found.key])
    return found.name if found.score is None else str(rank)


def _draw_chosen(layout: UILayout, context: Context, library: Library, found: Found) -> None:
    box = layout.box()
    box.label(text=found.name, translate=False)
    made = library.made.get(found.key)
    paragraph(box, context, "\n".join(_facts(found)))
    row = box.row(align=True)
    row.scale_y = 1.3
    row.operator("patina.library_apply")
    if found.lacking and not made:
        row.operator("patina.library_make_maps")
    column = box.column(align=True)
    row = column.row(align=True)
    row.operator("patina.library_use", text="Use as Start").kind = "START"
    row.operator("patina.library_use", text="Picture Prompt").kind = "PICTURE"
    row = column.row(align=True)
    row.operator("patina.library_more_like")
    row.operator("patina.library_mark_asset")


def _facts(found: Found) -> list[str]:
    """Tags, size, badges and maps, in words."""
    badges = found.badges
    facts = [tr("seamless" if badges.get("seamless") else "shows a seam"), f"{found.width} x {found.height}"]
    facts += [tr(LIGHT[badges["light"]])] if badges.get("light") in LIGHT else []
    facts += [tr(words) for name, words in BADGES.items() if badges.get(name) == "yes"]
    lines = [", ".join(map(tr, found.labels(SHOWN_TAGS))), ", ".join(facts)]
    if len(found.files) == 1:
        lines.append(tr("A picture without maps"))
    elif found.lacking:
        lines.append(tr("Lacks {maps}", maps=", ".join(found.lacking)))
    return [line for line in lines if line]


def _names(folders: list[str]) -> dict[str, str]:
    """What each path is called in a narrow sidebar: as much of its end as no other one has.

    Its last part, with its parent's where two are alike; all of it where that does not help.
    """
    endings = {folder: _endings(Path(folder)) for folder in folders}
    taken = Counter(ending for all_of_one in endings.values() for ending in all_of_one)
    return {
        folder: next((ending for ending in endings[folder] if taken[ending] == 1), folder)
        for folder in folders
    }


def _endings(path: PurePath) -> list[str]:
    """The last part, and the last two; those that there are, as a disk by itself has no name."""
    above = path.parent.name
    return [path.name] * bool(path.name) + [f"{above}/{path.name}"] * bool(above)


CLASSES = (PATINA_PT_library, PATINA_PT_library_folders)
