"""Starting, stopping and repeating a run."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

import json

import bpy
from bpy.props import IntProperty
from bpy.types import Context, Operator, OperatorProperties

from .. import preferences, presets, prompts, properties, pump, seeds, starting
from ..link import EngineError
from ..queue import work_of
from ..remedies import RefusedError, refusal
from ..words import tr
from . import live, trouble

SEAMLESS = 1.25  # the step across the wrap, in units of the strongest steps inside; as the engine has it


class PATINA_OT_generate(Operator):
    bl_idname = "patina.generate"
    bl_label = "Generate"
    bl_description = "Make variations of the surface that the prompt describes"
    bl_options = {"REGISTER"}  # starts a job: it pushes an undo step for the little it changes

    @classmethod
    def poll(cls, context: Context) -> bool:
        if not context.scene.patina.prompt.strip():
            cls.poll_message_set("Describe a surface first")
            return False
        if refused := refusal(starting.check, context.scene, context.active_object):
            cls.poll_message_set(str(refused))
            return False
        return trouble.holds(cls, pump.session is not None, trouble.OFF)

    @classmethod
    def description(cls, _context: Context, _operator: OperatorProperties) -> str:
        busy = pump.session is not None and pump.session.busy
        what = tr(cls.bl_description)
        return tr("{what}, after the run that is under way", what=what) if busy else what

    def execute(self, context: Context) -> set[str]:
        inputs = context.scene.patina
        try:
            settings = properties.run_settings(inputs)
        except RefusedError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        settings["seed"] = seeds.for_next_run(inputs)
        work = work_of({**settings, **properties.held(inputs)})
        preset = presets.load_all().get(settings["preset"])
        folder, label = preferences.results_folder(), preset.label if preset else ""
        prompts.add(settings["prompt"], settings["negative"])
        try:
            pump.session.generate(settings, preferences.device(), folder, label, work)
        except EngineError as error:
            trouble.tell(self, error)
            return {"CANCELLED"}
        finally:
            pump.wake()
        changed = seeds.spend(inputs, settings["seed"])
        if live.begin(context) or changed:
            bpy.ops.ed.undo_push(message="Generate")
        return {"FINISHED"}


class PATINA_OT_cancel(Operator):
    bl_idname = "patina.cancel"
    bl_label = "Cancel"
    bl_description = "Stop the run and keep what there is of it; the runs that wait follow"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, _context: Context) -> bool:
        if pump.session is None or not pump.session.busy:
            cls.poll_message_set("Nothing is running")
            return False
        return trouble.holds(cls, not pump.session.cancelling, "The run is being stopped already")

    def execute(self, _context: Context) -> set[str]:
        pump.session.cancel()
        pump.wake()
        return {"FINISHED"}


class PATINA_OT_shuffle_seed(Operator):
    bl_idname = "patina.shuffle_seed"
    bl_label = "Shuffle Seed"
    bl_description = "Draw another seed, for the next run to make other variations of the same prompt"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    def execute(self, context: Context) -> set[str]:
        context.scene.patina.seed = seeds.draw()
        return {"FINISHED"}


class PATINA_OT_select(Operator):
    bl_idname = "patina.select"
    bl_label = "Select Variation"
    bl_description = "Choose this variation for Apply"
    bl_options = {"INTERNAL"}

    index: IntProperty(name="Variation", description="Which of the variations", min=0, options={"SKIP_SAVE"})

    @classmethod
    def description(cls, context: Context, operator: OperatorProperties) -> str:
        results = context.window_manager.patina.results
        if operator.index >= len(results):
            return tr(cls.bl_description)
        result = results[operator.index]
        return tr(
            "{what}. Match with the prompt {match:.3f}, seam {seam:.2f} (up to {limit:g} none shows), "
            "seed {seed}",
            what=tr(cls.bl_description),
            match=result.judge_score,
            seam=result.seam,
            limit=SEAMLESS,
            seed=result.seed,
        )

    @classmethod
    def poll(cls, _context: Context) -> bool:
        there = pump.session is not None and pump.session.results
        return trouble.holds(cls, there, "Generate a material first")

    def execute(self, _context: Context) -> set[str]:
        if self.index >= len(pump.session.results):
            self.report({"WARNING"}, "There is no such variation")
            return {"CANCELLED"}
        pump.session.selected = self.index
        pump.mirror()
        return {"FINISHED"}


class PATINA_OT_apply_remedy(Operator):
    bl_idname = "patina.apply_remedy"
    bl_label = "Change Setting"
    bl_description = "Change the setting as the message proposes"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    @classmethod
    def poll(cls, _context: Context) -> bool:
        error = pump.session.error if pump.session is not None else None
        return trouble.holds(cls, error and error.setting, "No message proposes a setting")

    def execute(self, context: Context) -> set[str]:
        error = pump.session.error
        try:
            properties.set_by_name(context.scene.patina, error.setting, error.value)
        except (TypeError, ValueError, AttributeError):
            self.report(
                {"WARNING"},
                tr("Cannot set {setting} to {value}", setting=error.setting, value=json.dumps(error.value)),
            )
            return {"CANCELLED"}
        pump.session.error = None
        pump.mirror()
        return {"FINISHED"}


CLASSES = (
    PATINA_OT_generate,
    PATINA_OT_cancel,
    PATINA_OT_shuffle_seed,
    PATINA_OT_select,
    PATINA_OT_apply_remedy,
)
