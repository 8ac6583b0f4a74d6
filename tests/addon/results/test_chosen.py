"""The chosen result and what can be done with it."""

from __future__ import annotations

import bpy
import pytest

from tests.addon.results.runs import panel, press


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
