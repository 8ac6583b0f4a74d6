"""Where the engine is, where results go, and what computes."""

from pathlib import Path

import bpy
from bpy.props import EnumProperty, StringProperty
from bpy.types import AddonPreferences, Context

from . import compat, paths
from .link import Launch

ADDON = __package__  # "patina", or "bl_ext.user_default.patina"

DEVICES = (
    ("auto", "Automatic", "The fastest that this machine has"),
    ("cpu", "Processor", "Works everywhere, slower"),
    ("cuda", "NVIDIA GPU", "A graphics card with CUDA"),
    ("mps", "Apple GPU", "The graphics of an Apple processor"),
)


class PatinaPreferences(AddonPreferences):
    bl_idname = ADDON

    engine_root: StringProperty(
        name="Engine Folder",
        description="The folder that holds Patina's engine; empty: the one that the add-on came with",
        subtype="DIR_PATH",
    )
    engine_python: StringProperty(
        name="Engine Python",
        description="The Python that runs the engine; empty: the one in the engine's folder",
        subtype="FILE_PATH",
    )
    results_folder: StringProperty(
        name="Results",
        description="Where textures are stored; empty: in Blender's folder for user data",
        subtype="DIR_PATH",
    )
    device: EnumProperty(name="Device", description="What the engine computes on", items=DEVICES)

    def draw(self, _context: Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(self, "device")
        layout.prop(self, "results_folder")
        layout.prop(self, "engine_root")
        layout.prop(self, "engine_python")
        problem = launch().problem()
        if problem:
            layout.label(text=problem, icon="ERROR")
        row = layout.row(align=True)
        row.operator("patina.restart_engine")
        row.operator("patina.open_folder")
        row.operator("patina.open_log")


def get() -> PatinaPreferences | None:
    """The preferences, or None where the add-on was registered without being enabled."""
    addon = bpy.context.preferences.addons.get(ADDON)
    return addon.preferences if addon else None


def _chosen(name: str) -> str:
    preferences = get()
    return bpy.path.abspath(getattr(preferences, name)) if preferences else ""


def launch() -> Launch:
    """How the engine is started."""
    root = paths.engine_root(_chosen("engine_root"))
    return Launch(paths.engine_python(_chosen("engine_python"), root), root, log_folder())


def device() -> str:
    """The device as the engine names it."""
    preferences = get()
    return preferences.device if preferences else "auto"


def results_folder() -> Path:
    """Where sessions put their folders."""
    chosen = _chosen("results_folder")
    return Path(chosen).expanduser() if chosen else compat.writable_folder() / "results"


def log_folder() -> Path:
    """Where the engine's logs are."""
    return compat.writable_folder() / "logs"


def register() -> None:
    bpy.utils.register_class(PatinaPreferences)


def unregister() -> None:
    bpy.utils.unregister_class(PatinaPreferences)
