"""The one timer: lets the engine's news in, and copies them to where panels look."""

import atexit
import json
import logging
import time
from collections.abc import Callable

import bpy
from bpy.app.handlers import persistent

from . import images, packs, preferences, setup, verdict
from .link import EngineError, Preview, State
from .session import Session
from .words import tr

log = logging.getLogger(__name__)

BUSY_S, IDLE_S = 0.05, 1.0
PICTURES_S = 0.003  # a tick shows one more live picture while this time lasts

session: Session | None = None
mirrors: list[Callable[[], object]] = []  # called by every `mirror`: copies of their own
chores: list[Callable[[], bool]] = []  # of other modules: each does a little, and says if there is more
viewers: list[Callable[[Preview], None]] = []  # called with every live picture that is shown
watchers: list[Callable[[], bool]] = []  # called every turn until they return False
_nudged = False


def tick() -> float | None:
    """One turn. Returns the seconds to the next; None takes the timer down: there is nothing to watch."""
    global _nudged
    if session is None:
        return None
    _nudged, more = False, False
    try:
        changed = _poll_installer()
        changed = session.poll() or changed
        if _show_pictures() or changed:
            mirror()
        more = sum(chore() for chore in chores) > 0  # not any(): each of them has its turn
    except Exception as error:  # the timer's outermost frame: Blender would drop it, and the bar never move
        log.exception("the pump failed")
        session.give_up(EngineError("Patina hit a bug and stopped the run.", kind="bug", details=repr(error)))
        mirror()
    for watcher in tuple(watchers):
        if not watcher():
            watchers.remove(watcher)
        redraw()
    if not (session.engine.alive or setup.installation.running or more or watchers):
        return None
    busy = more or watchers or session.busy or setup.installation.running or packs.transfer.job is not None
    hurry = busy or session.engine.state in (State.STARTING, State.STOPPED)
    return BUSY_S if hurry else IDLE_S


def _poll_installer() -> bool:
    was, changed = setup.installation.running, setup.poll()
    if was and not setup.installation.running and setup.installation.failure is None:
        # Where there was no engine there may be one now: what was said about it is over.
        if session.error is not None and session.error.kind == "missing":
            session.error = None
        if session.engine.state is State.MISSING:
            session.engine.stop()
    return changed


def wake() -> None:
    """See to it that the timer runs, and soon: after anything that concerns the engine."""
    _take_down_timer()
    bpy.app.timers.register(tick, first_interval=BUSY_S, persistent=True)
    preferences.make_absolute()
    setup.refresh()  # preferences may have changed since the last press of a button
    mirror()


def nudge() -> None:
    """See to it that there is a tick soon. Unlike `wake` it may be called while a panel is drawn."""
    global _nudged
    if not _nudged:  # or frequent redraws would put it off for ever
        _take_down_timer()
        bpy.app.timers.register(tick, first_interval=BUSY_S, persistent=True)
        _nudged = True


def watch(watcher: Callable[[], bool]) -> None:
    """Have a function called every turn, as long as it returns True."""
    watchers.append(watcher)
    wake()


def mirror() -> None:
    """Copy the session to the window manager, and have the sidebars drawn."""
    if session is None:
        return
    state, engine, error = bpy.context.window_manager.patina, session.engine, session.error
    state.state = engine.state.value
    state.job, state.cancelling = session.busy, session.cancelling
    state.progress, state.status, state.live = session.progress, session.status, session.live
    state.device, state.version = engine.facts.device, engine.facts.version
    state.message, state.details = (error.message, error.details) if error else ("", "")
    state.setting = error.setting or "" if error else ""
    state.value = json.dumps(error.value) if error and error.setting else ""
    state.log_tail = "\n".join(engine.log_lines)
    state.warnings = "\n".join(map(tr, session.warnings))
    _mirror_results(state)
    setup.mirror()
    packs.mirror(engine.facts.packs)
    for copy in mirrors:
        copy()
    redraw()


def _mirror_results(state: bpy.types.PropertyGroup) -> None:
    state.unfinished = session.unfinished
    if state.finished != session.finished:
        state.finished = session.finished
        images.reload([result.key for result in session.results])  # a run that went on writes them again
        state.results.clear()
    if [item.key for item in state.results] != [result.key for result in session.results]:
        state.results.clear()
        for result in session.results:
            item = state.results.add()
            item.key = item.basecolor = result.key
            item.rank, item.judge_score, item.seam = result.rank, result.judge_score, result.seam
            item.tags, item.relief = ", ".join(tr(tag.label) for tag in result.tags), result.relief
            item.flaws = "\n".join(verdict.sentences(result))
            item.seed = str(result.seed)  # the engine's seeds are larger than Blender's integers
            images.later_icon(result.key)  # Blender decodes it beside its work, not in this frame
    state.selected = session.selected


def _show_pictures() -> bool:
    """Show what has come, the earliest variation first, for as long as a frame can bear."""
    shown, end = False, time.monotonic() + PICTURES_S
    while session.previews and time.monotonic() < end:
        variation = min(session.previews)
        preview = session.previews.pop(variation)
        for view in viewers:
            view(preview)
        if images.show_live(preview):
            shown, session.live = True, max(session.live, variation + 1)
    return shown


def _tile() -> bool:
    before = images.tiled()
    more = images.work()
    if images.tiled() != before:
        redraw()
    return more


def redraw() -> None:
    """Have the sidebars drawn."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "PREFERENCES":
                area.tag_redraw()
            elif area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()


def _take_down_timer() -> None:
    global _nudged
    _nudged = False
    if bpy.app.timers.is_registered(tick):
        bpy.app.timers.unregister(tick)


@persistent
def _file_loaded(*_: object) -> None:
    """A file brings its own window manager; the engine and its results belong to this Blender."""
    setup.refresh()
    mirror()


def close() -> None:
    """End the engine and the timer. Blender must not exit with a timer: 4.2 crashes, 4.5 hangs."""
    _take_down_timer()
    if session is not None:
        session.engine.close()


def register() -> None:
    global session
    session = Session(preferences.launch, preferences.places)
    chores.append(_tile)
    bpy.app.handlers.load_post.append(_file_loaded)
    atexit.register(close)


def unregister() -> None:
    global session
    close()
    chores.remove(_tile)
    watchers.clear()
    atexit.unregister(close)
    bpy.app.handlers.load_post.remove(_file_loaded)
    session = None
