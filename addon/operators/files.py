"""Textures and assets: where the files of Patina's materials are, and who else can find them."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from pathlib import Path

import bpy
from bpy.props import EnumProperty
from bpy.types import Context, Image, Material, Operator

from .. import assets, catalogs, files, materials, pump, saving, textures
from ..link import disk
from ..remedies import RefusedError, refusal
from ..words import mark, tr
from . import trouble
from .material import Tuning, material_of, options

PACKED = (mark("All were packed"), mark("{count} texture packed"), mark("{count} textures packed"))
LOST = mark("{file} is missing. File > External Data > Find Missing Files")
COPIED = (mark("All were there"), mark("{count} texture copied"), mark("{count} textures copied"))


def own_materials() -> list[Material]:
    """The Patina materials of this file."""
    return [item for item in bpy.data.materials if item.library is None and materials.is_ours(item)]


def own_images() -> list[Image]:
    """The images of those, each once."""
    return list(dict.fromkeys(image for item in own_materials() for image in textures.of(item)))


class OfOurs:
    """For operators on the textures of all Patina materials of the file."""

    @classmethod
    def poll(cls, _context: Context) -> bool:
        if not own_materials():
            cls.poll_message_set("This file has no Patina material")
            return False
        return True


class PATINA_OT_pack_textures(OfOurs, Operator):
    bl_idname = "patina.pack_textures"
    bl_label = "Pack into .blend"
    bl_description = "Put the textures of all Patina materials into the .blend, so that it can travel alone"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, _context: Context) -> set[str]:
        images = own_images()
        if lost := textures.missing(images):
            self.report({"ERROR"}, tr(LOST, file=lost[0]))
            return {"CANCELLED"}
        count = textures.pack(images)
        self.report({"INFO"}, tr(PACKED[min(count, 2)], count=count))
        return {"FINISHED"}


class PATINA_OT_copy_textures(OfOurs, Operator):
    bl_idname = "patina.copy_textures"
    bl_label = "Copy Textures Beside .blend"
    bl_description = "Copy the textures of all Patina materials to the folder textures beside the .blend"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        if not super().poll(context):
            return False
        if refused := refusal(files.check_saved, context):
            cls.poll_message_set(str(refused))
            return False
        return True

    def execute(self, _context: Context) -> set[str]:
        images = own_images()
        if lost := textures.missing(images):
            self.report({"ERROR"}, tr(LOST, file=lost[0]))
            return {"CANCELLED"}
        try:
            count = textures.copy_beside(images)
        except OSError as error:
            self.report({"ERROR"}, tr("Cannot copy the textures: {reason}", reason=error.strerror))
            return {"CANCELLED"}
        self.report({"INFO"}, tr(COPIED[min(count, 2)], count=count))
        return {"FINISHED"}


class PATINA_OT_mark_asset(Tuning, Operator):
    bl_idname = "patina.mark_asset"
    bl_label = "Mark as Asset"
    bl_description = "Make the active material an asset of this file, with catalogue, tags and thumbnail"

    @classmethod
    def poll(cls, context: Context) -> bool:
        if not super().poll(context):
            return False
        if refused := refusal(files.check_saved, context):
            cls.poll_message_set(str(refused))
            return False
        return True

    def execute(self, context: Context) -> set[str]:
        material = material_of(context)
        if lost := textures.missing(textures.of(material)):
            self.report({"ERROR"}, tr(LOST, file=lost[0]))
            return {"CANCELLED"}
        library = assets.library_of(Path(bpy.data.filepath))
        chosen = context.scene.patina_files
        try:
            path = assets.mark(material, library, files.credit(context), chosen.thumbnail)
        except (OSError, catalogs.UnknownVersionError) as error:
            self.report({"ERROR"}, disk.why(error))
            return {"CANCELLED"}
        self.report({"INFO"}, tr("{material} is an asset in {file}", material=material.name, file=path))
        return {"FINISHED"}


class PATINA_OT_save_to_library(Operator):
    bl_idname = "patina.save_to_library"
    bl_label = "Save to Asset Library"
    bl_description = "Save results as assets with textures of their own, while you go on working"
    bl_options = {"REGISTER"}

    which: EnumProperty(
        name="Which",
        description="What is saved",
        items=(
            ("CHOSEN", "Selected Variation", "The variation that is selected"),
            ("ALL", "All Variations", "Every variation of the last run"),
        ),
    )

    @classmethod
    def poll(cls, context: Context) -> bool:
        if pump.session is None or pump.session.chosen is None:
            cls.poll_message_set("Generate a material first")
            return False
        if refused := refusal(files.check_library, context):
            cls.poll_message_set(str(refused))
            return False
        return True

    def execute(self, context: Context) -> set[str]:
        session = pump.session
        results = session.results if self.which == "ALL" else [session.chosen]
        try:
            folder = files.library_folder(context)
            chosen = context.scene.patina_files
            saving.begin(list(results), folder, options(context), files.credit(context), chosen.thumbnail)
        except (OSError, RefusedError) as error:
            self.report({"ERROR"}, tr("Cannot save: {reason}", reason=disk.why(error)))
            return {"CANCELLED"}
        return {"FINISHED"}


class PATINA_OT_stop_saving(Operator):
    bl_idname = "patina.stop_saving"
    bl_label = "Stop Saving"
    bl_description = "Stop saving to the asset library; what is saved stays there"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, _context: Context) -> bool:
        return trouble.holds(cls, saving.current is not None, "Nothing is being saved")

    def execute(self, _context: Context) -> set[str]:
        if saving.current.over:
            saving.dismiss()
        else:
            saving.stop()
        return {"FINISHED"}


CLASSES = (
    PATINA_OT_pack_textures,
    PATINA_OT_copy_textures,
    PATINA_OT_mark_asset,
    PATINA_OT_save_to_library,
    PATINA_OT_stop_saving,
)
