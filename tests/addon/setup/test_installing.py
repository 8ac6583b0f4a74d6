"""Installing the engine from the panel: the whole way, its ends, and what stands in its way."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import bpy
import pytest

from tests.addon.setup.drawn import main
from tests.addon.support import ROOT, wait_gone


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


def test_a_new_file_shows_the_installation_that_goes_on(blender, setup, shown):
    bpy.ops.patina.install_engine()
    blender.until(lambda: shown.text == "Installing the installer", 30)
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    fresh = bpy.context.window_manager.patina_setup
    assert fresh.running and fresh.text == "Installing the installer"
    bpy.ops.patina.cancel_install()
    blender.until(lambda: not fresh.running, 20)
