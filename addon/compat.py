"""Every difference between Blender 3.4 and 5.2 that the add-on meets, one function each."""

import contextlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
from bpy.types import (
    AssetMetaData,
    Material,
    Modifier,
    Object,
    Operator,
    Scene,
    UILayout,
    WindowManager,
    World,
)

from .words import tr

DIALOG_PX = 440


def _function_has(function: str, parameter: str = "") -> bool:
    # hasattr(UILayout, "progress") is False in every version: the functions are in the RNA only.
    functions = UILayout.bl_rna.functions
    return function in functions and (not parameter or parameter in functions[function].parameters)


def progress(layout: UILayout, data: Any, name: str, text: str) -> None:
    """A bar for a property of 0..1. Before 4.0, a slider that cannot be moved looks like it."""
    if _function_has("progress"):
        layout.progress(factor=getattr(data, name), text=text, type="BAR")
    else:
        column = layout.column(align=True)
        column.label(text=text)  # not on the slider, which would cut it short for its number
        row = column.row(align=True)
        row.enabled = False
        row.prop(data, name, text="", slider=True)


def prop_with_hint(layout: UILayout, data: Any, name: str, hint: str) -> None:
    """A text field that says what belongs into it while it is empty, from 4.1 on."""
    if _function_has("prop", "placeholder"):
        layout.prop(data, name, text="", placeholder=tr(hint))
    else:
        layout.prop(data, name, text="")


def ask(operator: Operator, manager: WindowManager, confirm: str) -> set[str]:
    """Show what an operator's `draw` says in a dialog, before it is run; before 4.1 the button says OK."""
    function = WindowManager.bl_rna.functions["invoke_props_dialog"]
    named = {"confirm_text": tr(confirm)} if "confirm_text" in function.parameters else {}
    return manager.invoke_props_dialog(operator, width=DIALOG_PX, **named)


def title_without_hint(layout: UILayout, data: Any, name: str) -> None:
    """The name of a text field above it, before 4.1. Beside it, it would leave too little room to read."""
    if not _function_has("prop", "placeholder"):
        layout.label(text=data.bl_rna.properties[name].name)


def use_nodes(item: Material | World) -> None:
    """Give it its node tree. From 5.0 it always has one, and the switch is on its way out."""
    if bpy.app.version < (5, 0, 0):
        item.use_nodes = True


def _displaced(material: Material) -> Any:
    """What has the displacement method; a setting of Cycles alone before 4.1."""
    return material if "displacement_method" in material.bl_rna.properties else material.cycles


def set_displacement_method(material: Material, method: str) -> None:
    """'BUMP', 'DISPLACEMENT' or 'BOTH'."""
    if bpy.app.version >= (4, 1, 0) or hasattr(material, "cycles"):
        _displaced(material).displacement_method = method


@contextlib.contextmanager
def bumped(material: Material) -> Iterator[None]:
    """Have Cycles draw a material's displacement as bump, for now: a coarse mesh would show its corners."""
    before = _displaced(material).displacement_method
    set_displacement_method(material, "BUMP")
    try:
        yield
    finally:
        set_displacement_method(material, before)


def cut_out(material: Material) -> None:
    """Have EEVEE draw what the alpha leaves out as gone. From 4.2 on it does by itself, shadows included."""
    if bpy.app.version < (4, 2, 0):
        material.blend_method = material.shadow_method = "HASHED"


def emission_socket() -> str:
    """The Principled BSDF's input for the colour of its own light; renamed with most others in 4.0."""
    return "Emission Color" if bpy.app.version >= (4, 0, 0) else "Emission"


def writable_folder() -> Path:
    """Where logs and the last prompts are: what may go with this version of Blender.

    Not the extension's own folder: it is deleted with every update of the extension.
    """
    return Path(bpy.utils.user_resource("DATAFILES", path="patina"))


def online() -> bool:
    """Whether Blender lets add-ons use the internet; a setting of 4.2 and later."""
    return getattr(bpy.app, "online_access", True)


def online_is_fixed() -> bool:
    """Whether Blender was started offline, so that no setting can change it."""
    return not online() and getattr(bpy.app, "online_access_override", False)


def allow_online() -> None:
    """Turn the setting on, as the check box in Blender's own preferences does."""
    bpy.context.preferences.system.use_online_access = True


def pythons() -> list[str]:
    """Interpreters that may run the installer, the likeliest first. Blender's own is sys.executable."""
    old = getattr(bpy.app, "binary_path_python", "")  # before 2.91 sys.executable was Blender itself
    named = [sys.executable, old, *map(shutil.which, ("python3", "python"))]
    paths = [Path(path) for path in named if path]
    return list(dict.fromkeys(str(p) for p in paths if "python" in p.name.lower() and p.is_file()))


def own_folders() -> list[Path]:
    """Blender's folders: what is in them goes away with a version of Blender or of the add-on."""
    named = [bpy.utils.resource_path("LOCAL"), bpy.utils.resource_path("SYSTEM")]
    named += [bpy.utils.user_resource(kind) for kind in ("SCRIPTS", "CONFIG")]
    named += [bpy.utils.user_resource("EXTENSIONS")] if bpy.app.version >= (4, 2, 0) else []
    found = [Path(path) for path in named if path]
    found += [Path(bpy.app.binary_path).parent] if bpy.app.binary_path else []
    shared = {Path(path) for path in ("/", "/usr", "/usr/bin", "/bin", "/usr/local/bin")}
    return [path for path in found if path not in shared]


def is_rendering() -> bool:
    """Whether a render is under way beside the window. It reads data that a timer must leave alone then."""
    return bpy.app.is_job_running("RENDER")


ADAPTIVE_IS_NEW = bpy.app.version < (5, 0, 0)  # a feature that Cycles calls experimental


def use_adaptive_subdivision(scene: Scene, item: Object, modifier: Modifier) -> bool:
    """Have Cycles divide an object as finely as it is seen. False where there is no Cycles.

    A setting of the modifier from 5.0 on; before, of the object, and experimental.
    """
    if "use_adaptive_subdivision" in modifier.bl_rna.properties:
        modifier.use_adaptive_subdivision = True
        return True
    if not hasattr(scene, "cycles") or not hasattr(item, "cycles"):
        return False
    scene.cycles.feature_set = "EXPERIMENTAL"
    item.cycles.use_adaptive_subdivision = True
    return True


def set_licence(data: AssetMetaData, licence: str) -> None:
    """Of an asset; there is no field for it before 3.5."""
    if "license" in data.bl_rna.properties:
        data.license = licence


def background_command(script: Path, *arguments: str) -> list[str]:
    """What runs a script in another Blender. The bpy module has no program: its Python runs the script."""
    if bpy.app.binary_path:
        program = [bpy.app.binary_path, "-b", "--factory-startup", "--python-exit-code", "1", "--python"]
        return [*program, str(script), "--", *arguments]
    return [sys.executable, str(script), "--", *arguments]
