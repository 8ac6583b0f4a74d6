"""Who plays the scenarios: somebody at the sidebar's tab, with the add-on's state in view. Inside Blender."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import bpy

from tests.gui.guikit import Place, Pointer, Sidebar, Steps, until

PANEL = "PATINA_PT_main"
ENGINE_S = 150.0  # for importing torch on a busy machine
RUN_S = 600.0
REDRAW_S = 0.3


def enable(archive: str) -> str:
    """Install the add-on as people do. Returns its package."""
    if bpy.app.version >= (4, 2, 0):
        bpy.ops.extensions.package_install_files(
            filepath=archive, repo="user_default", enable_on_install=True
        )
        package = "bl_ext.user_default.patina"
    else:
        bpy.ops.preferences.addon_install(filepath=archive)
        bpy.ops.preferences.addon_enable(module="patina")
        package = "patina"
    assert package in bpy.context.preferences.addons, f"not enabled: {package}"
    return package


class Artist:
    """Hands, eyes and what the plan says.

    Attributes:
        plan: of the whole performance; a scenario takes from it what it needs.
        pictures: the folder that pictures go to.
        package: the add-on's.
    """

    def __init__(self, plan: dict, package: str) -> None:
        self.plan, self.package = plan, package
        self.pictures = Path(plan["pictures"])
        self.pointer = Pointer()
        self.sidebar = Sidebar(self.pointer, "Patina", PANEL)
        self.opened: dict[type, type] = {}  # sub-panel → what stands for it while it shall be open
        self.preferences = bpy.context.preferences.addons[package].preferences

    def module(self, name: str) -> ModuleType:
        """A module of the add-on."""
        return sys.modules[f"{self.package}.{name}"]

    @property
    def pump(self) -> ModuleType:
        return self.module("pump")

    @property
    def inputs(self) -> bpy.types.PropertyGroup:
        return bpy.context.scene.patina

    @property
    def state(self) -> bpy.types.PropertyGroup:
        return bpy.context.window_manager.patina

    def set(self) -> None:
        """Bring the scene's settings to the plan's."""
        for name, value in self.plan.get("settings", {}).items():
            setattr(self.inputs, name, value)

    def note_engine(self) -> int:
        """Leave the engine's process number to whoever started Blender."""
        pid = self.pump.session.engine.pid
        with (self.pictures / "engines.txt").open("a") as file:
            file.write(f"{pid}\n")
        return pid

    def picture(self, name: str) -> Steps[None]:
        yield from self.sidebar.picture(self.pictures / f"{name}.png")

    def press(self, widget: str, across: tuple[float, ...] = (0.5, 0.2, 0.8)) -> Steps[Place]:
        """Find a button and click it. Returns where it was."""
        yield REDRAW_S
        places = yield from self.sidebar.find(widget, across=across)
        yield from self.pointer.click(places[widget])
        return places[widget]

    def describe(self, prompt: str) -> Steps[None]:
        """Type the prompt into its field."""
        yield from self.press("patina.prompt")
        yield 0.2
        yield from self.pointer.key("A", ctrl=True)
        yield from self.pointer.write(prompt)
        yield from self.pointer.key("RET")
        yield from until(lambda: self.inputs.prompt == prompt, "the typed prompt")

    def unfold(self, *names: str) -> None:
        """Have only these sub-panels open, parents named as well; none: as the add-on has them.

        Blender remembers whether a panel is open, and the header of a closed one cannot be found. So what
        shall be open is a panel of another name; all are registered anew, to keep their order.
        """
        panels = [cls for cls in self.module("panels").CLASSES if hasattr(cls, "bl_parent_id")]
        for cls in reversed(panels):
            bpy.utils.unregister_class(self.opened.get(cls, cls))
        renamed = {name: f"{name}_open" for name in names}
        self.opened = {
            cls: type(
                renamed[cls.__name__], (cls,), {"bl_idname": renamed[cls.__name__], "bl_options": set()}
            )
            for cls in panels
            if cls.__name__ in names
        }
        for cls in panels:
            used = self.opened.get(cls, cls)
            parent = cls.bl_parent_id.removesuffix("_open")
            used.bl_parent_id = renamed.get(parent, parent)
            bpy.utils.register_class(used)
