"""The estimator's training: what it is shown, that it goes on where it stopped, and that it learns."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from engine.compute import Compute
from engine.material.maps import normal_from_height
from engine.models.estimator import Estimator, EstimatorConfig
from engine.models.vqgan import TORUS
from engine.starter import dataset
from engine.starter.data import Materials
from engine.starter.evaluation import estimation
from engine.starter.training import loop, pipeline
from engine.starter.training.estimator import (
    EstimatorStage,
    EstimatorTraining,
    angles,
    blur,
    compress,
    pictures,
    true_maps,
)

CPU = Compute(torch.device("cpu"), torch.float32)
TINY = EstimatorTraining(steps=4, batch=4, crop_px=32, whole_every=2)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    families = ("cobblestone", "square_tiles")
    for _ in dataset.write(dataset.plan(folder, 6, first_seed=0, size=64, families=families)):
        pass
    return Materials.open(folder)


def batch(data, side=64):
    x = data.batch(np.arange(len(data)), np.random.default_rng(0), side)
    return true_maps(x, data.size_px)


def test_an_interrupted_training_ends_in_the_same_weights(data, tmp_path):
    whole = EstimatorStage(data, TINY, CPU)
    for _ in loop.run(whole, tmp_path / "whole", every=100):
        pass
    for step, _ in loop.run(EstimatorStage(data, TINY, CPU), tmp_path / "parts", every=1):
        if step == 2:
            break
    resumed = EstimatorStage(data, TINY, CPU)
    assert [step for step, _ in loop.run(resumed, tmp_path / "parts", every=1)] == [3, 4]
    for key, value in whole.average.values.items():
        torch.testing.assert_close(resumed.average.values[key], value, rtol=0, atol=0, msg=key)


def test_it_learns_in_a_few_steps(data):
    stage = EstimatorStage(data, TINY.model_copy(update={"steps": 40, "lr": 2e-2}), CPU)
    errors = [stage.step(i)["error"] for i in range(40)]
    assert sum(errors[-8:]) < 0.85 * sum(errors[:8])


def test_exported_estimator_fits_its_configuration(data, tmp_path):
    stage = EstimatorStage(data, TINY, CPU)
    pipeline._export_estimator(pipeline.Plan(work=tmp_path, weights=tmp_path, compute=CPU), stage)
    config = json.loads((tmp_path / "estimator" / "config.json").read_text())
    assert config["reference_px"] == 64  # what its materials were rendered at
    model = Estimator(EstimatorConfig.model_validate(config))
    model.load_state_dict(load_file(tmp_path / "estimator" / "model.safetensors"))


def test_a_cut_has_the_slopes_of_its_tile(data):
    x = data.batch(np.array([0]), np.random.default_rng(0), 64)
    whole, cut = true_maps(x, 64), true_maps(x[..., 16:48, 16:48], 64)
    whole, cut = (normal_from_height(m.height, m.relief, TORUS) for m in (whole, cut))
    torch.testing.assert_close(cut[..., 1:-1, 1:-1], whole[..., 17:47, 17:47], rtol=0, atol=1e-6)


def test_bare_pictures_are_the_base_colour_and_lit_ones_are_not(data):
    clean = {"noise": 0.0, "blurred": 0.0, "compressed": 0.0}
    maps = batch(data)
    bare = pictures(maps, np.random.default_rng(1), TINY.model_copy(update=clean | {"unlit": 1.0}), TORUS)
    assert torch.equal(bare, maps.basecolor)
    lit = pictures(maps, np.random.default_rng(1), TINY.model_copy(update=clean | {"unlit": 0.0}), TORUS)
    assert ((lit - bare).abs().mean((1, 2, 3)) > 0.02).all()
    worn = pictures(maps, np.random.default_rng(1), TINY.model_copy(update={"unlit": 1.0}), TORUS)
    assert ((worn - bare).abs().mean((1, 2, 3)) > 1e-4).all()


def test_blur_keeps_the_mean_and_takes_the_grain(data):
    x = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(blur(x, TORUS).mean((2, 3)), x.mean((2, 3)), rtol=0, atol=1e-6)
    assert blur(x, TORUS).std() < 0.6 * x.std()
    spike = torch.zeros(1, 1, 8, 8)
    spike[..., 0, 0] = 1
    assert blur(spike, TORUS)[0, 0, 7, 7] == 1 / 16 and blur(spike, (False, False))[0, 0, 7, 7] == 0


def test_compression_costs_little_and_fine_detail_first():
    x = torch.rand(2, 3, 16, 24, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(compress(x, torch.full((2, 1, 1, 1), 1e-7)), x, rtol=0, atol=1e-5)
    faint = 0.5 + 0.01 * ((torch.arange(16)[:, None] + torch.arange(16)) % 2 * 2 - 1).expand(1, 1, 16, 16)
    flat = compress(faint, torch.full((1, 1, 1, 1), 0.05))
    assert flat.std() < 0.2 * faint.std()
    torch.testing.assert_close(flat.mean(), faint.mean(), rtol=0, atol=0.01)


def test_chord_is_the_angle_where_angles_are_small():
    tilt = torch.tensor(0.1)
    up, tilted = torch.tensor([0.0, 0, 1]), torch.stack([tilt.sin(), torch.tensor(0.0), tilt.cos()])
    a, b = (n.view(1, 3, 1, 1) / 2 + 0.5 for n in (up, tilted))
    assert angles(a, b).item() == pytest.approx(0.1, rel=1e-2)
    assert angles(a, a).item() == pytest.approx(0, abs=3e-3)


class Knowing(Estimator):
    """Says the truth about the material that a picture shows."""

    def __init__(self, data):
        super().__init__(EstimatorConfig(ch=16, norm_groups=4, reference_px=data.size_px))
        draw = np.random.default_rng(3)
        self.truths = [data.batch(np.array([i]), draw, data.size_px) for i in range(len(data))]
        self.asked = 0

    def forward(self, picture, wrap=TORUS):
        self.asked += 1
        return self.truths[(self.asked - 1) % len(self.truths)][:, [0, 1, 2, 3, 4, 5, 7]]


def test_figures_know_truth_from_formula(data):
    report = estimation.estimation(data, data, Knowing(data), CPU)
    for lit in ("lit", "unlit"):
        found = report[lit]
        assert found["estimator"]["degrees"] < 0.1 and found["estimator"]["roughness"] < 1e-6
        assert found["classical"]["degrees"] > 1 and found["angle_ratio"] < 0.1
        assert found["classical_relief"] in estimation.RELIEFS
    assert report["unlit"]["flat"]["degrees"] > 1


def test_the_formulas_get_the_strength_that_suits_them(data):
    best = estimation.best_relief(data, 6, lit=False)
    seen = list(estimation.views(data, 6, lit=False))

    def error(relief):
        maps = [estimation._with_relief(estimation.maps_from_picture(p, None), relief) for p, _ in seen]
        return np.mean([estimation.degrees_apart(m, t) for m, (_, t) in zip(maps, seen, strict=True)])

    k = estimation.RELIEFS.index(best)
    around = estimation.RELIEFS[max(0, k - 1) : k + 2]
    assert error(best) == pytest.approx(min(map(error, around)))


def test_degrees_are_degrees(data):
    """A plane that climbs by one in one stands at 45 degrees to a level one."""
    truth = batch(data)
    ramp = torch.arange(64.0).expand(6, 1, 64, 64) / 64
    level = replace(truth, height=torch.zeros_like(ramp))
    steep = replace(truth, height=ramp, relief=torch.ones(6))
    inner = estimation.degrees_apart(steep, level)
    assert inner == pytest.approx(45, abs=3)  # on the torus the ramp falls back at one edge
