"""The generator and its decoder: they learn, and are exported as the engine loads them."""

from __future__ import annotations

import json

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from engine.models.vqgan import VQGAN, VQGANConfig
from engine.starter.training import generator, loop, pipeline
from tests.engine.starter.training.stages import CPU, decoder_stage, generator_stage


def test_exported_generator_fits_its_configuration(data, guide, tmp_path):
    stage = generator_stage(data, guide)
    for _ in loop.run(stage, tmp_path / "work"):
        pass
    plan = pipeline.Plan(work=tmp_path, weights=tmp_path, compute=CPU)
    pipeline._export_generator(plan, stage)
    config = json.loads((tmp_path / "generator" / "config.json").read_text())
    model = VQGAN(VQGANConfig.model_validate(config))
    model.load_state_dict(load_file(tmp_path / "generator" / "model.safetensors"))


def test_training_lowers_the_generators_error(data, guide):
    cfg = generator.GeneratorTraining(
        steps=40, batch=2, crop_px=32, continuous=1, lr=2e-3, adversarial_from=2
    )
    stage = generator.GeneratorStage(data, guide, cfg, CPU)
    errors = [stage.step(i)["error"] for i in range(40)]
    assert sum(errors[-5:]) < 0.8 * sum(errors[:5])


def test_a_generator_starts_from_an_older_one_without_emission(tmp_path):
    torch.manual_seed(0)
    older = VQGAN(generator.ARCHITECTURE.model_copy(update={"in_channels": 7, "out_ch": 7, "n_embed": 64}))
    save_file(older.state_dict(), tmp_path / "model.safetensors")
    newer = VQGAN(generator.ARCHITECTURE)
    generator.take_over(newer, tmp_path)
    x = torch.rand(1, 8, 32, 32)
    z = torch.nn.functional.normalize(older.encode(x[:, [0, 1, 2, 3, 4, 5, 7]]), dim=1)
    torch.testing.assert_close(torch.nn.functional.normalize(newer.encode(x), dim=1), z)
    before, after = older.decode_raw(z), newer.decode_raw(z)
    torch.testing.assert_close(after[:, [0, 1, 2, 3, 4, 5, 7]], before)
    assert not after[:, 6].any()


def test_sharpening_the_decoder_leaves_the_codes_alone(data, guide):
    """A prior knows the codes of its encoder: they must mean the same afterwards."""
    stage = decoder_stage(data, guide)
    x = data.batch(np.arange(2), np.random.default_rng(0), 64)
    before, first = stage.model.codes_of(x), stage.step(0)
    for i in range(1, 4):
        stage.step(i)
    assert torch.equal(stage.model.codes_of(x), before)
    assert stage.step(0)["error"] < first["error"]
