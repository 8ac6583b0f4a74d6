"""Choosing a preset, and looking after one's own."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from pathlib import Path

import bpy
from bpy.props import BoolProperty, StringProperty
from bpy.types import Context, Event, Operator, OperatorProperties

from .. import choice, gallery, images, own_presets, paths, presets, properties, pump
from ..link import disk
from ..presets import UnusableError
from ..words import mark, tr
from . import folders

PICTURE_PX = 128
DIALOG_PX = 360


class PATINA_OT_choose_preset(Operator):
    bl_idname = "patina.choose_preset"
    bl_label = "Choose Preset"
    bl_description = "Use this preset for what is generated next"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    preset: StringProperty(name="Preset", description="Which of the presets", options={"SKIP_SAVE"})

    @classmethod
    def description(cls, _context: Context, operator: OperatorProperties) -> str:
        preset = presets.load_all().get(operator.preset)
        return tr((preset.description if preset else "") or cls.bl_description)

    def execute(self, context: Context) -> set[str]:
        if self.preset not in presets.load_all():
            self.report({"WARNING"}, tr("There is no preset {name!r}", name=self.preset))
            return {"CANCELLED"}
        context.scene.patina.preset = self.preset
        context.window_manager.patina_gallery.message = ""
        return {"FINISHED"}


class PATINA_OT_follow_preset(Operator):
    bl_idname = "patina.follow_preset"
    bl_label = "Reset to Preset"
    bl_description = (
        "Give back to the preset all settings of the run and of the material that you have changed"
    )
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        if not _touched(context.scene.patina):
            cls.poll_message_set("No setting was changed")
            return False
        return True

    def execute(self, context: Context) -> set[str]:
        _give_back(context.scene.patina)
        return {"FINISHED"}


class PATINA_OT_save_preset(Operator):
    bl_idname = "patina.save_preset"
    bl_label = "Save as Preset"
    bl_description = (
        "Keep the present preset, words to avoid, settings and material settings as one of your own"
    )
    bl_options = {"REGISTER", "UNDO"}

    label: StringProperty(
        name="Name", description="What the preset is called in the gallery", options={"SKIP_SAVE"}
    )
    about: StringProperty(name="Description", description="What the preset is for", options={"SKIP_SAVE"})
    words: StringProperty(
        name="Words",
        description="What is said around every prompt, which {} stands for: such as {} covered in snow",
        default="{}",
        options={"SKIP_SAVE"},
    )

    def invoke(self, context: Context, _event: Event) -> set[str]:
        preset = choice.preset_of(context.scene.patina)
        self.label = self.label or (f"My {preset.label}" if preset else "My Preset")
        return context.window_manager.invoke_props_dialog(self, width=DIALOG_PX)

    def draw(self, _context: Context) -> None:
        self.layout.use_property_split = True
        for name in ("label", "about", "words"):
            self.layout.prop(self, name)

    def execute(self, context: Context) -> set[str]:
        inputs, label = context.scene.patina, self.label.strip()
        if not label:
            self.report({"ERROR"}, "Give the preset a name")
            return {"CANCELLED"}
        asked = properties.word_settings(inputs)
        try:
            file = own_presets.save(choice.as_preset(inputs, label, self.about, self.words, asked))
        except (UnusableError, OSError) as error:
            return _failed(self, mark("Cannot save the preset: {reason}"), error)
        result = pump.session.chosen if pump.session is not None else None
        if result is not None:
            images.write_thumbnail(result.files["basecolor"], own_presets.picture_file(file), PICTURE_PX)
        gallery.refresh()
        inputs.preset = presets.OWN + file.stem
        _give_back(inputs)  # the preset says the same now
        self.report({"INFO"}, tr("{preset} is among your presets", preset=label))
        return {"FINISHED"}


class OwnPreset:
    """Something to do with the scene's preset, if it is the user's."""

    @classmethod
    def poll(cls, context: Context) -> bool:
        preset = choice.preset_of(context.scene.patina)
        if preset is None or not preset.is_own:
            cls.poll_message_set(
                "Choose a preset of your own first; those that ship with Patina stay as they are"
            )
            return False
        return True


class PATINA_OT_rename_preset(OwnPreset, Operator):
    bl_idname = "patina.rename_preset"
    bl_label = "Rename Preset"
    bl_description = "Give your preset another name; scenes that use it keep it"
    bl_options = {"REGISTER"}

    label: StringProperty(name="Name", description="What the preset is called", options={"SKIP_SAVE"})

    def invoke(self, context: Context, _event: Event) -> set[str]:
        self.label = choice.preset_of(context.scene.patina).label
        return context.window_manager.invoke_props_dialog(self, width=DIALOG_PX)

    def execute(self, context: Context) -> set[str]:
        try:
            own_presets.rename(choice.preset_of(context.scene.patina), self.label)
        except (UnusableError, OSError) as error:
            return _failed(self, mark("Cannot rename the preset: {reason}"), error)
        gallery.refresh()
        return {"FINISHED"}


class PATINA_OT_delete_preset(OwnPreset, Operator):
    bl_idname = "patina.delete_preset"
    bl_label = "Delete Preset"
    bl_description = "Delete your preset from the disk, which cannot be undone. Scenes that use it get Plain"
    bl_options = {"REGISTER", "UNDO"}  # the scene's choice changes

    def invoke(self, context: Context, event: Event) -> set[str]:
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: Context) -> set[str]:
        preset = choice.preset_of(context.scene.patina)
        try:
            own_presets.delete(preset)
        except OSError as error:
            return _failed(self, mark("Cannot delete the preset: {reason}"), error)
        gallery.refresh()
        context.window_manager.patina_gallery.message = ""  # whoever deletes it knows
        self.report({"INFO"}, tr("{preset} is deleted", preset=preset.label))
        return {"FINISHED"}


class PATINA_OT_import_preset(Operator):
    bl_idname = "patina.import_preset"
    bl_label = "Import Preset"
    bl_description = "Add a preset file that somebody gave you to your own"
    bl_options = {"REGISTER", "UNDO"}  # the scene's choice changes

    filepath: StringProperty(name="File", description="The preset file", subtype="FILE_PATH")
    filter_glob: StringProperty(
        name="Filter", description="Which files are shown", default="*.json", options={"HIDDEN"}
    )

    def invoke(self, context: Context, _event: Event) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Context) -> set[str]:
        try:
            file = own_presets.take_in(Path(bpy.path.abspath(self.filepath)))
        except (UnusableError, OSError) as error:
            return _failed(self, mark("Cannot import the preset: {reason}"), error)
        gallery.refresh()
        context.scene.patina.preset = presets.OWN + file.stem
        self.report(
            {"INFO"},
            tr("{preset} is among your presets", preset=presets.load_all()[presets.OWN + file.stem].label),
        )
        return {"FINISHED"}


class PATINA_OT_export_preset(Operator):
    bl_idname = "patina.export_preset"
    bl_label = "Export Preset"
    bl_description = "Write the present preset to a file, to give to somebody or to keep"
    bl_options = {"REGISTER"}

    filepath: StringProperty(name="File", description="Where to write it", subtype="FILE_PATH")
    filter_glob: StringProperty(
        name="Filter", description="Which files are shown", default="*.json", options={"HIDDEN"}
    )
    check_existing: BoolProperty(
        name="Confirm Overwriting",
        description="Ask before a file is replaced",
        options={"HIDDEN"},
        default=True,
    )

    @classmethod
    def poll(cls, context: Context) -> bool:
        if choice.preset_of(context.scene.patina) is None:
            cls.poll_message_set("There is no preset to export")
            return False
        return True

    def invoke(self, context: Context, _event: Event) -> set[str]:
        self.filepath = choice.preset_of(context.scene.patina).file.name
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Context) -> set[str]:
        if not bpy.path.basename(self.filepath):
            self.report({"ERROR"}, "Give the file a name")
            return {"CANCELLED"}
        target = Path(bpy.path.ensure_ext(bpy.path.abspath(self.filepath), ".json"))
        try:
            own_presets.give_away(choice.preset_of(context.scene.patina), target)
        except OSError as error:
            return _failed(self, mark("Cannot export the preset: {reason}"), error)
        self.report({"INFO"}, tr("Written to {file}", file=target))
        return {"FINISHED"}


class PATINA_OT_refresh_presets(Operator):
    bl_idname = "patina.refresh_presets"
    bl_label = "Reload Presets"
    bl_description = "Read all preset files again, after you have changed some by hand"
    bl_options = {"REGISTER"}

    def execute(self, _context: Context) -> set[str]:
        gallery.refresh()
        broken = len(presets.broken())
        words = "{count} presets, and {broken} that cannot be used" if broken else "{count} presets"
        self.report({"INFO"}, tr(words, count=len(presets.load_all()), broken=broken))
        return {"FINISHED"}


class PATINA_OT_open_presets(Operator):
    bl_idname = "patina.open_presets"
    bl_label = "Open Presets Folder"
    bl_description = "Show the folder with your own presets"
    bl_options = {"REGISTER"}

    def execute(self, _context: Context) -> set[str]:
        return folders.show(self, paths.own_presets())


def _touched(inputs: bpy.types.PropertyGroup) -> list[str]:
    """Settings of the artist's own that a preset may have."""
    names = (*properties.FILLED, *choice.MATERIAL, "use_relief", "relief")
    return [name for name in names if inputs.is_property_set(name)]


def _give_back(inputs: bpy.types.PropertyGroup) -> None:
    for name in _touched(inputs):
        inputs.property_unset(name)


def _failed(operator: Operator, what: str, error: Exception) -> set[str]:
    operator.report({"ERROR"}, tr(what, reason=disk.why(error)))
    return {"CANCELLED"}


CLASSES = (
    PATINA_OT_choose_preset,
    PATINA_OT_follow_preset,
    PATINA_OT_save_preset,
    PATINA_OT_rename_preset,
    PATINA_OT_delete_preset,
    PATINA_OT_import_preset,
    PATINA_OT_export_preset,
    PATINA_OT_refresh_presets,
    PATINA_OT_open_presets,
)
