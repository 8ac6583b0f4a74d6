"""The chosen result and what can be done with it; the queue's panel; the last prompts."""

from __future__ import annotations

import json
import os
import signal
import sys
import textwrap
from pathlib import Path

import bpy
import pytest

from tests.addon.link.fake import TALK
from tests.addon.results_on_disk import write_run
from tests.addon.support import MAPS, draw, write_png

ENGINE = """
import pathlib
asked = pathlib.Path(__file__).with_name("asked.jsonl")
for method, id, params in requests():
    if method == "initialize":
        answer(id, name="fake", version="9.9", protocol=1, methods=METHODS, packs=[], presets=[])
        ready()
    elif method == "cancel":
        answer(id, cancelled=True)
        refuse(params["job"], "Cancelled.", "cancelled")
    else:
        with asked.open("a") as file:
            file.write(json.dumps([method, params]) + "\\n")
        tell("job/progress", job=id, phase="guide", step=1, total=4, loss=None, steps_per_second=1.0,
             seconds_left=30.0)
        if "slow" not in params.get("prompt", ""):
            answer(id, folder=params["folder"], prompt=params.get("prompt", "red bricks"), variations=[])
"""


@pytest.fixture
def small_engine(blender, tmp_path, monkeypatch):
    """An engine of a few lines; it notes what it was asked. Returns how to read that."""

    def use(methods=("generate", "refine", "vary")):
        package = tmp_path / "root" / "engine"
        package.mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").write_text("")
        (package / "__main__.py").write_text(f"{TALK}METHODS = {list(methods)}\n{textwrap.dedent(ENGINE)}")
        monkeypatch.setenv("PATINA_ENGINE_ROOT", str(package.parent))
        monkeypatch.setenv("PATINA_ENGINE_PYTHON", sys.executable)

        def asked():
            noted = package / "asked.jsonl"
            return [json.loads(line) for line in noted.read_text().splitlines()]

        return asked

    return use


@pytest.fixture
def chosen(blender):
    """Two variations of a run on disk, the first chosen."""
    folder = blender.folder / "results" / "2026-01-01_100000_1" / "001_red_bricks"
    sidecars = write_run(folder, 2)
    for path in folder.glob("*.png"):
        write_png(path, path.stem.split("_v")[1].split("_", 1)[1])
    module = blender.package.results
    results = [module.result_at(path, module.about(module.content_of(path))) for path in sidecars]
    blender.session.show(results, 0, folder)
    blender.package.pump.mirror()
    bpy.context.view_layer.objects.active = bpy.data.objects["Cube"]
    return blender


def press(blender, *prompts):
    for prompt in prompts:
        blender.inputs.prompt = prompt
        assert bpy.ops.patina.generate() == {"FINISHED"}


def panel():
    return draw(bpy.types.PATINA_PT_main)


def runs():
    return [(run.title, run.preset) for run in bpy.context.window_manager.patina_queue.runs]


def textures(item):
    return {
        node.label: Path(bpy.path.abspath(node.image.filepath)).name
        for node in item.active_material.node_tree.nodes
        if node.type == "TEX_IMAGE"
    }


def test_generate_queues_while_a_run_goes_on(blender, small_engine):
    asked = small_engine()
    blender.inputs.preset = "stone"
    press(blender, "slow", "moss", "oak")
    label = blender.package.presets.load_all()["stone"].label
    assert runs() == [("moss", label), ("oak", label)]
    blender.until(lambda: blender.state.progress > 0)
    layout = panel()
    assert {"patina.queue_clear", "patina.queue_remove", "patina.cancel"} <= set(layout.operators())
    assert [text for text in layout.texts() if text.startswith("2 waiting, ")]
    assert f"moss ({label})" in layout.texts()
    assert layout.texts().count(f"slow ({label})") == 1, "above the bar alone"
    assert layout.operators().count("patina.cancel") == 1
    assert layout.texts().index(f"slow ({label})") < layout.texts().index(f"moss ({label})")
    number = bpy.context.window_manager.patina_queue.runs[0].number
    assert bpy.ops.patina.queue_remove(number=number) == {"FINISHED"}
    assert runs() == [("oak", label)]
    bpy.ops.patina.cancel()
    blender.until(lambda: not blender.state.job)
    assert [params["prompt"] for _, params in asked()] == ["slow", "oak"]
    assert runs() == []
    assert "patina.queue_clear" not in panel().operators()


def test_cancelling_all(blender, small_engine):
    asked = small_engine()
    assert not bpy.ops.patina.cancel_all.poll()
    press(blender, "slow", "moss", "oak")
    blender.until(lambda: blender.state.progress > 0)
    assert "patina.cancel_all" in panel().operators()
    assert bpy.ops.patina.cancel_all() == {"FINISHED"}
    assert runs() == []
    assert bpy.ops.patina.cancel_all() == {"FINISHED"}  # pressed twice
    blender.until(lambda: not blender.state.job)
    assert [params["prompt"] for _, params in asked()] == ["slow"]
    assert blender.state.message == ""


def test_an_engine_killed_with_a_queue_loses_nothing(blender, small_engine):
    asked = small_engine()
    press(blender, "slow one", "moss", "oak")
    blender.until(lambda: blender.state.progress > 0)
    os.kill(blender.session.engine.pid, signal.SIGKILL)
    blender.until(lambda: blender.state.state == "failed", 10)
    assert [title for title, _ in runs()] == ["moss", "oak", "slow one"]
    layout = panel()
    assert {"patina.queue_retry", "patina.queue_go_on", "patina.restart_engine"} <= set(layout.operators())
    assert bpy.ops.patina.restart_engine() == {"FINISHED"}
    blender.until(lambda: not blender.state.job and len(asked()) == 3)
    assert [title for title, _ in runs()] == ["slow one"]
    assert bpy.ops.patina.queue_retry(number=blender.session.queue.lost[0].run.number) == {"FINISHED"}
    assert runs() == []
    blender.until(lambda: len(asked()) == 4)
    assert asked()[3][1]["prompt"] == "slow one"
    first, again = asked()[0][1], asked()[3][1]
    assert {**first, "folder": ""} == {**again, "folder": ""}
    assert first["folder"] != again["folder"]


def test_going_on_without_the_run_that_failed(blender, small_engine):
    asked = small_engine()
    press(blender, "slow", "moss")
    blender.until(lambda: blender.state.progress > 0)
    os.kill(blender.session.engine.pid, signal.SIGKILL)
    blender.until(lambda: blender.state.state == "failed", 10)
    assert bpy.ops.patina.queue_go_on() == {"FINISHED"}
    blender.until(lambda: not blender.state.job)
    assert asked()[-1][1]["prompt"] == "moss"
    assert bpy.ops.patina.queue_clear() == {"FINISHED"}
    assert runs() == []
    assert not bpy.ops.patina.queue_clear.poll()


def test_loading_a_file_in_mid_job_keeps_the_queue(blender, small_engine, tmp_path):
    asked = small_engine()
    path = tmp_path / "other.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    press(blender, "slow", "moss")
    blender.until(lambda: blender.state.progress > 0)
    bpy.ops.wm.open_mainfile(filepath=str(path))
    assert [title for title, _ in runs()] == ["moss"]
    assert blender.state.job
    bpy.ops.patina.cancel()
    blender.until(lambda: not blender.state.job)
    assert asked()[-1][1]["prompt"] == "moss"


def test_a_file_saved_in_mid_job_opens_calm_afterwards(blender, small_engine, tmp_path):
    small_engine()
    press(blender, "slow")
    blender.until(lambda: blender.state.progress > 0)
    path = str(tmp_path / "in_mid_job.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    assert blender.state.job, "the run was lost with its own file"
    bpy.ops.patina.cancel()
    blender.until(lambda: not blender.state.job)
    bpy.ops.wm.open_mainfile(filepath=path)
    assert not blender.state.job
    assert blender.inputs.prompt == "slow"
    assert "patina.cancel" not in panel().operators()


def test_undo_in_mid_job_keeps_run_and_queue(blender, small_engine):
    asked = small_engine()
    bpy.ops.ed.undo_push(message="before")
    press(blender, "slow", "moss")
    bpy.data.objects["Cube"].location.x = 3
    bpy.ops.ed.undo_push(message="moved")
    blender.until(lambda: blender.state.progress > 0)
    assert bpy.ops.ed.undo() == {"FINISHED"}
    assert bpy.data.objects["Cube"].location.x == 0
    assert blender.state.job
    assert [title for title, _ in runs()] == ["moss"]
    assert blender.state.progress > 0
    bpy.ops.patina.cancel()
    blender.until(lambda: not blender.state.job)
    assert asked()[-1][1]["prompt"] == "moss"
    assert bpy.ops.ed.redo() == {"FINISHED"}
    assert bpy.data.objects["Cube"].location.x == 3
    panel()


def test_disabling_with_a_queue_ends_everything(blender, small_engine):
    small_engine()
    press(blender, "slow", "moss")
    blender.until(lambda: blender.state.progress > 0)
    bpy.ops.preferences.addon_disable(module="patina")
    assert not blender.timers.queue
    bpy.ops.preferences.addon_enable(module="patina")
    assert runs() == []
    assert not blender.state.job


def test_the_chosen_result_is_large_with_score_seam_and_tags(chosen):
    layout = panel()
    assert {"Match 0.90", "Seamless", "brick"} <= set(layout.texts())
    assert "patina.apply" in layout.operators()
    chosen.state.results[0].seam = 2.0
    assert "Seam shows" in panel().texts()


def test_vary_is_there_when_the_engine_can(chosen, small_engine):
    assert "patina.vary" not in panel().operators()
    small_engine(methods=["generate"])
    press(chosen, "slow")
    chosen.until(lambda: chosen.state.progress > 0)
    assert "patina.vary" not in panel().operators()
    bpy.ops.patina.cancel()
    chosen.until(lambda: not chosen.state.job)
    asked = small_engine()
    bpy.ops.patina.restart_engine()
    chosen.until(lambda: chosen.state.state == "ready")
    assert "patina.vary" in panel().operators()
    bpy.context.window_manager.patina_queue.vary_strength = 0.25
    sidecar = str(chosen.session.chosen.sidecar)
    assert bpy.ops.patina.vary() == {"FINISHED"}
    chosen.until(lambda: not chosen.state.job)
    method, params = asked()[-1]
    assert method == "vary"
    assert set(params) == {"result", "strength", "variations", "seed", "folder", "device", "history"}
    assert (params["result"], params["strength"], params["variations"]) == (sidecar, 0.25, 4)


@pytest.mark.parametrize("scale", [1, 2])
def test_refine_asks_for_the_chosen_result(chosen, small_engine, scale):
    asked = small_engine()
    sidecar = str(chosen.session.results[1].sidecar)
    bpy.ops.patina.select(index=1)
    assert bpy.ops.patina.refine(scale=scale) == {"FINISHED"}
    chosen.until(lambda: not chosen.state.job)
    method, params = asked()[-1]
    assert (method, params["sidecar"], params["scale"]) == ("refine", sidecar, scale)
    assert set(params) == {"sidecar", "scale", "folder", "device", "history"}


def test_refining_what_is_gone_says_so(chosen):
    chosen.session.chosen.sidecar.unlink()
    with pytest.raises(RuntimeError, match="cannot be read"):
        bpy.ops.patina.refine()
    assert not chosen.state.job


def test_a_star_shows_at_once(chosen):
    assert bpy.ops.patina.star() == {"FINISHED"}
    assert [result.starred for result in chosen.state.results] == [True, False]
    assert chosen.session.results[0].sidecar.with_suffix(".star").is_file()
    assert bpy.ops.patina.star() == {"FINISHED"}
    assert not any(result.starred for result in chosen.state.results)


def test_saving_copies_the_whole_set(chosen, tmp_path):
    assert bpy.ops.patina.save_as(directory=str(tmp_path / "kept")) == {"FINISHED"}
    assert len(list((tmp_path / "kept").glob("red_bricks_v1_*.png"))) == 6
    assert (tmp_path / "kept" / "red_bricks_v1.json").is_file()
    (tmp_path / "file").touch()
    with pytest.raises(RuntimeError, match="Cannot copy"):
        bpy.ops.patina.save_as(directory=str(tmp_path / "file"))


def test_the_prompt_can_be_copied(chosen):
    assert bpy.ops.patina.copy_prompt() == {"FINISHED"}
    for name in ("copy_prompt", "reveal", "refine", "vary", "save_as"):
        assert getattr(bpy.ops.patina, name).poll()


def test_comparing_swaps_the_maps_of_the_material_that_is_there(chosen):
    cube = bpy.data.objects["Cube"]
    bpy.ops.patina.apply()
    material, nodes = cube.active_material, len(cube.active_material.node_tree.nodes)
    assert set(textures(cube).values()) == {f"red_bricks_v1_{name}.png" for name in MAPS}
    bpy.ops.ed.undo_push(message="applied")
    assert bpy.ops.patina.compare(step=1) == {"FINISHED"}
    bpy.ops.ed.undo_push(message="compared")
    cube = bpy.data.objects["Cube"]
    assert cube.active_material == material
    assert len(material.node_tree.nodes) == nodes
    assert all("_v2_" in name for name in textures(cube).values())
    assert chosen.state.selected == 1
    assert bpy.ops.ed.undo() == {"FINISHED"}
    assert all("_v1_" in name for name in textures(bpy.data.objects["Cube"]).values())
    assert bpy.ops.patina.compare(step=-1) == {"FINISHED"}
    assert chosen.state.selected == 0
    assert bpy.ops.patina.compare(index=1) == {"FINISHED"}
    assert all("_v2_" in name for name in textures(bpy.data.objects["Cube"]).values())


def test_a_click_swaps_where_that_was_chosen(chosen):
    assert "patina.compare" not in panel().operators()
    with pytest.raises(RuntimeError, match="material from Patina"):
        bpy.ops.patina.compare()
    bpy.ops.patina.apply()
    assert panel().operators().count("patina.compare") == 2
    assert panel().operators().count("patina.select") == 2
    bpy.context.window_manager.patina_queue.on_object = True
    assert "patina.select" not in panel().operators()


def test_comparing_two_results_of_different_runs(chosen):
    """Remember one, choose another, swap; what is chosen goes along, with the other results of its run."""
    bpy.ops.patina.apply()
    material = bpy.data.objects["Cube"].active_material
    first = chosen.session.chosen
    assert "patina.compare_swap" not in panel().operators()
    assert bpy.ops.patina.compare_with() == {"FINISHED"}
    with pytest.raises(RuntimeError, match="Choose another result"):
        bpy.ops.patina.compare_swap()
    assert "Swap with 1: red bricks" in panel().texts()
    chosen.finish_run(variations=3, prompt="moss")
    bpy.ops.patina.select(index=2)
    second = chosen.session.chosen
    seen = []
    for _ in range(3):
        assert bpy.ops.patina.compare_swap() == {"FINISHED"}
        seen.append((material["patina_result"], chosen.session.chosen.key, len(chosen.state.results)))
    assert seen == [(second.key, second.key, 3), (first.key, first.key, 2), (second.key, second.key, 3)]
    assert bpy.data.objects["Cube"].active_material == material
    assert "Swap with 1: red bricks" in panel().texts()
    assert bpy.ops.patina.compare_end() == {"FINISHED"}
    assert not bpy.ops.patina.compare_swap.poll()
    assert "patina.compare_with" in panel().operators()


def test_a_swap_is_one_undo_step(chosen):
    bpy.ops.patina.apply()
    bpy.ops.patina.compare_with()
    bpy.ops.patina.select(index=1)
    bpy.ops.ed.undo_push(message="chosen")
    bpy.ops.patina.compare_swap()
    bpy.ops.ed.undo_push(message="swapped")
    assert all("_v2_" in name for name in textures(bpy.data.objects["Cube"]).values())
    assert bpy.ops.ed.undo() == {"FINISHED"}
    assert all("_v1_" in name for name in textures(bpy.data.objects["Cube"]).values())
    assert bpy.ops.patina.compare_swap() == {"FINISHED"}
    assert all("_v2_" in name for name in textures(bpy.data.objects["Cube"]).values())


def test_a_swap_without_files_leaves_the_material(chosen):
    bpy.ops.patina.apply()
    bpy.ops.patina.compare_with()
    bpy.ops.patina.select(index=1)
    chosen.session.chosen.files["roughness"].unlink()
    with pytest.raises(RuntimeError, match="gone"):
        bpy.ops.patina.compare_swap()
    assert all("_v1_" in name for name in textures(bpy.data.objects["Cube"]).values())


def test_comparing_with_a_variation_that_has_other_maps(chosen):
    cube = bpy.data.objects["Cube"]
    bpy.ops.patina.apply()
    result = chosen.session.results[1]
    path = result.files["height"].with_name("red_bricks_v2_emission.png")
    write_png(path, "emission")
    result.files["emission"] = path
    assert bpy.ops.patina.compare(index=1) == {"FINISHED"}
    assert len(textures(cube)) == 7
    assert bpy.ops.patina.compare(index=0) == {"FINISHED"}
    assert len(textures(cube)) == 6


def test_last_prompts_can_be_picked_and_outlive_blender(blender, small_engine):
    small_engine()
    blender.inputs.negative = "cracks"
    press(blender, "oak", "moss", "oak")
    blender.until(lambda: not blender.state.job and not runs())
    assert draw(bpy.types.PATINA_MT_prompts).texts()[:2] == ["oak", "moss"]
    bpy.ops.preferences.addon_disable(module="patina")
    bpy.ops.preferences.addon_enable(module="patina")
    assert draw(bpy.types.PATINA_MT_prompts).texts()[:2] == ["oak", "moss"]
    assert draw(bpy.types.PATINA_MT_negatives).texts()[0] == "cracks"
    assert bpy.ops.patina.use_words(field="prompt", words="moss") == {"FINISHED"}
    assert blender.inputs.prompt == "moss"
    assert bpy.ops.patina.use_words(field="seed", words="1") == {"CANCELLED"}


def test_a_damaged_file_of_prompts_is_no_obstacle(blender):
    path = blender.package.prompts.path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{")
    bpy.ops.preferences.addon_disable(module="patina")
    bpy.ops.preferences.addon_enable(module="patina")
    assert draw(bpy.types.PATINA_MT_prompts).texts() == ["Nothing yet"]
    path.unlink()


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
