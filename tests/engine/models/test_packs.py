"""Packs: loaded only when every byte is what the catalogue promises."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.compute import Compute, choose, devices
from engine.errors import BadWeights, DeviceUnavailable, UnknownPack
from engine.models import packs
from engine.models.prior import Prior
from engine.models.stream import StreamPrior

CPU = Compute(torch.device("cpu"), torch.float32)


def rehash(root, role):
    """Makes the catalogue believe in a file as it is now."""
    path = root / "catalog" / "tiny.json"
    entry = json.loads(path.read_text())
    data = (root / entry[role]["path"]).read_bytes()
    entry[role] |= {"sha256": packs.hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    path.write_text(json.dumps(entry))
    packs.entries.cache_clear()


def test_a_pack_loads_whole(pack_root):
    pack = packs.load("tiny", CPU)
    assert set(pack.hashes) == {"generator", "guide", "judge", "prior", "exemplars"}
    assert not any(p.requires_grad for p in pack.generator.parameters())
    assert not pack.generator.training
    (listed,) = packs.catalogue()
    assert listed["installed"] and listed["bytes"] > 10_000


def test_a_prior_is_of_the_kind_that_its_configuration_names(pack_root, stream_prior):
    """One that names none is masked, as all were before there was another kind."""
    config = pack_root / "prior" / "config.json"
    masked = json.loads(config.read_text())
    assert masked.pop("kind") == "masked"
    config.write_text(json.dumps(masked))
    assert type(packs.load("tiny", CPU).prior) is Prior
    state = {k: v.contiguous() for k, v in stream_prior.state_dict().items()}
    save_file(state, pack_root / "prior" / "model.safetensors")
    config.write_text(stream_prior.cfg.model_dump_json())
    rehash(pack_root, "prior")
    loaded = packs.load("tiny", CPU).prior
    assert type(loaded) is StreamPrior and loaded.cfg == stream_prior.cfg
    torch.testing.assert_close(loaded.state_dict(), stream_prior.state_dict())


@pytest.mark.parametrize("change", [{"kind": "oracle"}, {"kind": "stream"}, {"width": "wide"}], ids=str)
def test_a_prior_that_its_configuration_does_not_describe(pack_root, change):
    path = pack_root / "prior" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(BadWeights, match=r"prior.*[Ii]nstall the pack again"):
        packs.load("tiny", CPU)


def test_unknown_pack_names_the_known_ones(pack_root):
    with pytest.raises(UnknownPack, match="tiny") as error:
        packs.load("huge", CPU)
    assert error.value.field == "pack"


def test_missing_file(pack_root):
    (pack_root / "prior" / "model.safetensors").unlink()
    assert not packs.catalogue()[0]["installed"]
    with pytest.raises(UnknownPack, match=r"prior .* is missing"):
        packs.load("tiny", CPU)


def test_one_flipped_bit_is_noticed(pack_root):
    path = pack_root / "generator" / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(BadWeights, match=r"generator .* is damaged"):
        packs.load("tiny", CPU)


@pytest.mark.parametrize("role", ["generator", "prior"])
def test_weights_of_another_network(pack_root, role):
    path = pack_root / role / "model.safetensors"
    state = load_file(path)
    state.pop(min(state))
    save_file(state, path)
    rehash(pack_root, role)
    with pytest.raises(BadWeights, match="does not fit"):
        packs.load("tiny", CPU)


@pytest.mark.parametrize(("role", "name"), [("generator", "model"), ("guide", "open_clip_model")])
def test_truncated_weights(pack_root, role, name):
    path = pack_root / role / f"{name}.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    rehash(pack_root, role)
    with pytest.raises(BadWeights):
        packs.load("tiny", CPU)


def test_broken_catalogue_names_the_file(pack_root):
    (pack_root / "catalog" / "other.json").write_text('{"id": 3}')
    packs.entries.cache_clear()
    with pytest.raises(UnknownPack, match=r"other\.json"):
        packs.catalogue()


def test_unknown_device_offers_a_way_out():
    with pytest.raises(DeviceUnavailable) as error:
        choose("abacus")
    assert error.value.remedy.value == "auto"
    assert choose("cpu").device.type == "cpu"
    assert "cpu" in [d["id"] for d in devices()]
