"""The add-on in an artist's own language: what Blender looks up, and what stays when it is disabled."""

from __future__ import annotations

import bpy

from tests.gui.artist import Artist
from tests.gui.guikit import Steps, until
from tests.gui.scenarios.using import finish_run

OPEN = ("PATINA_PT_settings", "PATINA_PT_material", "PATINA_PT_engine")
WORDS = {"Generate": "Generar", "Describe a surface first": "Primero hay que describir una superficie"}


def play(artist: Artist) -> Steps[None]:
    """Panels in Spanish, photographed; nothing of it stays when the add-on is off. The last scenario."""
    speak_spanish()
    translations = bpy.app.translations
    for text, said in WORDS.items():
        assert translations.pgettext_iface(text) == translations.pgettext_iface(text, "Operator") == said
    artist.inputs.prompt, artist.inputs.preset = "red bricks", "peeling_paint"
    artist.unfold(*OPEN)
    yield from artist.sidebar.open()
    yield from artist.picture("spanish")
    finish_run(artist, artist.pictures.parent / "spanish run")
    yield from artist.press("patina.apply")
    cube = bpy.data.objects["Cube"]
    yield from until(lambda: "patina_result" in (cube.active_material or {}), "a material on the cube", 10)
    yield from artist.picture("spanish applied")
    artist.unfold()
    disable(artist)


def speak_spanish() -> None:
    """As the preferences do it."""
    view = bpy.context.preferences.view
    view.language = "es"
    for what in ("interface", "tooltips", "reports"):  # reports: since 4.5
        if hasattr(view, f"use_translate_{what}"):
            setattr(view, f"use_translate_{what}", True)


def disable(artist: Artist) -> None:
    """Blender knows none of the words any more, and takes others under the same name."""
    translations, package = bpy.app.translations, artist.package
    bpy.ops.preferences.addon_disable(module=package)
    text = "Describe a surface first"
    assert translations.pgettext_iface(text) == text
    name = f"{package}.translations"
    translations.register(name, {})  # raises where ours were left behind
    translations.unregister(name)
