"""What training is tested on: two dozen materials, a teacher of nonsense, a fresh guide, grids of codes."""

from __future__ import annotations

import pytest
import torch

from engine.models.guide import Clip
from engine.starter import dataset
from engine.starter.data import Materials
from engine.starter.training import codes, teacher, vocabulary
from tests.engine.starter.training.stages import CPU, clip_stage


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    for _ in dataset.write(dataset.plan(folder, 24, first_seed=0, size=64)):
        pass
    return Materials.open(folder)


@pytest.fixture(scope="module")
def meanings():
    """As a teacher gives them, but of nothing: every token has a row, start and end of text have none."""
    table = torch.randn(vocabulary.FULL_VOCABULARY, 96, generator=torch.Generator().manual_seed(5))
    table[-2:] = 0
    return teacher.SCALE * table


@pytest.fixture(scope="module")
def guide(data, tmp_path_factory):
    """A fresh one in the shape of the shipped one: generator and decoder look through its tower."""
    folder = tmp_path_factory.mktemp("guide")
    clip_stage(data).export(folder)
    return Clip(f"local-dir:{folder}", CPU)


@pytest.fixture(scope="module")
def grids(data, tiny_pack, tmp_path_factory):
    folder = tmp_path_factory.mktemp("codes")
    assert sum(codes.encode(data, tiny_pack.generator, folder, CPU)) == len(data)
    return codes.Grids.open(folder)
