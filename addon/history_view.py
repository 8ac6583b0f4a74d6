"""What panels draw of the history: a page of it, copied to the window manager by the pump alone.

The panel notes in `wanted` what it would like to show, and the next tick sees to it: neither drawing nor a
property's callback may look through thousands of results.
"""

import itertools
import os
import time
from pathlib import Path

import bpy
from bpy.props import BoolProperty, CollectionProperty, IntProperty, PointerProperty, StringProperty
from bpy.types import PropertyGroup

from . import compat, images, paths, preferences, pump, textures
from .history import Entry, Group, History

SLICE_S = 0.002  # of a tick: less than a frame, with what else a tick does
MIRROR_EVERY_S = 0.3  # while a scan finds more with every tick
MAX_GROUPS = 100  # more are found by searching
PAGE = 12  # thumbnails at once

history: History | None = None
_shown: tuple | None = None
_asked = False
_noted: tuple[Path | None, int] = (None, 0)
_next = 0.0
_stamps = itertools.count(1)


class PatinaPrompt(PropertyGroup):
    """The results of one prompt. Its name is the prompt."""

    count: IntProperty(name="Results", description="How many results there are")
    starred: BoolProperty(name="Starred", description="Whether one of them is starred")


class PatinaPast(PropertyGroup):
    """One result of any session."""

    key: StringProperty(name="File", description="The file that describes the result")
    basecolor: StringProperty(name="Picture", description="The result's base colour")
    score: StringProperty(name="Score", description="How well it matches its prompt")
    starred: BoolProperty(name="Starred", description="Whether it is kept when the others are deleted")


class PatinaHistory(PropertyGroup):
    """The history's panel. In the window manager, and of no file's concern."""

    search: StringProperty(
        name="Search",
        description="Show only results with these words in prompt, Avoid, preset or tags",
        options={"TEXTEDIT_UPDATE"},
    )
    starred_only: BoolProperty(name="Starred Only", description="Show only results that are starred")
    prompts: CollectionProperty(name="Prompts", description="The prompts that were found", type=PatinaPrompt)
    active: IntProperty(name="Prompt", description="The prompt whose results are shown")
    page: IntProperty(name="Page", description="Which of the prompt's results are shown", min=0)
    pages: IntProperty(name="Pages", description="How many pages of results the prompt has", min=1, default=1)
    results: CollectionProperty(name="Results", description="A page of the prompt's results", type=PatinaPast)
    total: IntProperty(name="Results", description="How many results there are in all")
    found: IntProperty(name="Found", description="How many prompts were found")
    damaged: IntProperty(name="Damaged", description="Results that cannot be read")
    undeleted: IntProperty(name="Not Deleted", description="Results that could not be deleted from the disk")
    scanning: BoolProperty(name="Scanning", description="Whether results are still being found")
    stamp: StringProperty(name="Stamp", description="When this was copied: a file brings an older copy")


def wanted() -> tuple:
    """All that the panel's content depends on."""
    shown = bpy.context.window_manager.patina_history
    revision = history.revision if history is not None else 0
    return shown.active, shown.page, shown.search, shown.starred_only, shown.stamp, revision


def ask() -> None:
    """Called while the panel is drawn: have what it wants made ready, if it is not."""
    global _asked
    if history is not None and (not history.begun or wanted() != _shown):
        _asked = True
        pump.nudge()


def work() -> bool:
    """A slice of the pump's tick. True while there is more to do."""
    global _next
    if not (_asked or history.begun):
        return False  # nobody has looked
    if not history.begun:
        history.scan()
    more = history.advance(SLICE_S)
    if wanted() != _shown and (not more or time.monotonic() >= _next):
        _next = time.monotonic() + MIRROR_EVERY_S
        mirror()
        pump.redraw()
    return more


def refresh() -> None:
    """Look through the folders again."""
    history.scan()
    pump.nudge()


def follow() -> None:
    """With the pump's mirror: look where a run has written, and whether its results are starred."""
    global _noted
    session, state = pump.session, bpy.context.window_manager.patina
    if session.folder is not None and (session.folder, session.finished) != _noted:
        _noted = session.folder, session.finished
        history.note(session.folder)
        history.look_for_stars(result.sidecar for result in session.results if result.sidecar is not None)
    for item, result in zip(state.results, session.results, strict=False):
        item.starred = history.starred(result.sidecar)


def mirror() -> None:
    """Copy the groups that are wanted, and a page of the active one's results."""
    global _shown
    shown = bpy.context.window_manager.patina_history
    groups = history.groups(shown.search, starred_only=shown.starred_only)
    shown.found, shown.total = len(groups), len(history)
    shown.damaged, shown.scanning = history.damaged, history.scanning
    shown.undeleted = history.undeleted
    shown.stamp = f"{os.getpid()} {next(_stamps)}"
    groups = groups[:MAX_GROUPS]
    _keep_active(shown, groups)
    _fill_prompts(shown, groups)
    _fill_results(shown, groups[shown.active].entries if groups else [])
    _shown = wanted()


def _keep_active(shown: PatinaHistory, groups: list[Group]) -> None:
    """Stay with the active prompt when others come before it; a page is of the prompt it was turned in."""
    before = [item.name for item in shown.prompts]
    prompts = [group.prompt for group in groups]
    moved = _shown is not None and _shown[0] != shown.active  # the artist has clicked another
    if not moved and shown.active < len(before) and before[shown.active] in prompts:
        shown.active = prompts.index(before[shown.active])
    else:
        shown.active = max(0, min(shown.active, len(prompts) - 1))
        shown.page = 0


def _fill_prompts(shown: PatinaHistory, groups: list[Group]) -> None:
    shown.prompts.clear()
    for group in groups:
        item = shown.prompts.add()
        item.name, item.count = group.prompt, len(group.entries)
        item.starred = any(history.starred(entry.sidecar) for entry in group.entries)


def _fill_results(shown: PatinaHistory, entries: list[Entry]) -> None:
    shown.pages = max(1, -(-len(entries) // PAGE))
    shown.page = min(shown.page, shown.pages - 1)
    shown.results.clear()
    for entry in entries[shown.page * PAGE : (shown.page + 1) * PAGE]:
        item = shown.results.add()
        item.key, item.basecolor = entry.key, entry.result.key
        item.score, item.starred = f"{entry.result.judge_score:.2f}", history.starred(entry.sidecar)
        images.later_icon(item.basecolor)


def _folders() -> list[Path]:
    """The chosen one first, then where results go without one, then where they went before.

    That was in the folder of each version of Blender.
    """
    before = compat.writable_folder() / "results"
    folders = [preferences.results_folder(), paths.results(), before, *paths.in_other_versions(before)]
    once: dict[str, Path] = {}
    for folder in folders:
        once.setdefault(textures.place(folder), folder)
    return list(once.values())


CLASSES = (PatinaPrompt, PatinaPast, PatinaHistory)


def register() -> None:
    global history, _shown, _asked, _noted
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.WindowManager.patina_history = PointerProperty(type=PatinaHistory)
    history, _shown, _asked, _noted = History(_folders), None, False, (None, 0)
    pump.chores.append(work)
    pump.mirrors.append(follow)


def unregister() -> None:
    global history
    pump.chores.remove(work)
    pump.mirrors.remove(follow)
    history = None
    del bpy.types.WindowManager.patina_history
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
