"""Priors of both kinds: begun from older ones, exported, and learning what stands beside what."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.models import priors
from engine.starter.training import cross_entropy, pipeline, prior
from tests.engine.starter.training.stages import CPU, prior_stage, stream_stage


def test_a_prior_starts_from_an_older_one_with_other_codes(data, grids, tiny_pack, tmp_path):
    older = prior_stage(data, grids, tiny_pack).model
    with torch.no_grad():
        older.hole.fill_(0.5)
        older.get_buffer("codebook").fill_(0.25)
    save_file({k: v.contiguous() for k, v in older.state_dict().items()}, tmp_path / "model.safetensors")
    cfg = prior.PriorTraining(steps=4, batch=2, start=str(tmp_path))
    stage = prior.PriorStage(grids, data.params, tiny_pack.generator, tiny_pack.guide, cfg, CPU)
    assert (stage.model.hole == 0.5).all()
    assert torch.equal(stage.model.get_buffer("codebook"), tiny_pack.generator.codebook)


@pytest.mark.parametrize("make", [prior_stage, stream_stage])
def test_an_exported_prior_says_of_which_kind_it_is(data, grids, tiny_pack, tmp_path, make):
    stage = make(data, grids, tiny_pack)
    pipeline._export_prior(pipeline.Plan(work=tmp_path, weights=tmp_path, compute=CPU), stage)
    folder = tmp_path / stage.name
    network = priors.build(json.loads((folder / "config.json").read_text()))
    assert type(network) is type(stage.model)
    network.load_state_dict(load_file(folder / "model.safetensors"))
    assert torch.allclose(network.codebook, tiny_pack.generator.codebook, atol=1e-3)


def test_the_stream_learns_which_codes_stand_beside_which(data, grids, tiny_pack):
    stage = stream_stage(data, grids, tiny_pack, steps=30, batch=4)
    losses = [stage.step(i)["loss"] for i in range(30)]
    assert np.mean(losses[-5:]) < 0.85 * losses[0]


def test_cross_entropy_in_parts_is_that_of_all_logits():
    """Its gradients as well; the last part is smaller than the others."""
    draw = torch.Generator().manual_seed(3)
    n = cross_entropy.CHUNK + 7
    x, w = torch.randn(n, 6, generator=draw, requires_grad=True), torch.randn(9, 6, generator=draw)
    target = torch.randint(0, 9, (n,), generator=draw)
    w.requires_grad_()
    whole = torch.nn.functional.cross_entropy(x @ w.T, target)
    parts = cross_entropy.linear_cross_entropy(x, w, target)
    torch.testing.assert_close(parts, whole)
    for found, wanted in zip(
        torch.autograd.grad(3 * parts, (x, w)), torch.autograd.grad(3 * whole, (x, w)), strict=True
    ):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-6)


def test_cross_entropy_of_nothing_is_zero():
    """As of a batch in which nothing was hidden: such a step must not teach the prior nonsense."""
    w = torch.ones(9, 6, requires_grad=True)
    loss = cross_entropy.linear_cross_entropy(torch.zeros(0, 6), w, torch.zeros(0, dtype=torch.int64))
    assert loss == 0
    assert (torch.autograd.grad(loss, w)[0] == 0).all()
