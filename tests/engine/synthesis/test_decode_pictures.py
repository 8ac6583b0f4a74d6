"""Maps of packs whose generator decodes a picture and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.compute import Compute
from engine.errors import BadWeights
from engine.material.classical import classical_maps
from engine.material.from_picture import maps_from_picture
from engine.models import packs
from engine.models.estimator import Estimator, EstimatorConfig
from engine.models.vqgan import TORUS, VQGAN, VQGANConfig
from engine.settings import RunSettings
from engine.synthesis.decode import decode_maps
from tests.engine.pack_files import write_network

CPU = Compute(torch.device("cpu"), torch.float32)
SMALL = EstimatorConfig(ch=16, norm_groups=4)
MAPS = ("basecolor", "height", "roughness", "metallic", "relief")


def enter(root, role):
    """Puts a role's file, as it is now, into the catalogue."""
    path = root / "catalog" / "tiny.json"
    entry = json.loads(path.read_text())
    data = (root / role / "model.safetensors").read_bytes()
    sha256 = packs.hashlib.sha256(data).hexdigest()
    entry[role] = {"path": f"{role}/model.safetensors", "sha256": sha256, "bytes": len(data)}
    entry["channels"] = ["red", "green", "blue"]
    path.write_text(json.dumps(entry))
    packs.entries.cache_clear()


@pytest.fixture
def rgb_root(pack_root):
    """The pack "tiny" with a generator of pictures alone, and an estimator that the catalogue has not yet."""
    torch.manual_seed(1)
    config = json.loads((pack_root / "generator" / "config.json").read_text())
    cfg = VQGANConfig(**{**config, "in_channels": 3, "out_ch": 3})
    save_file(VQGAN(cfg).state_dict(), pack_root / "generator" / "model.safetensors")
    (pack_root / "generator" / "config.json").write_text(cfg.model_dump_json())
    enter(pack_root, "generator")
    estimator = Estimator(SMALL)
    torch.nn.init.normal_(estimator.conv_out.weight, std=0.05)
    write_network(pack_root / "estimator", estimator, SMALL.model_dump(mode="json"))
    return pack_root


def decoded(**settings):
    pack = packs.load("tiny", CPU)
    z = torch.randn(2, 4, 16, 16, generator=torch.Generator().manual_seed(2))
    picture = pack.generator.decode(z, TORUS)
    return decode_maps(z, RunSettings(prompt="bricks", seed=1, **settings), pack, TORUS), picture, pack


def same(a, b):
    return all(torch.equal(getattr(a, name), getattr(b, name)) for name in MAPS)


def test_the_estimator_gives_the_maps(rgb_root):
    enter(rgb_root, "estimator")
    maps, picture, pack = decoded()
    assert picture.shape == (2, 3, 128, 128) and "estimator" in pack.hashes
    assert not pack.estimator.training and not any(p.requires_grad for p in pack.estimator.parameters())
    assert same(maps, maps_from_picture(picture, pack.estimator))
    assert not torch.equal(maps.height, classical_maps(picture).height)


def test_without_an_estimator_the_formulas_do(rgb_root):
    maps, picture, pack = decoded()
    assert pack.estimator is None and same(maps, classical_maps(picture))


def test_relief_of_the_settings_goes_first(rgb_root):
    maps, picture, _ = decoded(relief=0.07)
    assert maps.relief.tolist() == pytest.approx([0.07, 0.07])
    assert same(replace(maps, relief=classical_maps(picture).relief), classical_maps(picture))


def test_weights_of_another_estimator(rgb_root):
    path = rgb_root / "estimator" / "model.safetensors"
    state = load_file(path)
    state.pop(min(state))
    save_file(state, path)
    enter(rgb_root, "estimator")
    with pytest.raises(BadWeights, match="does not fit"):
        packs.load("tiny", CPU)


@pytest.mark.parametrize("wrong", [{"ch": 18}, {"channels": ["red"]}, {"depth": 2}])
def test_configuration_of_no_estimator(rgb_root, wrong):
    (rgb_root / "estimator" / "config.json").write_text(json.dumps(SMALL.model_dump(mode="json") | wrong))
    enter(rgb_root, "estimator")
    with pytest.raises(BadWeights, match="configuration of the estimator"):
        packs.load("tiny", CPU)
