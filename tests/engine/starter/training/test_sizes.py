"""Sizes of a training: every stage can be what they ask for, and networks at full size may ship."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace

import numpy as np
import open_clip
import pytest
import torch
from pydantic import ValidationError

from engine.cli import main
from engine.models.estimator import Estimator
from engine.models.vqgan import VQGAN
from engine.starter.commands import STAGES
from engine.starter.training import clip, exemplars, pipeline, prior, stream as streaming
from engine.starter.training.codes import Grids
from engine.starter.training.decoder import DecoderTraining
from engine.starter.training.estimator import EstimatorTraining
from engine.starter.training.generator import GeneratorTraining
from engine.starter.training.sizes import SIZES, Size
from engine.starter.training.vocabulary import FULL_VOCABULARY
from tests.engine.starter.training.stages import CPU

MIB = 2**20
CONFIGURATIONS = {
    "guide": clip.GUIDE,
    "judge": clip.JUDGE,
    "generator": GeneratorTraining(),
    "decoder": DecoderTraining(),
    "estimator": EstimatorTraining(),
    "prior": prior.PriorTraining(),
    "stream": streaming.StreamTraining(),
}


def planned(tmp_path, size):
    return pipeline.Plan(tmp_path, tmp_path, CPU, size)


def file_bytes(model):
    """What `pipeline` writes of a network: floating point in two bytes."""
    return sum(
        v.numel() * (2 if v.is_floating_point() else v.element_size()) for v in model.state_dict().values()
    )


def test_there_is_a_configuration_to_check_for_every_stage():
    assert {*CONFIGURATIONS, "materials", "exemplars"} == set(STAGES)


@pytest.mark.parametrize("size", SIZES)
def test_every_stage_can_be_what_a_size_asks_for(tmp_path, size):
    changes = SIZES[size].changes
    assert set(changes) <= set(CONFIGURATIONS), "a stage that there is not would be passed over"
    for stage, base in CONFIGURATIONS.items():
        found = planned(tmp_path, SIZES[size]).configured(stage, base)
        assert type(found) is type(base)
        wanted = changes.get(stage, {})
        assert (found == base) == (not wanted)
        for name, value in wanted.items():
            if name != "architecture":
                assert getattr(found, name) == value


def test_what_a_stage_cannot_be_is_said(tmp_path):
    for changes in ({"steps": "many"}, {"stepz": 3}, {"architecture": {"chanels": 3}}):
        plan = planned(tmp_path, Size(changes={"generator": changes}))
        with pytest.raises(ValidationError, match=next(iter(changes))):
            plan.configured("generator", CONFIGURATIONS["generator"])


@pytest.mark.parametrize("size", ["cpu", "full"])
def test_networks_fit_their_files(tmp_path, size):
    """16 MiB each and 64 together, as float16; exemplars by what those that ship take, each."""
    cfg = {
        stage: planned(tmp_path, SIZES[size]).configured(stage, base)
        for stage, base in CONFIGURATIONS.items()
    }
    torch.manual_seed(0)
    generator = VQGAN(cfg["generator"].architecture)
    dim = cfg["guide"].embed_dim
    grids = Grids(np.zeros((1, 1, 2, 2), np.uint16))
    masked, stream = (SimpleNamespace(cfg=cfg[name], grids=grids) for name in ("prior", "stream"))
    networks = {
        role: open_clip.CLIP(**clip.architecture(cfg[role], FULL_VOCABULARY)) for role in ("guide", "judge")
    } | {
        "generator": generator,
        "estimator": Estimator(cfg["estimator"].architecture),
        "prior": prior.PriorStage.network(masked, generator, dim),
        "stream": streaming.StreamStage.network(stream, generator, dim),
    }
    taken = {name: file_bytes(network) for name, network in networks.items()}
    shipped = pipeline.WEIGHTS / "exemplars"
    count = json.loads((shipped / "config.json").read_text("utf-8"))["count"]
    most = math.ceil(SIZES[size].exemplars / exemplars.KEPT)
    taken["exemplars"] = most * (shipped / "model.safetensors").stat().st_size // count
    assert max(taken.values()) <= 16 * MIB, taken
    priors = {"prior", "stream"}  # one of them ships
    rest = sum(n for name, n in taken.items() if name not in priors)
    assert rest + max(taken[name] for name in priors) <= 64 * MIB, taken
    if size == "full":
        smaller = planned(tmp_path, SIZES["cpu"]).configured("generator", CONFIGURATIONS["generator"])
        assert taken["generator"] > file_bytes(VQGAN(smaller.architecture)), "it is to grow"


def test_two_sizes_at_once_are_refused(capsys):
    assert main(["train", "--smoke", "--size", "full"]) == 2
    assert "contradict" in capsys.readouterr().err
