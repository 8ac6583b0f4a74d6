"""Results of any session: take one up again, reuse its settings, delete."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from pathlib import Path

from bpy.props import IntProperty, StringProperty
from bpy.types import Context, Event, Operator

from .. import comparing, compat, history_view, packs, preferences, pump, results, reuse, textures
from ..history import Entry
from ..words import mark, tr
from . import folders, trouble


def used(entry: Entry, files: set[str]) -> bool:
    """Whether one of a result's maps is among the files; see `textures.in_use`."""
    return any(textures.place(path) in files for path in entry.result.files.values())


def what_goes(entries: list[Entry]) -> list[str]:
    """What somebody should know who is about to delete results, line by line."""
    much = packs.size(sum(results.size_of(entry.sidecar, entry.facts) for entry in entries))
    one = len(entries) == 1
    return [
        tr("1 result, {size}" if one else "{count} results, {size}", count=len(entries), size=much),
        tr("Other .blend files that use them lose their textures"),
        tr("This cannot be undone"),
    ]


class Deleting:
    """Asks before it deletes, and says how much and what that does to other files."""

    said: tuple[str, ...] = ()

    def doomed(self) -> list[Entry]:
        """What would be deleted."""
        raise NotImplementedError

    def invoke(self, context: Context, _event: Event) -> set[str]:
        entries = self.doomed()
        if not entries:
            return self.execute(context)  # says why there is nothing to delete
        self.said = tuple(what_goes(entries))
        return compat.ask(self, context.window_manager, mark("Delete"))

    def draw(self, _context: Context) -> None:
        for number, line in enumerate(self.said):
            self.layout.label(text=line, translate=False, icon="BLANK1" if number else "TRASH")


UNCLICKED = "patina_unclicked"
"""What the panel puts into the context of buttons that act on the clicked result, while there is none.

A poll sees the context alone: not which result a button is for.
"""


class OfHistory:
    """Something about one result of the history."""

    key: StringProperty(name="File", description="The file that describes the result", options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: Context) -> bool:
        unclicked = getattr(context, UNCLICKED, None) is not None
        return trouble.holds(cls, history_view.history is not None, trouble.OFF) and trouble.holds(
            cls, not unclicked, "Click one of these results first"
        )

    def entry(self) -> Entry | None:
        """The result; without one, says so."""
        found = history_view.history.entry(self.key)
        if found is None:
            self.report({"WARNING"}, "This result is gone")
        return found


class PATINA_OT_history_show(OfHistory, Operator):
    bl_idname = "patina.history_show"
    bl_label = "Show Result"
    bl_description = "Show this result above, with the others of its run, to apply, vary or refine it"
    bl_options = {"INTERNAL"}

    def execute(self, _context: Context) -> set[str]:
        entry = self.entry()
        if entry is None:
            return {"CANCELLED"}
        run = history_view.history.run_of(self.key)
        pump.session.show([other.result for other in run], run.index(entry), entry.sidecar.parent)
        pump.mirror()
        return {"FINISHED"}


class PATINA_OT_history_reuse(OfHistory, Operator):
    bl_idname = "patina.history_reuse"
    bl_label = "Reuse Settings"
    bl_description = (
        "Set prompt, preset, seed and all other settings as they were for this result, and lock the seed"
    )
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: Context) -> set[str]:
        try:
            settings = results.content_of(Path(self.key))["settings"]
        except results.DamagedError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        missing = reuse.take(context.scene.patina, settings)
        if missing:
            self.report(
                {"WARNING"}, tr("The panel cannot have the result's {settings}", settings=", ".join(missing))
            )
        return {"FINISHED"}


class PATINA_OT_history_delete(Deleting, OfHistory, Operator):
    bl_idname = "patina.history_delete"
    bl_label = "Delete Result"
    bl_description = "Delete the files of this result from the disk; this cannot be undone"
    bl_options = {"REGISTER"}

    def doomed(self) -> list[Entry]:
        entry = history_view.history.entry(self.key)
        return [] if entry is None or used(entry, textures.in_use()) else [entry]

    def execute(self, _context: Context) -> set[str]:
        entry = self.entry()
        if entry is None:
            return {"CANCELLED"}
        if not self.doomed():
            self.report({"ERROR"}, "A material of this file uses this result: remove it first")
            return {"CANCELLED"}
        _delete([entry], spare_starred=False)
        return {"FINISHED"}


class PATINA_OT_history_delete_unstarred(Deleting, Operator):
    bl_idname = "patina.history_delete_unstarred"
    bl_label = "Delete All but Starred"
    bl_description = (
        "Delete the files of all results without a star from the disk, other sessions' included; "
        "what this file uses stays. This cannot be undone"
    )
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, _context: Context) -> bool:
        history = history_view.history
        if history is None or history.scanning or not history.begun:
            cls.poll_message_set("Results are still being found")
            return False
        if not len(history):
            cls.poll_message_set("There are no results")
            return False
        return True

    def doomed(self) -> list[Entry]:
        files = textures.in_use()
        return [entry for entry in history_view.history.unstarred() if not used(entry, files)]

    def execute(self, _context: Context) -> set[str]:
        history, doomed = history_view.history, self.doomed()
        if not doomed and history.unstarred():
            self.report({"INFO"}, "The open file uses all results without a star: none is deleted")
            return {"CANCELLED"}
        _delete(doomed, spare_starred=True)
        self.report(
            {"INFO"}, tr("{gone} results are deleted, {kept} stay", gone=len(doomed), kept=len(history))
        )
        return {"FINISHED"}


def _delete(entries: list[Entry], *, spare_starred: bool) -> None:
    history_view.history.delete(entries, spare_starred=spare_starred)
    gone = {entry.sidecar for entry in entries}
    session = pump.session
    session.marked = comparing.without(session.marked, gone)
    kept = [result for result in session.results if result.sidecar not in gone]
    if len(kept) < len(session.results):
        session.show(kept, min(session.selected, max(0, len(kept) - 1)), session.folder)
    pump.mirror()
    pump.nudge()


class PATINA_OT_history_page(Operator):
    bl_idname = "patina.history_page"
    bl_label = "Turn Page"
    bl_description = "Show more results of this prompt"
    bl_options = {"INTERNAL"}

    step: IntProperty(name="Step", description="1 on, -1 back", default=1, options={"SKIP_SAVE"})

    def execute(self, context: Context) -> set[str]:
        shown = context.window_manager.patina_history
        shown.page = min(max(0, shown.page + self.step), shown.pages - 1)
        return {"FINISHED"}


class PATINA_OT_history_refresh(Operator):
    bl_idname = "patina.history_refresh"
    bl_label = "Look Again"
    bl_description = "Look for results in the folder again, such as those of another Blender"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, _context: Context) -> bool:
        return trouble.holds(cls, history_view.history is not None, trouble.OFF)

    def execute(self, _context: Context) -> set[str]:
        history_view.refresh()
        return {"FINISHED"}


class PATINA_OT_history_folder(Operator):
    bl_idname = "patina.history_folder"
    bl_label = "Open Folder"
    bl_description = "Show the folder with the results of all sessions"
    bl_options = {"REGISTER"}

    def execute(self, _context: Context) -> set[str]:
        return folders.show(self, preferences.results_folder())


CLASSES = (
    PATINA_OT_history_show,
    PATINA_OT_history_reuse,
    PATINA_OT_history_delete,
    PATINA_OT_history_delete_unstarred,
    PATINA_OT_history_page,
    PATINA_OT_history_refresh,
    PATINA_OT_history_folder,
)
