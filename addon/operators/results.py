"""What can be done with the chosen variation, besides applying it."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from pathlib import Path

import bpy
from bpy.props import IntProperty, StringProperty
from bpy.types import Context, Operator

from .. import history_view, preferences, pump, results, seeds
from ..link import EngineError, disk
from ..queue import Run, work_of
from ..words import tr
from . import live, trouble


class OfChosen:
    """Something that needs a chosen variation with a sidecar."""

    @classmethod
    def poll(cls, _context: Context) -> bool:
        chosen = pump.session.chosen if pump.session is not None else None
        if chosen is None or chosen.sidecar is None:
            cls.poll_message_set("Generate a material first")
            return False
        return True

    def ask(
        self, method: str, params: dict, scale: int = 1, variations: int = 1, folder: Path | None = None
    ) -> set[str]:
        """Queue a run that goes on from the chosen variation or, in its folder, with the run that made it."""
        chosen = pump.session.chosen
        try:
            settings = results.content_of(chosen.sidecar)["settings"]
            if folder is None:
                settings = {**settings, "variations": variations}
            work = work_of(settings, scale)
            run = Run(
                method,
                params,
                preferences.device(),
                preferences.results_folder(),
                chosen.prompt,
                self.bl_label,
                work,
                folder=folder,
            )
            pump.session.enqueue(run)
        except results.DamagedError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        except EngineError as error:
            trouble.tell(self, error)
            return {"CANCELLED"}
        finally:
            pump.wake()
        if live.begin(bpy.context):
            bpy.ops.ed.undo_push(message="Show on Object")
        return {"FINISHED"}


class PATINA_OT_vary(OfChosen, Operator):
    bl_idname = "patina.vary"
    bl_label = "Vary"
    bl_description = "Make variations of the chosen variation: alike, and not the same"
    bl_options = {"REGISTER"}

    def execute(self, context: Context) -> set[str]:
        inputs, chosen = context.scene.patina, pump.session.chosen
        params = {
            "result": str(chosen.sidecar),
            "strength": round(context.window_manager.patina_queue.vary_strength, 3),
            "variations": inputs.variations,
            "seed": seeds.draw(),
        }
        return self.ask("vary", params, variations=inputs.variations)


class PATINA_OT_refine(OfChosen, Operator):
    bl_idname = "patina.refine"
    bl_label = "Refine"
    bl_description = "Go on working on the chosen variation, as large or twice as large"
    bl_options = {"REGISTER"}

    scale: IntProperty(
        name="Scale", description="1 keeps the size, 2 doubles width and height", default=1, min=1, max=2
    )

    def execute(self, _context: Context) -> set[str]:
        params = {"sidecar": str(pump.session.chosen.sidecar), "scale": self.scale}
        return self.ask("refine", params, self.scale)


class PATINA_OT_resume(OfChosen, Operator):
    bl_idname = "patina.resume"
    bl_label = "Go On"
    bl_description = "Go on with the run that was cancelled, to the end that it would have had"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, _context: Context) -> bool:
        session = pump.session
        if session is None or not session.unfinished:
            cls.poll_message_set("These results are of a run that was not cancelled")
            return False
        if session.queue.has(session.folder):
            cls.poll_message_set("This run goes on already, or waits for its turn")
            return False
        return super().poll(_context)

    def execute(self, _context: Context) -> set[str]:
        return self.ask("resume", {}, folder=pump.session.folder)


class PATINA_OT_star(OfChosen, Operator):
    bl_idname = "patina.star"
    bl_label = "Star"
    bl_description = (
        "Star this variation, or take its star away; what is starred is kept when others are deleted"
    )
    bl_options = {"INTERNAL"}

    key: StringProperty(name="File", description="The result's file; empty: the chosen variation")

    @classmethod
    def poll(cls, _context: Context) -> bool:
        return trouble.holds(cls, history_view.history is not None, trouble.OFF)

    def execute(self, _context: Context) -> set[str]:
        chosen = pump.session.chosen
        sidecar = Path(self.key) if self.key else chosen.sidecar if chosen else None
        history = history_view.history
        if sidecar is None or not disk.has_file(sidecar):
            self.report({"WARNING"}, "The files of this result are gone")
            return {"CANCELLED"}
        try:
            history.star(sidecar, not history.starred(sidecar))
        except OSError as error:
            self.report({"ERROR"}, tr("Cannot star this result: {reason}", reason=error.strerror))
            return {"CANCELLED"}
        pump.mirror()
        pump.nudge()
        return {"FINISHED"}


class PATINA_OT_save_as(OfChosen, Operator):
    bl_idname = "patina.save_as"
    bl_label = "Save Maps"
    bl_description = "Copy the maps of the chosen variation, and the file that describes it, into a folder"
    bl_options = {"REGISTER"}

    directory: StringProperty(name="Folder", description="Where the copies go", subtype="DIR_PATH")
    filter_folder: bpy.props.BoolProperty(
        name="Folders", description="Show folders", default=True, options={"HIDDEN"}
    )

    def invoke(self, context: Context, _event: bpy.types.Event) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, _context: Context) -> set[str]:
        folder = Path(bpy.path.abspath(self.directory))
        try:
            copied = results.copy_to(folder, pump.session.chosen)
        except results.DamagedError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        except OSError as error:
            self.report(
                {"ERROR"},
                tr("Cannot copy to {folder}: {reason}", folder=folder, reason=error.strerror or error),
            )
            return {"CANCELLED"}
        self.report({"INFO"}, tr("{count} files are in {folder}", count=len(copied), folder=folder))
        return {"FINISHED"}


class PATINA_OT_copy_prompt(OfChosen, Operator):
    bl_idname = "patina.copy_prompt"
    bl_label = "Copy Prompt"
    bl_description = "Copy the prompt of the chosen variation to the clipboard"
    bl_options = {"REGISTER"}

    def execute(self, context: Context) -> set[str]:
        context.window_manager.clipboard = pump.session.chosen.prompt
        return {"FINISHED"}


class PATINA_OT_reveal(OfChosen, Operator):
    bl_idname = "patina.reveal"
    bl_label = "Reveal in Folder"
    bl_description = "Show the folder with the files of the chosen variation"
    bl_options = {"REGISTER"}

    def execute(self, _context: Context) -> set[str]:
        folder = pump.session.chosen.sidecar.parent
        if not disk.has_folder(folder):
            self.report({"WARNING"}, "The files of this result are gone")
            return {"CANCELLED"}
        bpy.ops.wm.path_open(filepath=str(folder))
        return {"FINISHED"}


CLASSES = (
    PATINA_OT_vary,
    PATINA_OT_refine,
    PATINA_OT_resume,
    PATINA_OT_star,
    PATINA_OT_save_as,
    PATINA_OT_copy_prompt,
    PATINA_OT_reveal,
)
