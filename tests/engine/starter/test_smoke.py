"""The whole of training at its smallest size, from materials to exemplars: it must learn, not only run."""

from __future__ import annotations

import json
import math
from collections import defaultdict

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from engine.cli import main
from engine.compute import Compute
from engine.models import priors
from engine.models.blocks import to_blocks
from engine.models.estimator import Estimator, EstimatorConfig
from engine.models.guide import Clip
from engine.models.vqgan import TORUS, VQGAN
from engine.starter import dataset, record
from engine.starter.commands import SHIPPED
from engine.starter.data import CHANNELS, Materials
from engine.starter.evaluation.naming import naming
from engine.starter.training import pipeline
from engine.starter.training.codes import Grids
from engine.starter.training.estimator import EstimatorTraining, pictures, true_maps
from engine.starter.training.generator import ARCHITECTURE
from engine.starter.training.sizes import SMOKE

CPU = Compute(torch.device("cpu"), torch.float32)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of the finished networks, and what every stage showed after each step."""
    folder, shown, stages = tmp_path_factory.mktemp("smoke"), defaultdict(list), pipeline.stages

    def watched(plan, wanted):
        for stage, step, of, figures in stages(plan, wanted):
            shown[stage].append(figures)
            yield stage, step, of, figures

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "stages", watched)
        assert main(["train", "--smoke", "--work", str(folder / "work"), "--device", "cpu"]) == 0
    return folder / "work" / "weights", shown


@pytest.fixture(scope="module")
def weights(trained):
    return trained[0]


@pytest.fixture(scope="module")
def unseen(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unseen")
    shards = dataset.plan(folder, 60, first_seed=5_000_000, size=64, families=SMOKE.families)
    assert sum(dataset.write(shards)) == 60
    return Materials.open(folder)


@pytest.mark.slow
def test_the_stream_trains_where_it_is_named(weights):
    """On the materials and codes of the others; it then knows more than how often each code is there."""
    work = weights.parent
    assert not (weights / "stream").exists(), "nobody named it"
    assert main(["train", "stream", "--smoke", "--work", str(work), "--device", "cpu"]) == 0
    assert record.read(weights).stages["stream"].configuration["steps"] == SMOKE.changes["stream"]["steps"]
    network = priors.build(json.loads((weights / "stream" / "config.json").read_text()))
    network.load_state_dict(load_file(weights / "stream" / "model.safetensors"))
    (folder,) = work.glob("codes-*")
    every = torch.from_numpy(Grids.open(folder).codes.astype(np.int64))
    shares, grids = torch.bincount(every.flatten()) / every.numel(), every[:48, 0]
    with torch.no_grad():
        logits = network(grids, torch.zeros(48, network.cfg.text_dim), torch.ones(48, dtype=torch.bool))
    told = torch.nn.functional.cross_entropy(logits.flatten(0, 2), to_blocks(grids).flatten())
    assert told < 0.95 * torch.special.entr(shares).sum(), "no better than how often each code is there"


@pytest.mark.slow
def test_every_stage_leaves_its_network_and_its_record(weights):
    stages = record.read(weights).stages
    assert set(stages) - {"stream"} == set(SHIPPED) - {"materials"}
    assert {(about.size_px, about.supersampling) for about in stages.values()} == {(64, 1)}
    assert all(about.seconds is not None and about.machine for about in stages.values())
    assert (weights / "exemplars" / "model.safetensors").exists()


def lately(figures, name):
    """The mean of a figure over the last quarter of a stage's steps, and over the first."""
    found = [values[name] for values in figures]
    quarter = len(found) // 4
    return np.mean(found[-quarter:]), np.mean(found[:quarter])


@pytest.mark.slow
def test_the_judge_learns_what_things_are_called(trained):
    last, first = lately(trained[1]["judge"], "labels")
    assert last < 0.7 * first, "0.56 of it in sixteen steps"


@pytest.mark.slow
def test_the_prior_learns_which_codes_are_likely(trained):
    last, _ = lately(trained[1]["prior"], "loss")
    assert last < 0.97 * math.log(ARCHITECTURE.n_embed), "all alike are no better than none"


@pytest.mark.slow
def test_the_estimator_learns_to_tell_maps(weights, unseen):
    """Of pictures that it was not shown, against one that says middle grey and the picture itself."""
    folder = weights / "estimator"
    cfg = EstimatorConfig.model_validate_json((folder / "config.json").read_text("utf-8"))
    torch.manual_seed(0)
    fresh, taught = Estimator(cfg), Estimator(cfg)
    taught.load_state_dict({k: v.float() for k, v in load_file(folder / "model.safetensors").items()})
    x = unseen.batch(np.arange(24), np.random.default_rng(0), 64)
    seen = pictures(true_maps(x, 64), np.random.default_rng(1), EstimatorTraining(), TORUS)
    truth = x[:, [CHANNELS.index(name) for name in cfg.channels]]
    with torch.no_grad():
        before, after = ((network(seen, TORUS) - truth).abs().mean() for network in (fresh, taught))
    assert after < 0.85 * before, "0.71 of it in sixteen steps"


@pytest.mark.slow
def test_the_guide_learns_to_name(weights, unseen):
    named = naming(unseen, Clip(f"local-dir:{weights / 'guide'}", CPU), SMOKE.families)
    assert named["family"] >= 0.5, "one in six is chance"
    assert named["colour"] >= 0.3, "one in sixteen is chance"


@pytest.mark.slow
def test_the_generator_learns_to_decode(weights, unseen):
    """Clearly better than the colour that suits all pictures best, through codes that nobody told it.

    Materials' own mean colours take it thousands of steps, not hundreds: see GroupNorm in the generator.
    """
    generator = VQGAN(ARCHITECTURE)
    state = load_file(weights / "generator" / "model.safetensors")
    generator.load_state_dict({key: value.float() for key, value in state.items()})
    x = unseen.batch(np.arange(24), np.random.default_rng(0), 64)
    with torch.no_grad():
        codes = generator.eval().codes_of(x, TORUS)
        y = generator.decode(generator.lookup(codes), TORUS)
    assert len(codes.unique()) > 32, "latents have collapsed"
    flat = x.mean((0, 2, 3), keepdim=True)
    assert (y - x)[:, :3].square().mean() < 0.75 * (flat - x)[:, :3].square().mean()
