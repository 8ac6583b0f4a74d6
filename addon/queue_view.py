"""What panels draw of the queue, and of what can be done with the chosen result. Copied by the pump alone."""

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)
from bpy.types import PropertyGroup

from . import kept_queue, paths, pump
from .queue import Run
from .session import Result, time_left
from .words import tr

keeper: kept_queue.Keeper | None = None
left: list[kept_queue.Left] = []  # by Blenders that are gone
_looked = False  # for them


class PatinaQueued(PropertyGroup):
    """A run that waits, or one that failed."""

    number: IntProperty(name="Number", description="Names the run")
    title: StringProperty(name="Prompt", description="What the run makes")
    preset: StringProperty(name="Preset", description="The preset of the run")
    message: StringProperty(name="Message", description="Why the run failed; empty while it waits")


class PatinaQueue(PropertyGroup):
    """The queue, and what the artist chose to do with results. In the window manager."""

    runs: CollectionProperty(name="Runs", description="The runs that wait or have failed", type=PatinaQueued)
    running: StringProperty(name="Running", description="What the run under way makes")
    running_preset: StringProperty(name="Preset", description="The preset of the run under way")
    status: StringProperty(name="Queue", description="How many runs wait, and how long they take")
    left: IntProperty(name="Left", description="Prompts that waited when an earlier Blender closed")
    held: BoolProperty(name="Held", description="The queue waits for the engine to be restarted")
    methods: StringProperty(name="Methods", description="What the engine can do")
    live_on_object: BoolProperty(name="Show While Made", description="Whether the run is shown on an object")
    on_object: BoolProperty(
        name="Swap on Object",
        description="Choosing another variation shows it on the active object at once, "
        "in place of the variation that its material shows",
        default=False,
    )
    marked: StringProperty(name="Compared", description="The result that the chosen one is compared with")
    vary_strength: FloatProperty(
        name="Vary By",
        description="How far a variation may go from its original",
        default=0.4,
        min=0.05,
        max=1,
        subtype="FACTOR",
    )


def ask() -> None:
    """Called while the panel is drawn: have it looked for what earlier Blenders left, once."""
    if not _looked:
        pump.nudge()


def work() -> bool:
    """The pump's part of that. Not when Blender starts, which would wait for a slow disk."""
    global _looked
    if not _looked:
        _looked = True
        left[:] = keeper.left()
        mirror()
        pump.redraw()
    return False


def mirror() -> None:
    """Copy the queue to the window manager."""
    session, shown = pump.session, bpy.context.window_manager.patina_queue
    queue = session.queue
    wanted = [(run.number, run.title, run.preset, "") for run in queue.waiting]
    wanted += [(lost.run.number, lost.run.title, lost.run.preset, lost.message) for lost in queue.lost]
    if [(item.number, item.message) for item in shown.runs] != [(run[0], run[3]) for run in wanted]:
        shown.runs.clear()
        for run in wanted:
            item = shown.runs.add()
            item.number, item.title, item.preset, item.message = run
    shown.running = queue.running.title if queue.running is not None else ""
    shown.running_preset = queue.running.preset if queue.running is not None else ""
    shown.held = queue.held and bool(queue.waiting)
    shown.status = _status(len(queue.waiting), queue.seconds_left(session.seconds_left))
    shown.left = sum(len(item.runs) for item in left)
    keeper.keep(queue)
    shown.marked = _title(session.marked.result) if session.marked is not None else ""
    shown.methods = " ".join(session.engine.facts.methods)


def _title(result: Result) -> str:
    return f"{result.rank}: {result.prompt}"


def _status(waiting: int, seconds: float | None) -> str:
    if not waiting:
        return ""
    if seconds is None:
        return tr("{count} waiting", count=waiting)
    return tr("{count} waiting, {time} for all", count=waiting, time=time_left(seconds))


def claim() -> list[Run]:
    """The prompts that earlier Blenders left, now ours: each is had once, in whichever Blender.

    The next `mirror` writes them to our own file, and removes theirs.
    """
    runs = [run for item in left if keeper.claim(item) for run in item.runs]
    left.clear()
    return runs


CLASSES = (PatinaQueued, PatinaQueue)


def register() -> None:
    global keeper, _looked
    keeper, _looked = kept_queue.Keeper(paths.home() / "queue"), False
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.WindowManager.patina_queue = PointerProperty(type=PatinaQueue)
    pump.mirrors.append(mirror)
    pump.chores.append(work)


def unregister() -> None:
    keeper.close()
    left.clear()
    pump.chores.remove(work)
    pump.mirrors.remove(mirror)
    del bpy.types.WindowManager.patina_queue
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
