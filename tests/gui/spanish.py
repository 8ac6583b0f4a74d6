"""The add-on in an artist's own language: what Blender looks up, and what stays when it is disabled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy
from guikit import Steps, until
from using import finish_run

if TYPE_CHECKING:
    from scenario import Artist

SHEETS = {  # sub-panels that the window has room for at a time
    "settings": ("settings",),
    "using": ("material", "edit", "start"),
    "engine": ("files", "history", "engine"),
    "library": ("sources", "library"),
}
WORDS = {"Generate": "Generar", "Describe a surface first": "Primero hay que describir una superficie"}


def spanish(artist: Artist) -> Steps[None]:
    """Every panel in Spanish, photographed; nothing of it stays when the add-on is off."""
    speak_spanish()
    translations = bpy.app.translations
    for text, said in WORDS.items():
        assert translations.pgettext_iface(text) == translations.pgettext_iface(text, "Operator") == said
    artist.inputs.prompt, artist.inputs.preset = "red bricks", "peeling_paint"
    yield from artist.sidebar.open()
    yield from artist.picture("empty")
    finish_run(artist, artist.pictures.parent / "run")
    yield from artist.press("patina.apply")
    cube = bpy.data.objects["Cube"]
    yield from until(lambda: "patina_result" in (cube.active_material or {}), "a material on the cube", 10)
    yield from artist.picture("applied")
    artist.pump.session.show([], 0, None)  # so that the sub-panels have the window to themselves
    artist.pump.mirror()
    for sheet, panels in SHEETS.items():
        for name in panels:
            show(name, {"DEFAULT_CLOSED"}, set())
        yield from artist.picture(sheet)
        for name in panels:
            show(name, set(), {"DEFAULT_CLOSED"})
    disable(artist)


def speak_spanish() -> None:
    """As the preferences do it."""
    view = bpy.context.preferences.view
    view.language = "es"
    for what in ("interface", "tooltips", "reports"):  # reports: since 4.5
        if hasattr(view, f"use_translate_{what}"):
            setattr(view, f"use_translate_{what}", True)


def show(name: str, before: set[str], after: set[str]) -> None:
    """Open or close a sub-panel: whether it starts closed counts the first time that it is drawn."""
    panel = getattr(bpy.types, f"PATINA_PT_{name}")
    assert panel.bl_options == before, name
    bpy.utils.unregister_class(panel)
    panel.bl_options = after
    bpy.utils.register_class(panel)


def disable(artist: Artist) -> None:
    """Blender knows none of the words any more, and takes others under the same name."""
    translations, package = bpy.app.translations, artist.package
    bpy.ops.preferences.addon_disable(module=package)
    text = "Describe a surface first"
    assert translations.pgettext_iface(text) == text
    name = f"{package}.translations"
    translations.register(name, {})  # raises where ours were left behind
    translations.unregister(name)
