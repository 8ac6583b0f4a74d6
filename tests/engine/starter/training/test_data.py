"""What training reads: rendered materials, and their codes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.material.relief import RELIEF_RANGE, decode_relief, encode_relief
from engine.starter.data import labels
from engine.starter.training import codes, loop
from tests.engine.starter.training.stages import CPU


def test_materials_are_what_was_rendered(data):
    assert len(data) == 24 and data.size_px == 64
    whole = data.crop(3, 0, 0, 64)
    assert (data.crop(3, 60, 10, 16) == whole.take(range(60, 76), 0, mode="wrap")[:, 10:26]).all()
    family, colour = labels(data.params[3])
    assert family >= 0 and colour >= 0


def test_relief_survives_its_channel():
    for relief in (*RELIEF_RANGE, 0.01, 0.05):
        assert decode_relief(torch.tensor(encode_relief(relief))).item() == pytest.approx(relief, rel=1e-4)
    assert encode_relief(0.0) == 0 and encode_relief(1.0) == 1


def test_grids_are_the_generators_codes(data, grids, tiny_pack):
    """Each version is the material moved or turned; rolling a batch changes places, never codes."""
    assert grids.codes.shape == (24, codes.VERSIONS, 8, 8)
    x = data.batch(np.arange(8), loop.rng(codes.SEED, 0, "codes/1"), data.size_px)
    assert (grids.codes[:8, 1] == tiny_pack.generator.codes_of(x).numpy()).all()
    row = grids.batch(np.array([5]), np.random.default_rng(0))[0]
    assert any((np.sort(row.flatten()) == np.sort(v.flatten())).all() for v in grids.codes[5])


def test_encoding_goes_on_where_it_stopped(data, tiny_pack, tmp_path, monkeypatch):
    monkeypatch.setattr(codes, "SHARD", 8)
    run = codes.encode(data, tiny_pack.generator, tmp_path, CPU)
    next(run)
    run.close()
    first = (tmp_path / "codes_00000.npy").stat().st_mtime_ns
    assert list(codes.encode(data, tiny_pack.generator, tmp_path, CPU)) == [8, 8, 8]
    assert (tmp_path / "codes_00000.npy").stat().st_mtime_ns == first
