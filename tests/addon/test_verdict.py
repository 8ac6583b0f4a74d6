"""What is wrong with a result is said beside it; seeds that are locked, or drawn anew."""

from __future__ import annotations

import re

import bpy
import pytest

from tests.addon.results_on_disk import write_run
from tests.addon.support import ROOT, draw


def shown():
    return " ".join(draw(bpy.types.PATINA_PT_main).texts())


def test_a_good_result_has_nothing_said_against_it(blender):
    blender.finish_run(2, repeats=None, artefacts=[], diversity=1.9)
    assert blender.state.results[0].flaws == ""


def test_what_is_wrong_is_said(blender):
    blender.finish_run(4, repeats=1, artefacts=["blurred", "speckled"], diversity=1.2)
    for words in (
        "Nearly repeats variation 1",
        "It is blurred",
        "It has specks of colour",
    ):
        assert words in blender.state.results[0].flaws
        assert words.split()[0] in shown()


def test_variations_of_one_material_are_close_and_no_reason_to_warn(blender):
    blender.finish_run(4, diversity=1.1)
    assert blender.state.results[0].flaws == ""


def test_results_of_the_past_keep_it(blender):
    module = blender.package.results
    sidecar = write_run(blender.folder / "results" / "a" / "001_x", 1)[0]
    content = {**module.content_of(sidecar), "repeats": 2, "artefacts": ["noisy"], "diversity": 1.0}
    result = module.result_at(sidecar, module.about(content))
    assert (result.repeats, result.artefacts, result.diversity) == (2, ("noisy",), 1.0)


def test_every_flag_of_the_engine_has_words(blender):
    text = (ROOT / "engine" / "material" / "artefacts.py").read_text()
    flags = set(re.findall(r'^    \("([a-z]+)", "', text, re.MULTILINE)) | {"flat"}
    assert len(flags) >= 6
    assert flags == set(blender.package.verdict.FLAWS)


@pytest.fixture
def sent(blender, monkeypatch):
    """The seeds that the session was asked for; it begins nothing."""
    seeds = []
    monkeypatch.setattr(blender.session, "enqueue", lambda run: seeds.append(run.params["seed"]))
    blender.inputs.prompt = "moss"
    return seeds


def test_every_run_draws_a_seed_and_stores_it(blender, sent):
    for _ in range(3):
        assert bpy.ops.patina.generate() == {"FINISHED"}
        assert blender.inputs.seed == sent[-1]
    assert len(set(sent)) == 3


def test_a_locked_seed_stays(blender, sent):
    blender.inputs.lock_seed, blender.inputs.seed = True, 7
    for _ in range(2):
        assert bpy.ops.patina.generate() == {"FINISHED"}
    assert (sent, blender.inputs.seed) == ([7, 7], 7)


def test_a_typed_seed_is_what_the_next_run_uses(blender, sent):
    for typed in (1234, 0, 77):
        blender.inputs.seed = typed
        assert bpy.ops.patina.generate() == {"FINISHED"}
        assert (sent[-1], blender.inputs.seed) == (typed, typed)
        assert bpy.ops.patina.generate() == {"FINISHED"}
        assert blender.inputs.seed == sent[-1] != typed


def test_a_shuffled_seed_is_what_the_next_run_uses(blender, sent):
    bpy.ops.patina.generate()
    assert bpy.ops.patina.shuffle_seed() == {"FINISHED"}
    shuffled = blender.inputs.seed
    bpy.ops.patina.generate()
    bpy.ops.patina.generate()
    assert sent[1] == shuffled
    assert len(set(sent)) == 3


def test_locking_keeps_the_seed_of_the_result_that_is_there(blender, sent):
    bpy.ops.patina.generate()
    blender.inputs.lock_seed = True
    bpy.ops.patina.generate()
    blender.inputs.lock_seed = False
    bpy.ops.patina.generate()
    assert sent[0] == sent[1] != sent[2]


def test_a_drawn_seed_is_one_undo_step(blender, sent):
    blender.inputs.lock_seed, blender.inputs.seed = False, 7
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.patina.generate()
    bpy.ops.patina.generate()
    assert blender.inputs.seed == sent[1] != 7
    assert bpy.ops.ed.undo() == {"FINISHED"}
    assert blender.inputs.seed == 7
    bpy.ops.patina.generate()
    assert sent[2] != 7, "undo has brought back a seed that was used"


def test_a_run_that_cannot_begin_leaves_the_seed(blender, monkeypatch):
    monkeypatch.setenv("PATINA_ENGINE_PYTHON", "/nowhere/python")
    blender.inputs.prompt, blender.inputs.seed = "moss", 7
    with pytest.raises(RuntimeError, match="not installed"):
        bpy.ops.patina.generate()
    assert blender.inputs.seed == 7
