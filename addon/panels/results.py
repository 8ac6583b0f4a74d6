"""The results: a ranked grid, the chosen one large, and what can be done with it."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from typing import Any

from bpy.types import Context, UILayout

from .. import images, tuning
from ..operators.run import SEAMLESS
from ..words import tr
from . import pressing
from .grid import SINGLE_SCALE, grid, scale
from .text import paragraph


def draw(layout: UILayout, context: Context) -> None:
    """Everything about the results of a run."""
    manager = context.window_manager
    state, queue = manager.patina, manager.patina_queue
    swappable = tuning.active(context.active_object) is not None
    _draw_grid(layout, state, swapping=queue.on_object and swappable)
    if state.warnings:
        paragraph(layout, context, state.warnings, icon="INFO")
    if state.unfinished:
        layout.operator("patina.resume", icon="PLAY")
    if state.selected < len(state.results):
        _draw_chosen(layout, context, state.results[state.selected], large=len(state.results) > 1)
    pressing.apply(layout, context)
    if swappable:
        _draw_compare(layout, queue, several=len(state.results) > 1)
    _draw_actions(layout, queue)


def _draw_grid(layout: UILayout, state: Any, *, swapping: bool) -> None:
    cells = grid(layout, len(state.results))
    for index, result in enumerate(state.results):
        cell = cells.column(align=True)
        cell.template_icon(icon_value=images.file_icon(result.basecolor), scale=scale(len(state.results)))
        row = cell.row(align=True)
        button = row.operator(
            "patina.compare" if swapping else "patina.select",
            text=f"{result.rank}:  {result.judge_score:.2f}",
            depress=index == state.selected,
        )
        button.index = index
        if result.seam <= SEAMLESS:
            row.label(text="", icon="MESH_GRID")  # as in the library
        if result.starred:
            row.label(text="", icon="SOLO_ON")


def _draw_chosen(layout: UILayout, context: Context, result: Any, *, large: bool) -> None:
    if large:
        layout.template_icon(icon_value=images.file_icon(result.basecolor), scale=SINGLE_SCALE)
    row = layout.row(align=True)
    seamless = result.seam <= SEAMLESS
    row.label(text=tr("Match {score:.2f}", score=result.judge_score))
    row.label(text="Seamless" if seamless else "Seam shows", icon="CHECKMARK" if seamless else "ERROR")
    star = row.operator(
        "patina.star", text="", icon="SOLO_ON" if result.starred else "SOLO_OFF", emboss=False
    )
    star.key = ""
    if result.tags:
        paragraph(layout, context, result.tags, icon="BOOKMARKS")
    if result.flaws:
        paragraph(layout, context, result.flaws, icon="ERROR")


def _draw_compare(layout: UILayout, queue: Any, *, several: bool) -> None:
    column = layout.column(align=True)
    if several:
        row = column.row(align=True)
        row.operator("patina.compare", text="", icon="TRIA_LEFT").step = -1
        row.prop(queue, "on_object", toggle=True)
        row.operator("patina.compare", text="", icon="TRIA_RIGHT").step = 1
    row = column.row(align=True)
    if queue.marked:
        words = tr("Swap with {result}", result=queue.marked)
        row.operator("patina.compare_swap", text=words, translate=False, icon="ARROW_LEFTRIGHT")
        row.operator("patina.compare_end", text="", icon="X")
    else:
        row.operator("patina.compare_with")


def _draw_actions(layout: UILayout, queue: Any) -> None:
    column = layout.column(align=True)
    if "vary" in queue.methods.split():
        row = column.row(align=True)
        row.operator("patina.vary")
        row.prop(queue, "vary_strength", text="")
    row = column.row(align=True)
    row.operator("patina.refine", text="Refine").scale = 1
    row.operator("patina.refine", text="Refine x2").scale = 2
    row = column.row(align=True)
    row.operator("patina.save_as", text="Save As", icon="FILE_TICK")
    row.operator("patina.copy_prompt", text="", icon="COPYDOWN")
    row.operator("patina.reveal", text="", icon="FILE_FOLDER")
