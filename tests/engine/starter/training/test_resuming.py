"""Training goes on: to the same weights after a break, from older networks, and not once it diverges."""

from __future__ import annotations

import pytest
import torch

from engine.starter import captions
from engine.starter.training import decoder, loop, pipeline, prior
from engine.starter.training.sizes import Size
from tests.engine.starter.training.stages import (
    CPU,
    clip_stage,
    decoder_stage,
    generator_stage,
    prior_stage,
    stream_stage,
)


@pytest.fixture(params=["clip", "taught", "robust", "generator", "decoder", "prior", "stream"])
def stage(request, data, meanings, guide, grids, tiny_pack):
    """Makes a fresh stage at every call."""
    return {
        "clip": lambda: clip_stage(data),
        "taught": lambda: clip_stage(data, meanings, captions.negative),
        "robust": lambda: clip_stage(data, meanings, captions.negative, robust=1.0),
        "generator": lambda: generator_stage(data, guide),
        "decoder": lambda: decoder_stage(data, guide),
        "prior": lambda: prior_stage(data, grids, tiny_pack),
        "stream": lambda: stream_stage(data, grids, tiny_pack),
    }[request.param]


def test_an_interrupted_training_ends_in_the_same_weights(stage, tmp_path):
    whole = stage()
    for _ in loop.run(whole, tmp_path / "whole", every=100):
        pass
    interrupted = stage()
    for step, _ in loop.run(interrupted, tmp_path / "parts", every=1):
        if step == 2:
            break  # as a kill would, after the second step's checkpoint
    resumed = stage()
    steps = [step for step, _ in loop.run(resumed, tmp_path / "parts", every=1)]
    assert steps[0] == 3
    for key, value in whole.average.values.items():
        torch.testing.assert_close(resumed.average.values[key], value, rtol=0, atol=0, msg=key)


def test_a_plan_begins_from_older_networks_where_stages_can(tmp_path):
    plan = pipeline.Plan(tmp_path, tmp_path, CPU, Size(changes={"prior": {"steps": 3}}), tmp_path / "old")
    changed = plan.configured("prior", prior.PriorTraining())
    assert (changed.start, changed.steps) == (str(tmp_path / "old" / "prior"), 3)
    assert plan.configured("decoder", decoder.DecoderTraining()) == decoder.DecoderTraining()


def test_divergence_stops_the_run(tmp_path):
    class Diverging:
        name, total_steps = "diverging", 3

        def step(self, i):
            return {"loss": float("nan") if i == 1 else 1.0}

        def state(self):
            return {}

    with pytest.raises(FloatingPointError, match="diverging diverged at step 1"):
        list(loop.run(Diverging(), tmp_path))
