"""Assets and texture files."""

# ruff: noqa: TID252  # as an extension, the add-on cannot know the name of its own package

from bpy.types import Context, Panel, UILayout

from .. import compat, files, remedies
from .details import Detail
from .text import paragraph


class PATINA_PT_files(Detail, Panel):
    bl_idname = "PATINA_PT_files"
    bl_label = "Assets and Files"

    def draw(self, context: Context) -> None:
        chosen, layout = context.scene.patina_files, self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        column = layout.column()
        libraries = context.preferences.filepaths
        column.prop_search(chosen, "library", libraries, "asset_libraries", icon="ASSET_MANAGER")
        column.prop(chosen, "author")
        column.prop(chosen, "licence")
        column.prop(chosen, "thumbnail")
        _draw_saving(layout, context)
        column = layout.column(align=True)
        column.operator("patina.mark_asset", icon="ASSET_MANAGER")
        column = layout.column(align=True)
        column.operator("patina.pack_textures", icon="PACKAGE")
        column.operator("patina.copy_textures", icon="DUPLICATE")
        _draw_refusal(layout, context, files.check_saved)


def _draw_saving(layout: UILayout, context: Context) -> None:
    state = context.window_manager.patina_saving
    if state.busy:
        row = layout.row(align=True)
        compat.progress(row, state, "progress", state.status)
        row.operator("patina.stop_saving", text="", icon="X")
        return
    layout.operator_menu_enum("patina.save_to_library", "which", icon="EXPORT")
    if state.status:
        row = layout.row()
        paragraph(row.column(), context, state.status, icon="ERROR" if state.failed else "INFO")
        row.operator("patina.stop_saving", text="", icon="X", emboss=False)
    _draw_refusal(layout, context, files.check_library)


def _draw_refusal(layout: UILayout, context: Context, check: object) -> None:
    refused = remedies.refusal(check, context)
    if refused is not None:
        paragraph(layout, context, f"{refused}.", icon="INFO")
        remedies.button(layout, refused.remedy)


CLASSES = (PATINA_PT_files,)
