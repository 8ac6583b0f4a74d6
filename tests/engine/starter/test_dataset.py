"""Shards: what is in them, and that an interrupted run goes on where it stopped."""

from __future__ import annotations

import json

import numpy as np
import pytest

from engine.starter import dataset
from engine.starter.captions import is_held_out
from engine.starter.materials import render


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr(dataset, "SHARD", 3)


def make(folder, *extra):
    dataset.main(["--count", "5", "--size", "32", "--first-seed", "40", "--out", str(folder), *extra])


def test_a_shard_holds_what_its_parameters_say(tmp_path):
    make(tmp_path, "--supersampling", "2")
    shards = list(dataset.load(tmp_path))
    assert [maps.shape for maps, _ in shards] == [(3, 32, 32, 7), (2, 32, 32, 7)]
    maps, materials = shards[1]
    material = render(materials[0]["params"], 32, supersampling=2)
    assert materials[0]["relief"] == material.relief
    assert maps.dtype == np.uint8
    np.testing.assert_allclose(maps[0, ..., :3] / 255, material.basecolor, atol=0.0021)
    np.testing.assert_allclose(maps[0, ..., 3] / 255, material.height, atol=0.0021)
    np.testing.assert_allclose(maps[0, ..., 4] / 255, material.roughness, atol=0.0021)
    np.testing.assert_allclose(maps[0, ..., 5] / 255, material.metallic, atol=0.0021)
    np.testing.assert_allclose(maps[0, ..., 6] / 255, material.emission, atol=0.0021)


def test_a_second_run_makes_only_what_is_missing(tmp_path):
    make(tmp_path)
    kept, remade = tmp_path / "shard_00000.npy", tmp_path / "shard_00001.npy"
    before, expected = kept.stat().st_mtime_ns, remade.read_bytes()
    remade.unlink()
    (tmp_path / "shard_00001.json").unlink()
    make(tmp_path)
    assert kept.stat().st_mtime_ns == before
    assert remade.read_bytes() == expected
    assert not list(tmp_path.glob("*.part"))


def test_maps_without_their_json_do_not_count(tmp_path):
    """The JSON comes last: a run killed between the two leaves a shard that readers do not see."""
    make(tmp_path)
    (tmp_path / "shard_00001.json").unlink()
    assert len(list(dataset.load(tmp_path))) == 1


def test_another_set_in_the_same_folder_is_refused(tmp_path):
    make(tmp_path)
    with pytest.raises(ValueError, match="another data set"):
        make(tmp_path, "--held-out")


def test_held_out_sets_hold_only_what_training_never_sees(tmp_path):
    make(tmp_path, "--held-out")
    materials = [m for _, shard in dataset.load(tmp_path) for m in shard]
    assert all(is_held_out(m["params"]) for m in materials)


def test_two_processes_write_the_same_bytes_as_one(tmp_path):
    make(tmp_path / "one")
    make(tmp_path / "two", "--workers", "2")
    for name in ("shard_00000.npy", "shard_00001.npy", "shard_00000.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert json.loads((tmp_path / "two" / "shard_00001.json").read_text("utf-8"))["first_seed"] == 43
