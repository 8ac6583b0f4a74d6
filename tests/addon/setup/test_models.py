"""Model packs in the preferences: listed, downloaded, stopped, removed."""

from __future__ import annotations

import shlex
import sys
import textwrap

import bpy
import pytest

from tests.addon.link.fake import TALK
from tests.addon.setup.drawn import preferences_layout

PACKS = [
    {"id": "starter", "label": "Starter", "bytes": 46e6, "licence": "GPL", "installed": True, "ships": True,
     "verified": True, "description": "Comes along"},
    {"id": "classic", "label": "Classic", "bytes": 1.6e9, "licence": "MIT", "installed": False,
     "ships": False, "verified": False, "description": "Published networks"},
]  # fmt: skip


KEEPER = f"""
packs = {PACKS!r}
for method, id, params in requests():
    if method == "initialize":
        greet(id)
        ready()
    elif method == "models/list":
        answer(id, packs=packs)
    elif method == "models/download":
        tell("job/progress", job=id, phase="download", step=400000000, total=1600000000, loss=None,
             steps_per_second=None, seconds_left=None)
        if os.environ.get("PATINA_SLOW"):
            for method, other, params in requests():
                answer(other, cancelled=True)
                refuse(id, "Cancelled.", "cancelled")
                break
        else:
            time.sleep(0.4)
            packs[1]["installed"] = True
            answer(id, pack=packs[1])
    elif method == "models/remove":
        answer(id, pack=params["pack"], freed=1600000000)
    elif method == "models/unload":
        refuse(id, "Not now.", "internal")
"""


@pytest.fixture
def keeper(blender, chosen, tmp_path):
    """An engine that knows of models, started by a command as a remote one is."""
    script = tmp_path / "keeper.py"
    script.write_text(TALK + textwrap.dedent(KEEPER))
    chosen.engine_command = f"{shlex.quote(sys.executable)} {shlex.quote(str(script))}"
    bpy.context.preferences.system.use_online_access = True
    yield bpy.context.window_manager.patina_packs
    bpy.context.preferences.system.use_online_access = False


def settled(blender, packs):
    blender.until(lambda: not packs.busy, 20)


def test_models_are_listed_downloaded_and_removed(blender, chosen, keeper):
    assert "patina.list_packs" in preferences_layout(chosen).operators()
    bpy.ops.patina.list_packs()
    settled(blender, keeper)
    assert [(item.key, item.size, item.installed) for item in keeper.items] == [
        ("starter", "46 MB", True),
        ("classic", "1.6 GB", False),
    ]
    layout = preferences_layout(chosen)
    assert layout.operators().count("patina.download_pack") == 1
    assert {"Comes with Patina", "1.6 GB, MIT"} <= set(layout.texts())
    bpy.ops.patina.download_pack(pack="classic")
    assert not bpy.ops.patina.download_pack.poll()
    seen = set()
    blender.until(lambda: seen.add((keeper.text, round(keeper.progress, 2))) or not keeper.busy, 20)
    assert ("Downloading: 400 of 1600 MB", 0.25) in seen
    assert [item.installed for item in keeper.items] == [True, True]
    assert "patina.remove_pack" in preferences_layout(chosen).operators()
    bpy.ops.patina.remove_pack(pack="classic")
    settled(blender, keeper)
    assert keeper.message == "1.6 GB are free again."
    assert [item.installed for item in keeper.items] == [True, False]


def test_a_download_is_stopped(blender, chosen, keeper, monkeypatch):
    monkeypatch.setenv("PATINA_SLOW", "1")
    bpy.ops.patina.list_packs()
    settled(blender, keeper)
    bpy.ops.patina.download_pack(pack="classic")
    blender.until(lambda: keeper.progress > 0, 20)
    assert "patina.cancel_download" in preferences_layout(chosen).operators()
    bpy.ops.patina.cancel_download()
    settled(blender, keeper)
    assert "kept for the next time" in keeper.message


def test_memory_is_freed_only_where_an_engine_runs(blender, chosen, keeper):
    assert not bpy.ops.patina.free_memory.poll()
    bpy.ops.patina.list_packs()
    settled(blender, keeper)
    bpy.ops.patina.free_memory()
    settled(blender, keeper)
    assert keeper.message == "Not now."


def test_models_need_online_access_to_come(blender, keeper):
    bpy.context.preferences.system.use_online_access = False
    assert not bpy.ops.patina.download_pack.poll()
    assert bpy.ops.patina.list_packs.poll()
