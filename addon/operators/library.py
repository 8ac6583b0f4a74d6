"""The library of textures: keeping it up to date, searching it, and using what was found."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

import zlib
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, IntProperty, StringProperty
from bpy.types import Context, Event, Operator, OperatorProperties

from .. import (
    assets,
    library_material,
    mapping,
    materials,
    preferences,
    pump,
    shelf,
    sources,
    starting,
    targets,
)
from ..library import SURE, Found
from ..link import EngineError, disk
from ..remedies import refusal
from ..session import slug
from ..words import tr
from . import trouble

SHOWN_TAGS = 6  # in a tooltip


class Asking:
    """What asks the engine something: it says so where there is no engine, and wakes the pump."""

    bl_options = {"REGISTER"}

    def execute(self, context: Context) -> set[str]:
        try:
            self.ask(context)
        except EngineError as error:
            trouble.tell(self, error)
            return {"CANCELLED"}
        finally:
            pump.wake()
        return {"FINISHED"}

    def ask(self, context: Context) -> None:
        """Send the request.

        Raises:
            EngineError: the engine cannot be started.
        """
        raise NotImplementedError


def _idle(cls: Any) -> bool:
    if shelf.library is None or shelf.library.indexing is not None:
        cls.poll_message_set("The library is being brought up to date")
        return False
    return True


def _chosen(cls: Any) -> Found | None:
    found = shelf.library.chosen() if shelf.library is not None else None
    if found is None:
        cls.poll_message_set("Choose a texture of the library first")
    return found


def _own_folder() -> list[str]:
    folder = shelf.results_folder()
    return [str(folder)] if disk.has_folder(folder) else []


class PATINA_OT_library_open(Asking, Operator):
    bl_idname = "patina.library_open"
    bl_label = "Open Library"
    bl_description = "Show the textures that were indexed last, and which folders are in the library"

    def ask(self, _context: Context) -> None:
        shelf.library.open(preferences.device())


class PATINA_OT_library_search(Asking, Operator):
    bl_idname = "patina.library_search"
    bl_label = "Search"
    bl_description = "Find textures by the words, the tag and the seams asked for; with none of them, all"

    def ask(self, _context: Context) -> None:
        asked = shelf.inputs()
        shelf.library.search(asked.text, asked.tag, asked.seamless, preferences.device())


class PATINA_OT_library_more_like(Asking, Operator):
    bl_idname = "patina.library_more_like"
    bl_label = "More Like This"
    bl_description = "Find textures that resemble this one, and fit the words and the tag, if there are any"

    @classmethod
    def poll(cls, _context: Context) -> bool:
        return _chosen(cls) is not None

    def ask(self, _context: Context) -> None:
        asked, library = shelf.inputs(), shelf.library
        library.more_like(library.chosen(), asked.text, asked.tag, asked.seamless, preferences.device())


class PATINA_OT_library_duplicates(Asking, Operator):
    bl_idname = "patina.library_duplicates"
    bl_label = "Find Duplicates"
    bl_description = "List textures that are nearly the same picture, whatever their size, format or offset"

    def ask(self, _context: Context) -> None:
        shelf.library.list_duplicates(preferences.device())


class PATINA_OT_library_add(Asking, Operator):
    bl_idname = "patina.library_add"
    bl_label = "Add Folder"
    bl_description = "Choose a folder of textures; it and all folders in it are looked through"

    directory: StringProperty(
        name="Folder", description="The folder of textures", subtype="DIR_PATH", options={"SKIP_SAVE"}
    )
    filter_folder: BoolProperty(
        name="Folders", description="Show folders", default=True, options={"HIDDEN", "SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, _context: Context) -> bool:
        return _idle(cls)

    def invoke(self, context: Context, _event: Event) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Context) -> set[str]:
        if not self.directory or not disk.has_folder(Path(bpy.path.abspath(self.directory))):
            self.report({"ERROR"}, "There is no such folder")
            return {"CANCELLED"}
        return super().execute(context)

    def ask(self, _context: Context) -> None:
        folder = sources.absolute(self.directory)
        shelf.library.index([folder, *_own_folder()], [], preferences.device())


class PATINA_OT_library_remove(Asking, Operator):
    bl_idname = "patina.library_remove"
    bl_label = "Remove Folder"
    bl_description = "Take this folder out of the library; nothing on the disk is touched"

    index: IntProperty(name="Number", description="Which of the folders", min=0, options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, _context: Context) -> bool:
        return _idle(cls)

    def ask(self, _context: Context) -> None:
        folders = shelf.library.folders
        if self.index >= len(folders):
            raise EngineError("There is no such folder in the library.", kind="folder")
        shelf.library.index([], [folders[self.index]], preferences.device())


class PATINA_OT_library_index(Asking, Operator):
    bl_idname = "patina.library_index"
    bl_label = "Index"
    bl_description = "Look at what is new or has changed in the folders; the rest is left alone"

    @classmethod
    def poll(cls, _context: Context) -> bool:
        return _idle(cls)

    def ask(self, _context: Context) -> None:
        shelf.library.index(_own_folder(), [], preferences.device())


class PATINA_OT_library_cancel(Operator):
    bl_idname = "patina.library_cancel"
    bl_label = "Stop"
    bl_description = "Stop; what was looked at so far stays in the library"
    bl_options = {"REGISTER"}

    def execute(self, _context: Context) -> set[str]:
        shelf.library.cancel()
        pump.wake()
        return {"FINISHED"}


class PATINA_OT_library_make_maps(Asking, Operator):
    bl_idname = "patina.library_make_maps"
    bl_label = "Make Missing Maps"
    bl_description = "Have the maps that this texture lacks estimated from its picture; Apply uses them then"

    @classmethod
    def poll(cls, _context: Context) -> bool:
        found = _chosen(cls)
        if found is None:
            return False
        if shelf.library.mapping is not None:
            cls.poll_message_set("Maps are being made")
            return False
        if not found.lacking:
            cls.poll_message_set("This texture has all its maps")
            return False
        return True

    def ask(self, _context: Context) -> None:
        found, results = shelf.library.chosen(), shelf.results_folder()
        folder = (
            results / "maps" / f"{slug(found.name)}_{zlib.crc32(found.key.encode('utf-8', 'replace')):08x}"
        )
        shelf.library.make_maps(found, folder, results, preferences.device())


class PATINA_OT_library_page(Operator):
    bl_idname = "patina.library_page"
    bl_label = "Turn Page"
    bl_description = "Show other textures that were found"
    bl_options = {"INTERNAL"}

    step: IntProperty(name="Step", description="1 on, -1 back", default=1, options={"SKIP_SAVE"})

    def execute(self, _context: Context) -> set[str]:
        shelf.library.turn(self.step)
        pump.wake()
        return {"FINISHED"}


class PATINA_OT_library_choose(Operator):
    bl_idname = "patina.library_choose"
    bl_label = "Choose Texture"
    bl_description = "Choose this texture"
    bl_options = {"INTERNAL"}

    key: StringProperty(name="Texture", description="The texture's file", options={"SKIP_SAVE"})

    @classmethod
    def description(cls, _context: Context, operator: OperatorProperties) -> str:
        results = shelf.library.results if shelf.library is not None else []
        found = next((found for found in results if found.key == operator.key), None)
        if found is None:
            return tr(cls.bl_description)
        tags = ", ".join(map(tr, found.labels(SHOWN_TAGS)))
        return f"{found.name}: {tags}.\n{found.width} x {found.height}, {found.main.parent}"

    def execute(self, _context: Context) -> set[str]:
        shelf.library.selected = self.key
        pump.redraw()
        return {"FINISHED"}


class PATINA_OT_library_apply(Operator):
    bl_idname = "patina.library_apply"
    bl_label = "Apply"
    bl_description = "Put this texture, with whatever maps it has, on the selected objects as a material"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        if _chosen(cls) is None:
            return False
        if context.mode != "OBJECT":
            cls.poll_message_set("Go to Object Mode first")
            return False
        if refused := refusal(targets.find, context):
            cls.poll_message_set(str(refused))
            return False
        return True

    def execute(self, context: Context) -> set[str]:
        found, objects = shelf.library.chosen(), targets.find(context).objects
        made = shelf.library.made.get(found.key, {})
        try:
            material = library_material.apply(objects, found, made, context.scene.patina)
        except materials.MissingFilesError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        names = objects[0].name if len(objects) == 1 else tr("{count} objects", count=len(objects))
        self.report({"INFO"}, tr("{material} is on {objects}", material=material.name, objects=names))
        return {"FINISHED"}


class PATINA_OT_library_mark_asset(Operator):
    bl_idname = "patina.library_mark_asset"
    bl_label = "Mark as Asset"
    bl_description = "Make a material of this texture and mark it as an asset, with its tags"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, _context: Context) -> bool:
        return _chosen(cls) is not None

    def execute(self, context: Context) -> set[str]:
        found, inputs = shelf.library.chosen(), context.scene.patina
        made, whole = shelf.library.made.get(found.key, {}), mapping.Mapping("UV", (1.0, 1.0, 1.0))
        try:
            material = library_material.build(found, made, inputs, whole)
        except materials.MissingFilesError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        material.asset_mark()
        material.asset_data.description = str(found.main)
        known = {tag.name for tag in material.asset_data.tags}
        for label, confidence in found.tags:
            if confidence >= SURE and label not in known:
                material.asset_data.tags.new(label)
        assets.render_thumbnail(material)
        self.report({"INFO"}, tr("{material} is an asset of this file", material=material.name))
        return {"FINISHED"}


class PATINA_OT_library_use(Operator):
    bl_idname = "patina.library_use"
    bl_label = "Use for Next Run"
    bl_description = "Take this texture into the next run"
    bl_options = {"REGISTER", "UNDO"}

    kind: EnumProperty(
        name="Kind",
        description="How the next run uses the texture",
        items=(
            ("START", "Start", "The next run begins from this texture"),
            ("PICTURE", "Picture Prompt", "The next run comes near to the look of this texture"),
        ),
        options={"SKIP_SAVE"},
    )

    @classmethod
    def description(cls, _context: Context, operator: OperatorProperties) -> str:
        item = cls.bl_rna.properties["kind"].enum_items.get(operator.kind)
        return tr(item.description if item else cls.bl_description)

    @classmethod
    def poll(cls, _context: Context) -> bool:
        return _chosen(cls) is not None

    def execute(self, context: Context) -> set[str]:
        found, chosen = shelf.library.chosen(), context.scene.patina_sources
        if not disk.has_file(found.main):
            self.report(
                {"ERROR"}, tr("The file {file} is gone. Bring the library up to date", file=found.main.name)
            )
            return {"CANCELLED"}
        if self.kind == "START":
            starting.use(context.scene, str(found.sidecar() or found.main))  # a result with all its maps
        elif found.key in {item.path for item in chosen.pictures}:
            self.report({"INFO"}, "This picture is there already")
        elif len(chosen.pictures) >= sources.MOST:
            self.report(
                {"WARNING"}, tr("{count} pictures are the most. Remove one first", count=sources.MOST)
            )
            return {"CANCELLED"}
        else:
            chosen.pictures.add().path = found.key
        return {"FINISHED"}


CLASSES = (
    PATINA_OT_library_open,
    PATINA_OT_library_search,
    PATINA_OT_library_more_like,
    PATINA_OT_library_duplicates,
    PATINA_OT_library_add,
    PATINA_OT_library_remove,
    PATINA_OT_library_index,
    PATINA_OT_library_cancel,
    PATINA_OT_library_make_maps,
    PATINA_OT_library_page,
    PATINA_OT_library_choose,
    PATINA_OT_library_apply,
    PATINA_OT_library_mark_asset,
    PATINA_OT_library_use,
)
