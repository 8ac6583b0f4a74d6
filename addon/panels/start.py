"""What a run begins from and keeps, and how its result looks side by side with itself."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from bpy.types import Context, Panel

from .. import images, pump, starting
from .details import Detail

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
        if start.source == "OBJECT":
            item = context.active_object
            image = starting.base_colour(item.active_material) if item is not None else None
            if image is not None:
                layout.label(text=image.name, icon="IMAGE_DATA")
        column = layout.column()
        column.active = start.source != "NONE"
        column.prop(start, "strength")
        column.prop(start, "mask_source")
        if start.mask_source == "IMAGE":
            column.template_ID(start, "mask", new="image.new", open="image.open")


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


CLASSES = (PATINA_PT_start, PATINA_PT_tiled)
