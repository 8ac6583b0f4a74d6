"""Installing the engine, between the child process that does it and the panels that show it."""

from pathlib import Path

import bpy
from bpy.props import BoolProperty, FloatProperty, PointerProperty, StringProperty
from bpy.types import PropertyGroup

from . import compat, paths, preferences, room
from .link import EngineError
from .link.installation import Installation, Setup, state_of
from .link.installer import record
from .words import tr

LONGEST_WINDOWS_PATH = 80  # PyTorch's own paths are long, and Windows ends at 260 letters
REPORT_LINES = 100

installation = Installation()


class PatinaSetup(PropertyGroup):
    """What panels draw of the installation. Written by `mirror` alone, and never saved with a file."""

    state: StringProperty(default="ready")
    running: BoolProperty()
    cancelling: BoolProperty()
    task: StringProperty()
    progress: FloatProperty(name="Progress", subtype="FACTOR", min=0, max=1)
    text: StringProperty()
    message: StringProperty()
    problem: StringProperty()
    folder: StringProperty()
    source: StringProperty()
    file: StringProperty(default="patina-engine.zip")
    installed: BoolProperty()
    offline: BoolProperty()
    room: StringProperty()
    short: BoolProperty()


def start(task: str) -> None:
    """Begin "install", "verify", "repair" or "remove".

    Raises:
        EngineError: it cannot begin; the message says what to do.
    """
    asked = preferences.installer_task(task)
    if task in {"install", "repair"}:
        if problem := _problem(asked.folder):
            raise EngineError(problem, kind="folder")
        if asked.source is None and state_of(asked.folder) is Setup.MISSING:
            raise EngineError(
                tr("The engine's own file, {file}, is not here. Choose it as Engine File.", file=file_name()),
                kind="source",
            )
        if needs_network() and not compat.online():
            raise EngineError(
                "Blender may not use the internet. Allow it, or choose a folder of wheels.", kind="offline"
            )
    installation.start(asked)


def file_name() -> str:
    """What the engine's published file is called."""
    known = paths.published()
    return "patina-engine.zip" if known is None else known.file


def needs_network() -> bool:
    """Whether installing would download something."""
    chosen = preferences.get()
    return not (chosen and chosen.wheels_folder)


def _problem(folder: Path) -> str:
    for own in compat.own_folders():
        if folder.is_relative_to(own):
            return tr(
                "{folder} is inside a folder of Blender's, which updates replace. Choose another folder.",
                folder=folder,
            )
    if bpy.app.build_platform.startswith(b"Windows") and len(str(folder)) > LONGEST_WINDOWS_PATH:
        return tr(
            "{folder} is too long a path for Windows. Choose a folder nearer to the drive, as C:\\Patina.",
            folder=folder,
        )
    return ""


def poll() -> bool:
    """One turn of the timer. True if something changed; `mirror` is then up to the caller."""
    was = installation.running
    changed = installation.poll()
    if was and not installation.running:
        refresh()
    return changed


def refresh() -> None:
    """Look again at what is installed. Reads a few small files: for buttons and endings, not for drawing."""
    state = bpy.context.window_manager.patina_setup
    folder, problem = preferences.install_folder(), preferences.launch().problem()
    found = state_of(folder)
    state.installed, state.problem = found is not Setup.MISSING, problem or ""
    # What was installed may not be what the preferences ask for.
    state.state = "ready" if problem is None else "missing" if found is Setup.READY else found.value
    if problem is None and preferences.launch().root == folder / "program" and _is_outdated(folder):
        state.state = "outdated"
    state.folder, state.file = str(folder), file_name()
    state.source = str(paths.engine_source(preferences.chosen("engine_source"))[0] or "")
    source = Path(state.source) if state.source else None
    space = room.look(folder, source, preferences.backend()) if state.state != "ready" else None
    state.room, state.short = (space.sentence(), space.short) if space else ("", False)
    mirror()


def _is_outdated(folder: Path) -> bool:
    known, made = paths.published(), record.read(folder)
    return known is not None and made is not None and made.version != known.version


def mirror() -> None:
    """Copy the installer's state to where panels look."""
    state, failure = bpy.context.window_manager.patina_setup, installation.failure
    state.running, state.cancelling = installation.running, installation.cancelling
    state.task, state.progress, state.text = installation.task, installation.progress, installation.text
    state.message = failure.message if failure else ""
    state.offline = needs_network() and not compat.online()


def report() -> list[str]:
    """What the installer has to say, for Copy Log."""
    failure = installation.failure
    if not installation.task:
        return []
    lines = [f"Installer: {installation.task}"]
    if failure is not None:
        lines += [f"Message: {failure.message}", f"Details: {failure.details}"]
    return [*lines, *installation.log_lines(REPORT_LINES)]


def register() -> None:
    global installation
    bpy.utils.register_class(PatinaSetup)
    bpy.types.WindowManager.patina_setup = PointerProperty(type=PatinaSetup)
    installation = Installation()
    if bpy.context.window_manager is not None:
        refresh()


def unregister() -> None:
    installation.close()
    del bpy.types.WindowManager.patina_setup
    bpy.utils.unregister_class(PatinaSetup)
