"""The runs that wait, below the button that made them. Nothing where there are none."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from typing import Any

from bpy.types import Context, UILayout

from .. import queue_view
from ..words import tr
from .text import paragraph

SHOWN = 8


def draw_running(layout: UILayout, queue: Any) -> None:
    """What the run under way makes, above its bar: a bar has no room for it."""
    if queue.running:
        layout.label(text=_words(queue.running, queue.running_preset), translate=False, icon="PLAY")


def draw(layout: UILayout, context: Context) -> None:
    """The runs that wait or have failed, and how long it takes until all are done."""
    queue_view.ask()
    queue = context.window_manager.patina_queue
    _draw_left(layout, context, queue.left)
    if not len(queue.runs):
        return
    box = layout.box()
    box.label(text=queue.status or "Not done")
    column = box.column(align=True)
    for run in queue.runs[:SHOWN]:
        row = column.row(align=True)
        words = _words(run.title, run.preset)
        row.label(text=words, translate=False, icon="ERROR" if run.message else "TIME")
        if run.message:
            row.operator("patina.queue_retry", text="", icon="FILE_REFRESH").number = run.number
        row.operator("patina.queue_remove", text="", icon="X", emboss=False).number = run.number
    if len(queue.runs) > SHOWN:
        column.label(text=tr("and {count} more", count=len(queue.runs) - SHOWN), icon="BLANK1")
    row = box.row(align=True)
    if queue.held:
        row.operator("patina.queue_go_on")
    row.operator("patina.queue_clear")
    if queue.running:
        row.operator("patina.cancel_all")


def _draw_left(layout: UILayout, context: Context, count: int) -> None:
    """What an earlier Blender had still to do when it ended, be it by a crash."""
    if not count:
        return
    box = layout.box()
    words = tr(
        "1 prompt waited when Blender closed" if count == 1 else "{count} prompts waited when Blender closed",
        count=count,
    )
    paragraph(box, context, words, icon="INFO")
    row = box.row(align=True)
    row.operator("patina.queue_again")
    row.operator("patina.queue_forget_left")


def _words(title: str, preset: str) -> str:
    return f"{title} ({tr(preset)})" if preset else title
