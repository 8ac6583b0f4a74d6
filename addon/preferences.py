"""Where the engine is, where results go, and what computes."""

from pathlib import Path

import bpy
from bpy.app.handlers import persistent
from bpy.props import StringProperty
from bpy.types import AddonPreferences, Context

from . import bl_info, compat, paths
from .engine_preferences import EnginePreferences
from .link import EngineError, Launch
from .link.fetch import Places
from .link.installation import Task

PATHS = (
    *("results_folder", "engine_root", "engine_python", "install_folder", "engine_source", "wheels_folder"),
    "installer_python",
)
ADDON = __package__  # "patina", or "bl_ext.user_default.patina"
VERSION = ".".join(map(str, bl_info["version"]))  # kept here: of extensions, Blender drops bl_info later on


class PatinaPreferences(EnginePreferences, AddonPreferences):
    bl_idname = ADDON

    results_folder: StringProperty(
        name="Results",
        description="Where textures are stored; empty: your folder for user data, the same for all Blenders",
        subtype="DIR_PATH",
    )

    def draw(self, context: Context) -> None:
        from .panels import preferences as drawing  # panels know this module, too

        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(self, "results_folder")
        drawing.draw(layout, context, self)


def get() -> PatinaPreferences | None:
    """The preferences, or None where the add-on was registered without being enabled."""
    addon = bpy.context.preferences.addons.get(ADDON)
    return addon.preferences if addon else None


def chosen(name: str) -> str:
    """A path of the preferences, absolute; "" where none was chosen."""
    preferences = get()
    return bpy.path.abspath(getattr(preferences, name)) if preferences else ""


def make_absolute() -> None:
    """Write paths whole that Blender's file browser wrote as seen from the open file, as it does before 4.5.

    They are of this Blender: seen from the next file, they would be somewhere else.
    """
    preferences = get()
    if preferences is None or not bpy.data.filepath:
        return
    for name in PATHS:
        text = getattr(preferences, name)
        if text.startswith("//"):
            setattr(preferences, name, bpy.path.abspath(text))


@persistent
def _leaving_place(*_: object) -> None:
    """Another file is opened, or this one is saved, perhaps elsewhere."""
    make_absolute()


def launch() -> Launch:
    """How the engine is started."""
    root, python = paths.engine(chosen("engine_root"), chosen("engine_python"), install_folder())
    return Launch(python, root, log_folder(), _variables(), _text("engine_command").strip())


def places() -> Places | None:
    """The folders for results here and where a remote engine is; None where both have one disk."""
    there = _text("remote_folder").strip()
    return Places(results_folder(), there) if there and _text("engine_command").strip() else None


def install_folder() -> Path:
    """The folder that the installer works in."""
    return paths.install_folder(chosen("install_folder"))


def installer_task(task: str) -> Task:
    """What the installer is to be told.

    Raises:
        EngineError: there is no Python to run it.
    """
    pythons = [chosen("installer_python")] if chosen("installer_python") else compat.pythons()
    if not pythons:
        raise EngineError("There is no Python to install with. Name one in the preferences.", kind="python")
    source, sha256 = paths.engine_source(chosen("engine_source"))
    wheels = chosen("wheels_folder")
    return Task(
        task,
        install_folder(),
        Path(pythons[0]),
        log_folder(),
        source=source,
        sha256=sha256,
        backend=backend(),
        wheels=Path(wheels) if wheels else None,
        pythons=tuple(pythons),
    )


def _text(name: str) -> str:
    preferences = get()
    return getattr(preferences, name) if preferences else ""


def _variables() -> dict[str, str]:
    """What the engine learns from its environment. It never downloads behind Blender's back."""
    found = {} if compat.online() else {"HF_HUB_OFFLINE": "1"}
    preferences = get()
    if preferences is None:
        return found
    if preferences.memory_gb > 0:
        found["PATINA_MEMORY_GB"] = f"{preferences.memory_gb:g}"
    if preferences.install_folder:
        found["PATINA_HOME"] = chosen("install_folder")
    return found


def backend() -> str:
    """What the engine is installed to compute with; "auto" for what this machine has."""
    return _text("backend") or "auto"


def device() -> str:
    """The device as the engine names it."""
    preferences = get()
    return preferences.device if preferences else "auto"


def results_folder() -> Path:
    """Where sessions put their folders."""
    folder = chosen("results_folder")
    return paths.of_text(folder) if folder else paths.results()


def log_folder() -> Path:
    """Where the engine's logs are."""
    return compat.writable_folder() / "logs"


def register() -> None:
    bpy.utils.register_class(PatinaPreferences)
    for handlers in (bpy.app.handlers.load_pre, bpy.app.handlers.save_pre):
        handlers.append(_leaving_place)


def unregister() -> None:
    for handlers in (bpy.app.handlers.load_pre, bpy.app.handlers.save_pre):
        handlers.remove(_leaving_place)
    bpy.utils.unregister_class(PatinaPreferences)
