"""The part of the preferences that is about the engine: where it is, what it may use, where it is from."""

from bpy.props import EnumProperty, FloatProperty, StringProperty
from bpy.types import Context

DEVICES = (
    ("auto", "Automatic", "The fastest that this machine has"),
    ("cpu", "Processor", "Works everywhere, slower"),
    ("cuda", "NVIDIA or AMD GPU", "A graphics card with CUDA, or with ROCm"),
    ("mps", "Apple GPU", "The graphics of an Apple processor"),
)

BACKENDS = (
    ("auto", "Automatic", "What this machine's drivers say; looked up when the engine is installed"),
    ("cuda", "NVIDIA", "Cards from 2018 on with a driver of 580 or later"),
    ("cuda12", "NVIDIA, Older", "Older cards or drivers"),
    ("rocm", "AMD", "Graphics cards with ROCm, on Linux"),
    ("mps", "Apple", "Apple processors"),
    ("cpu", "Processor Only", "Works everywhere, and takes the least room on the disk"),
)


def _look_again(_preferences: object, _context: Context) -> None:
    """What is in the chosen folder, and how much room is there, is said beside it."""
    from . import setup  # it asks for preferences itself

    setup.refresh()


class EnginePreferences:
    """Mixed into the add-on's preferences."""

    engine_root: StringProperty(
        name="Engine Folder",
        description="The folder that holds an engine which you look after yourself; empty: the installed one",
        subtype="DIR_PATH",
    )
    engine_python: StringProperty(
        name="Engine Python",
        description="The Python that runs the engine; empty: the one that was installed with it",
        subtype="FILE_PATH",
    )
    engine_command: StringProperty(
        name="Remote Engine",
        description=(
            "A command that starts an engine elsewhere, such as: ssh host patina-engine/patina serve. "
            "Empty: the engine runs here"
        ),
    )
    remote_folder: StringProperty(
        name="Remote Results",
        description=(
            "A folder on the remote engine's machine, such as /tmp/patina: results are written there and "
            "fetched. Empty: both machines know the folder for results by the same name"
        ),
    )
    install_folder: StringProperty(
        name="Install To",
        description=(
            "The folder that the engine and downloaded models go to, in a folder of their own; empty: your "
            "folder for user data"
        ),
        subtype="DIR_PATH",
        update=_look_again,
    )
    engine_source: StringProperty(
        name="Engine File",
        description=(
            "The file patina-engine-….zip that came with the add-on, or a folder with its content; empty: it "
            "is looked for beside the add-on and in your downloads"
        ),
        subtype="FILE_PATH",
    )
    wheels_folder: StringProperty(
        name="Wheels",
        description=(
            "To install without a network: a folder with all packages as wheels; empty: they are downloaded"
        ),
        subtype="DIR_PATH",
    )
    installer_python: StringProperty(
        name="Installer's Python",
        description="The Python that runs the installer; empty: Blender's own",
        subtype="FILE_PATH",
    )
    backend: EnumProperty(
        name="Install For",
        description="What the engine is installed to compute with",
        items=BACKENDS,
        update=_look_again,
    )
    device: EnumProperty(name="Device", description="What the engine computes on", items=DEVICES)
    memory_gb: FloatProperty(
        name="Memory Limit",
        description=(
            "Gigabytes that a run may plan with, from the engine's next start on; more variations are then "
            "made one after another. 0: as much as is free"
        ),
        min=0.0,
        max=1024.0,
        soft_max=64.0,
        precision=1,
    )
