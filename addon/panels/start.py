"""What a run begins from, keeps and comes near to, and how its result looks side by side with itself."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from pathlib import Path

from bpy.types import Context, Panel

from .. import images, pump, starting
from .details import Detail
from .text import paragraph

TILED_SCALE = 11.0  # in rows of buttons


class PATINA_PT_start(Detail, Panel):
    bl_idname = "PATINA_PT_start"
    bl_label = "Start Image and Mask"

    def draw(self, context: Context) -> None:
        start, layout = context.scene.patina_start, self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(start, "source")
        if start.source == "IMAGE":
            layout.template_ID(start, "image", open="image.open")
        if start.source == "FILE":
            layout.prop(start, "path")
        if start.source == "OBJECT":
            name = starting.name_of(context.scene, context.active_object)
            if name:
                layout.label(text=name, icon="IMAGE_DATA")
        column = layout.column()
        column.active = start.source != "NONE"
        column.prop(start, "strength")
        column.prop(start, "mask_source")
        if start.mask_source == "IMAGE":
            column.template_ID(start, "mask", new="image.new", open="image.open")


class PATINA_PT_sources(Detail, Panel):
    bl_idname = "PATINA_PT_sources"
    bl_label = "Picture Prompts"
    bl_parent_id = "PATINA_PT_start"

    def draw(self, context: Context) -> None:
        pictures, layout = context.scene.patina_sources.pictures, self.layout
        for index, item in enumerate(pictures):
            row = layout.row(align=True)
            row.label(text=Path(item.path).name or "No picture", icon="IMAGE_DATA")
            row.prop(item, "weight", text="")
            row.prop(item, "aligned", text="", icon="SNAP_GRID")
            row.operator("patina.source_clear", text="", icon="X").index = index
        if not len(pictures):
            paragraph(layout, context, "Textures of the library can be pictures to come near to", icon="INFO")


class PATINA_PT_tiled(Detail, Panel):
    bl_idname = "PATINA_PT_tiled"
    bl_label = "Tiled Preview"

    @classmethod
    def poll(cls, context: Context) -> bool:
        return bool(len(context.window_manager.patina.results))

    def draw(self, context: Context) -> None:
        state = context.window_manager.patina
        if state.selected < len(state.results) and images.want_tiled(state.results[state.selected].key):
            pump.nudge()  # here: while the panel is closed, nobody wants it
        self.layout.template_icon(icon_value=images.tiled_icon(), scale=TILED_SCALE)


CLASSES = (PATINA_PT_start, PATINA_PT_sources, PATINA_PT_tiled)
