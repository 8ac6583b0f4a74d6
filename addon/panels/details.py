"""The closed sub-panels: what the main panel can do without."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from bpy.types import Context, Panel

from .. import choice, preferences, properties
from ..words import CONTEXT, mark, tr
from .gallery import draw_left_to_preset, draw_left_to_quality
from .main import Sidebar
from .text import paragraph

STATES = {
    "missing": mark("Not installed"),
    "stopped": mark("Starts with the first run"),
    "starting": mark("Starting"),
    "ready": mark("Ready"),
    "busy": mark("Working"),
    "failed": mark("Stopped by an error"),
}


class Detail(Sidebar):
    """A sub-panel that starts closed."""

    bl_parent_id = "PATINA_PT_main"
    bl_options = {"DEFAULT_CLOSED"}


class PATINA_PT_settings(Detail, Panel):
    bl_idname = "PATINA_PT_settings"
    bl_label = "Settings"

    def draw(self, context: Context) -> None:
        inputs, layout = context.scene.patina, self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        by_preset, by_quality = properties.set_by_preset(inputs), properties.set_by_quality(inputs)
        for heading, names in properties.PARTS.items():
            column = layout.column()
            column.label(text=heading)
            for name in names:
                row = column.row()
                row.active = name not in by_preset and name not in by_quality
                # Said by us: for Steps, Blender has a word of its own. In 3.4, no property has a context.
                title = inputs.bl_rna.properties[name].name
                row.prop(inputs, name, text=title, text_ctxt=CONTEXT)
        relief = choice.relief_by_preset(inputs)
        draw_left_to_preset(layout, context, inputs, {**by_preset, **relief})
        draw_left_to_quality(layout, context, inputs, by_quality)
        row = layout.column(heading="Relief").row(align=True)
        row.prop(inputs, "use_relief", text="")
        value = row.row(align=True)
        value.active = inputs.use_relief
        value.prop(inputs, "relief", text="")


class PATINA_PT_engine(Detail, Panel):
    bl_idname = "PATINA_PT_engine"
    bl_label = "Engine"
    bl_translation_context = CONTEXT

    def draw(self, context: Context) -> None:
        state, layout = context.window_manager.patina, self.layout
        column = layout.column(align=True)
        installing = context.window_manager.patina_setup.running
        column.label(text="Installing" if installing else STATES.get(state.state, state.state))
        if state.version:
            column.label(
                text=tr("Version {version}, on {device}", version=state.version, device=state.device or "?")
            )
        if state.state == "failed" and state.log_tail:
            paragraph(layout, context, state.log_tail)
        chosen = preferences.get()
        if chosen is not None:
            layout.prop(chosen, "device", text="")
        column = layout.column(align=True)
        column.operator("patina.restart_engine")
        column.operator("patina.copy_log")
        column.operator("patina.open_log")
        column.operator("patina.open_folder")
        column.operator("patina.open_preferences")
