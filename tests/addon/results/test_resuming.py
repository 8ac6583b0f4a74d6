"""Runs that were cancelled, and go on later."""

from __future__ import annotations

import os

import bpy
import pytest

from tests.addon.results.runs import panel, press, runs
from tests.addon.support import write_png


def test_a_cancelled_run_goes_on_in_its_folder(chosen, small_engine):
    asked, folder = small_engine(), chosen.session.folder
    with pytest.raises(RuntimeError, match="not cancelled"):
        bpy.ops.patina.resume()
    (folder / "checkpoint.safetensors").touch()
    chosen.session.show(chosen.session.results, 0, folder)
    chosen.package.pump.mirror()
    assert "patina.resume" in panel().operators()
    press(chosen, "slow")
    assert bpy.ops.patina.resume() == {"FINISHED"}
    assert runs() == [("red bricks", "Go On")]
    with pytest.raises(RuntimeError, match="waits for its turn"):
        bpy.ops.patina.resume()
    bpy.ops.patina.cancel()
    chosen.until(lambda: not chosen.state.job)
    method, params = asked()[-1]
    assert (method, params["folder"]) == ("resume", str(folder))
    assert set(params) <= {"folder", "history", "device"}, "a run goes on with its own settings"


def test_textures_that_a_run_wrote_again_are_read_again(chosen):
    assert bpy.ops.patina.apply() == {"FINISHED"}
    item, path = bpy.data.objects["Cube"], chosen.session.chosen.files["basecolor"]
    image = next(n.image for n in item.active_material.node_tree.nodes if n.label == "Base Color")
    before = tuple(image.pixels[:3])
    write_png(path, "emission")
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 10**9))
    assert bpy.ops.patina.apply() == {"FINISHED"}
    assert tuple(image.pixels[:3]) != before
    image.pixels[0] = 0.25  # painted on: the artist's own by now
    write_png(path, "basecolor")
    assert bpy.ops.patina.apply() == {"FINISHED"}
    assert image.pixels[0] == pytest.approx(0.25, abs=0.01)


def test_deleting_a_cancelled_run_takes_its_checkpoint_along(chosen):
    module, folder = chosen.package.results, chosen.session.folder
    (folder / "checkpoint.safetensors").touch()
    for result in chosen.session.results:
        list(module.delete(result.sidecar, module.about(module.content_of(result.sidecar))))
    assert not folder.exists()
