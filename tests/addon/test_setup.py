"""The engine from Blender: installing it from the panel, every state of it, and the preferences."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path
from types import SimpleNamespace

import bpy
import pytest

from tests.addon.link import wheels
from tests.addon.link.fake import TALK
from tests.addon.support import ROOT, Layout, draw, wait_gone


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("place")
    wheels.make(folder)
    return folder


@pytest.fixture
def chosen(blender):
    return bpy.context.preferences.addons["patina"].preferences


@pytest.fixture
def setup(blender, chosen, place, tmp_path, monkeypatch):
    """No engine anywhere, and all that installing one without a network needs."""
    monkeypatch.setenv("PATINA_ENGINE_PYTHON", "")
    monkeypatch.setenv("PATINA_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(
        blender.package.paths, "HERE", tmp_path / "extensions/patina"
    )  # no checkout around it
    chosen.engine_source, chosen.wheels_folder = str(place / "program"), str(place / "wheels")
    chosen.installer_python = sys.executable
    chosen.backend = "cuda" if sys.platform == "linux" else "cpu"  # a default build, with hashes
    module = blender.package.setup
    module.refresh()
    return module


@pytest.fixture
def shown(setup):
    return bpy.context.window_manager.patina_setup


def main():
    return draw(bpy.types.PATINA_PT_main)


def preferences_layout(chosen):
    """What the preferences draw, on a layout that records."""

    class Stand:
        layout, bl_rna = Layout(), chosen.bl_rna

        def __getattr__(self, name):
            return getattr(chosen, name)

    stand = Stand()
    type(chosen).draw(stand, bpy.context)
    return stand.layout


def test_from_an_empty_folder_to_a_picture_and_back(blender, setup, shown, tmp_path):
    """What an artist does on the first day."""
    assert shown.state == "missing"
    layout = main()
    assert "patina.install_engine" in layout.operators()
    assert not [text for text in layout.texts() if "ERROR" in text]
    assert bpy.ops.patina.install_engine() == {"FINISHED"}
    assert shown.running and not bpy.ops.patina.install_engine.poll()
    layout = main()
    assert "patina.cancel_install" in layout.operators()
    assert "patina.install_engine" not in layout.operators()
    seen = []
    blender.until(lambda: seen.append((shown.progress, shown.text)) or not shown.running, 60)
    assert (shown.state, shown.message) == ("ready", ""), blender.package.operators.engine.report()
    assert [bar for bar, _ in seen] == sorted(bar for bar, _ in seen)
    assert {"Installing the installer", "Trying the engine"} <= {text for _, text in seen}
    assert main().operators() == ["patina.shuffle_seed", "patina.generate"]
    launch = blender.package.preferences.launch()
    assert launch.root == tmp_path / "home/patina-engine/program"

    addon = tmp_path / "extensions/patina"
    addon.mkdir(parents=True)
    for version, state in (("9.10", "outdated"), ("9.9", "ready")):
        known = {"file": "patina-engine.zip", "sha256": "ab", "version": version}
        (addon / "engine.json").write_text(json.dumps(known))
        setup.refresh()
        assert shown.state == state
        assert ("Update Engine" in main().texts()) is (state == "outdated")

    blender.inputs.prompt = "moss"
    bpy.ops.patina.generate()
    blender.until(lambda: not blender.state.job, 30)
    assert (blender.state.message, blender.session.folder is not None) == ("", True)

    assert bpy.ops.patina.remove_engine() == {"FINISHED"}
    blender.until(lambda: not shown.running, 30)
    assert shown.state == "missing" and not (tmp_path / "home/patina-engine").exists()
    assert blender.session.folder is not None, "removing the engine took the results"
    blender.until(lambda: not blender.timers.queue, 10)


def test_before_the_press_the_panel_says_where_it_goes_and_how_much_room_is_there(
    blender, setup, shown, chosen, tmp_path, monkeypatch
):
    disk = {"free": int(50e9)}
    monkeypatch.setattr(blender.package.room.shutil, "disk_usage", lambda _: SimpleNamespace(**disk))
    chosen.backend = "cpu"
    layout = main()
    assert "install_folder" in layout.properties()
    assert str(tmp_path / "home/patina-engine") in "".join(layout.texts()).replace("In ", "")
    assert shown.room == "It takes 1 MB of the 50.0 GB that are free there."
    assert not shown.short

    disk["free"] = int(0.2e9)
    chosen.install_folder = str(tmp_path / "other")  # looks again at once
    assert shown.folder == str(tmp_path / "other/patina-engine")
    assert shown.short
    assert shown.room == "It takes 1 MB, and only 0.2 GB are free there. Choose a folder elsewhere."
    assert shown.room in " ".join(main().texts())

    chosen.engine_source = str(tmp_path / "nothing.zip")
    setup.refresh()
    sizes = json.loads((ROOT / "requirements/sizes.json").read_text())
    for backend in sizes:
        chosen.backend = backend
        setup.refresh()
        assert shown.room.startswith(f"It takes {sizes[backend] / 1e9:.1f} GB, and only 0.2 GB")
    monkeypatch.setattr(blender.package.room, "LIKELY", ("mps", "cuda12", "cpu"))
    monkeypatch.setattr(blender.package.room.machine, "torch_build", {"mps": "", "cuda12": ""}.get)
    chosen.backend = "auto"
    setup.refresh()
    least, most = sizes["mps"] / 1e9, sizes["cuda12"] / 1e9
    assert shown.room.startswith(f"It takes {least:.1f} GB to {most:.1f} GB, and only 0.2 GB")


def test_the_engines_file_is_read_once_for_its_size(blender, setup, shown, chosen, place, monkeypatch):
    read, source = [], blender.package.room.source
    sizes = source.sizes
    monkeypatch.setattr(source, "sizes", lambda opened: read.append(opened) or sizes(opened))
    blender.package.room._read.cache_clear()
    for chosen.backend in ("cpu", "cuda", "cpu"):
        setup.refresh()
        assert shown.room.startswith("It takes 1 MB")
    assert len(read) == 1
    os.utime(place / "program/requirements/sizes.json")
    setup.refresh()
    assert len(read) == 2


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_engines_file_that_was_damaged_on_its_way_leaves_the_size_to_the_add_on(
    blender, setup, shown, chosen, place, tmp_path, method
):
    """One whose table of contents is whole, as that of a download with wrong bytes is."""
    archive = tmp_path / "patina-engine.zip"
    with zipfile.ZipFile(archive, "w", method) as file:
        for path in sorted((place / "program").rglob("*")):
            file.write(path, Path("patina-engine") / path.relative_to(place / "program"))
        entry = file.getinfo("patina-engine/requirements/sizes.json")
    chosen.backend, chosen.engine_source = "cpu", str(archive)
    setup.refresh()
    assert shown.room.startswith("It takes 1 MB")
    content = bytearray(archive.read_bytes())
    begin = entry.header_offset + zipfile.sizeFileHeader + len(entry.filename)
    content[begin] ^= 0xFF
    archive.write_bytes(content)
    os.utime(archive, ns=(0, 0))  # not at the very moment of the good one
    setup.refresh()
    assert shown.room.startswith(f"It takes {blender.package.room.SIZES['cpu'] / 1e9:.1f} GB")


def test_a_press_on_generate_says_what_is_missing_once(blender, setup, shown):
    blender.inputs.prompt = "moss"
    with pytest.raises(RuntimeError, match="not installed yet"):
        bpy.ops.patina.generate()
    assert blender.state.state == "missing"
    layout = main()
    assert layout.operators().count("patina.install_engine") == 1
    assert not [text for text in layout.texts() if "not installed yet" in text]


def test_cancelled_it_is_incomplete_and_goes_on(blender, setup, shown):
    bpy.ops.patina.install_engine()
    blender.until(lambda: shown.text == "Installing the installer", 30)
    pid = setup.installation._process.pid
    assert bpy.ops.patina.cancel_install() == {"FINISHED"}
    assert not bpy.ops.patina.cancel_install.poll()
    blender.until(lambda: not shown.running, 20)
    wait_gone(pid)
    assert (shown.state, shown.message) == ("incomplete", "")
    assert "Go On Installing" in main().texts()


def test_a_failure_is_one_sentence_with_a_log_and_another_try(blender, setup, shown, chosen, place, tmp_path):
    chosen.engine_source = str(tmp_path)
    bpy.ops.patina.install_engine()
    blender.until(lambda: not shown.running, 30)
    assert "is not Patina's engine" in shown.message
    layout = main()
    assert {"patina.copy_log", "patina.dismiss_install", "patina.install_engine"} <= set(layout.operators())
    assert "It lacks engine/__init__.py" in blender.package.operators.engine.report()
    assert bpy.ops.patina.dismiss_install() == {"FINISHED"}
    assert shown.message == ""


def test_disabling_the_add_on_ends_an_installation(blender, setup, shown):
    bpy.ops.patina.install_engine()
    blender.until(lambda: shown.text == "Installing the installer", 30)
    pid = setup.installation._process.pid
    bpy.ops.preferences.addon_disable(module="patina")
    wait_gone(pid)
    assert not blender.timers.queue


def test_no_installer_outlives_blender(tmp_path, place):
    script = f"""
import os
os.environ["BLENDER_USER_RESOURCES"] = {str(tmp_path)!r}
os.environ["PATINA_HOME"] = {str(tmp_path / "home")!r}
os.makedirs({str(tmp_path)!r} + "/scripts/addons")
os.symlink({str(ROOT / "addon")!r}, {str(tmp_path)!r} + "/scripts/addons/patina")
import bpy, sys, time
bpy.ops.preferences.addon_enable(module="patina")
chosen = bpy.context.preferences.addons["patina"].preferences
chosen.engine_source, chosen.wheels_folder = {str(place / "program")!r}, {str(place / "wheels")!r}
bpy.ops.patina.install_engine()
setup, pump = sys.modules["patina.setup"], sys.modules["patina.pump"]
end = time.monotonic() + 30
while setup.installation.text != "Installing the installer" and time.monotonic() < end:
    pump.tick()
    time.sleep(0.02)
print("INSTALLER", setup.installation._process.pid, flush=True)
os.kill(os.getpid(), 9)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as child:
        line = next(line for line in child.stdout if line.startswith("INSTALLER"))
        child.wait(60)
    wait_gone(int(line.split()[1]))


def test_blenders_own_folders_are_refused(blender, setup, shown, chosen):
    chosen.install_folder = str(Path(bpy.utils.user_resource("SCRIPTS")) / "addons")
    with pytest.raises(RuntimeError, match="inside a folder of Blender's"):
        bpy.ops.patina.install_engine()
    assert not shown.running
    assert "patina.install_engine" in main().operators()


def test_without_online_access_there_is_a_remedy(blender, setup, shown, chosen):
    bpy.context.preferences.system.use_online_access = False
    chosen.wheels_folder = ""
    setup.refresh()
    assert not bpy.ops.patina.install_engine.poll()
    with pytest.raises(RuntimeError, match="may not use the internet"):
        bpy.ops.patina.install_engine()
    assert "patina.allow_online" in main().operators()
    assert blender.package.preferences.launch().variables["HF_HUB_OFFLINE"] == "1"
    assert bpy.ops.patina.allow_online() == {"FINISHED"}
    assert bpy.ops.patina.install_engine.poll()
    assert "patina.allow_online" not in main().operators()
    bpy.context.preferences.system.use_online_access = False


def test_a_folder_of_wheels_needs_no_online_access(setup):
    bpy.context.preferences.system.use_online_access = False
    setup.refresh()
    assert bpy.ops.patina.install_engine.poll()
    assert "patina.allow_online" not in main().operators()


def test_without_the_engines_file_there_is_a_way_to_choose_it(blender, setup, shown, chosen, place):
    chosen.engine_source = ""
    setup.refresh()
    assert "patina.choose_engine_file" in main().operators()
    with pytest.raises(RuntimeError, match="Choose it as Engine File"):
        bpy.ops.patina.install_engine()
    bpy.ops.patina.dismiss_install()
    assert bpy.ops.patina.choose_engine_file(filepath=str(place / "program")) == {"FINISHED"}
    assert "patina.choose_engine_file" not in main().operators()


def test_the_published_file_is_found_beside_the_add_on_and_by_its_hash(blender, tmp_path):
    addon = tmp_path / "extensions/patina"
    addon.mkdir(parents=True)
    find = blender.package.paths.engine_source
    assert find("", addon) == (None, "")
    (addon / "engine.json").write_text(
        json.dumps({"file": "patina-engine-9.zip", "sha256": "ab", "version": "9"})
    )
    assert find("", addon) == (None, "")
    (tmp_path / "extensions/patina-engine-9.zip").touch()
    assert find("", addon) == (tmp_path / "extensions/patina-engine-9.zip", "ab")
    assert find("/elsewhere/patina-engine-9.zip", addon) == (Path("/elsewhere/patina-engine-9.zip"), "ab")
    assert find("/a/checkout", addon) == (Path("/a/checkout"), "")


def test_the_user_folder_is_the_engines(blender):
    """Two spellings of one rule: engine/home.py cannot be imported here."""
    code = (
        "import json; from engine import home; from pathlib import Path\n"
        "cases = [({'PATINA_HOME': '/x'}, 'linux'), ({'XDG_DATA_HOME': '/d'}, 'linux'), ({}, 'linux'),\n"
        "         ({}, 'darwin'), ({'LOCALAPPDATA': '/l'}, 'win32'), ({}, 'win32')]\n"
        "print(json.dumps([[case, str(home.folder(*case))] for case in cases]))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    for case, expected in json.loads(done.stdout):
        assert str(blender.package.paths.home(*case)) == expected


STATES = {
    "ready": {},
    "missing": {"state": "missing", "problem": "The engine is not installed yet."},
    "no file": {"state": "missing", "problem": "No.", "source": "", "installed": False, "offline": True},
    "incomplete": {"state": "incomplete", "problem": "No.", "installed": True},
    "installing": {"state": "missing", "running": True, "progress": 0.4, "text": "Downloading: 1 of 2 MB"},
    "stopping": {"state": "missing", "running": True, "cancelling": True, "text": "Stopping"},
    "failed": {"state": "incomplete", "problem": "No.", "message": "The disk is full."},
    "damaged": {
        "state": "incomplete",
        "installed": True,
        "message": "3 files are damaged. Repair the engine.",
    },
}


@pytest.mark.parametrize("state", STATES)
def test_panel_and_preferences_draw_in_every_state(blender, chosen, state):
    shown = bpy.context.window_manager.patina_setup
    shown.source = "/somewhere/patina-engine-9.zip"
    for name, value in STATES[state].items():
        setattr(shown, name, value)
    for layout in (main(), preferences_layout(chosen), draw(bpy.types.PATINA_PT_engine)):
        assert layout.calls
        assert not [text for text in layout.texts() if "None" in text]
    running = STATES[state].get("running", False)
    assert ("patina.cancel_install" in main().operators()) is running
    assert ("Installing" in draw(bpy.types.PATINA_PT_engine).texts()) is running
    calm = state == "ready"
    assert ("patina.install_engine" in main().operators()) is not (calm or running)


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


def test_a_remote_command_that_is_not_here_is_named(blender, chosen):
    chosen.engine_command = "no-such-program host patina serve"
    blender.inputs.prompt = "moss"
    with pytest.raises(RuntimeError, match="'no-such-program', which is not here"):
        bpy.ops.patina.generate()


def test_what_the_engine_may_use_reaches_it(blender, chosen, tmp_path):
    launch = blender.package.preferences.launch
    assert not {"PATINA_MEMORY_GB", "PATINA_HOME"} & set(launch().variables)
    chosen.memory_gb, chosen.install_folder = 6.5, str(tmp_path)
    assert launch().variables["PATINA_MEMORY_GB"] == "6.5"
    assert launch().variables["PATINA_HOME"] == str(tmp_path), "models would fill the disk that was avoided"


def test_every_preference_explains_itself(chosen):
    for item in chosen.bl_rna.properties:
        if item.identifier not in {"rna_type", "bl_idname"}:
            assert item.description and not item.description.endswith("."), item.identifier


def test_a_new_file_shows_the_installation_that_goes_on(blender, setup, shown):
    bpy.ops.patina.install_engine()
    blender.until(lambda: shown.text == "Installing the installer", 30)
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    fresh = bpy.context.window_manager.patina_setup
    assert fresh.running and fresh.text == "Installing the installer"
    bpy.ops.patina.cancel_install()
    blender.until(lambda: not fresh.running, 20)


def test_a_crash_keeps_what_was_finished(blender, chosen, tmp_path):
    script = tmp_path / "dies.py"
    script.write_text(TALK + "for method, id, params in requests():\n    os._exit(3)\n")
    blender.finish_run(variations=2)
    chosen.engine_command = f"{shlex.quote(sys.executable)} {shlex.quote(str(script))}"
    blender.inputs.prompt = "moss"
    bpy.ops.patina.generate()
    blender.until(lambda: not blender.state.job, 20)
    assert blender.state.state == "failed"
    layout = main()
    assert {"patina.restart_engine", "patina.copy_log", "patina.apply"} <= set(layout.operators())
    assert len(blender.state.results) == 2
