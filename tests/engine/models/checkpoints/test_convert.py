"""Published checkpoints, converted: every layout gives the numbers that its own code gives."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.errors import BadWeights
from engine.models.checkpoints.convert import LIVE, convert, live_codes
from engine.models.vqgan import PLANE, VQGAN, VQGANConfig
from tests.engine.models.checkpoints import plain, published


def close(a, b):
    torch.testing.assert_close(a, torch.as_tensor(b), rtol=0, atol=1e-4)


def made(folder):
    (folder / "out").mkdir()
    return folder / "out"


def load(folder):
    """What a pack's loader does with a folder, and the index of kept codes."""
    state = load_file(folder / "model.safetensors")
    live = state.pop(LIVE)
    model = VQGAN(VQGANConfig.model_validate(json.loads((folder / "config.json").read_text())))
    model.load_state_dict(state)
    return model.eval().requires_grad_(False), live


def agrees_with_parity(model, arrays, codes=None):
    idx = torch.from_numpy(arrays["idx"]).long()[None]
    close(model.encode((torch.from_numpy(arrays["x"]) + 1) / 2, PLANE), arrays["h"])
    close(model.decode_raw(model.lookup(idx if codes is None else codes[idx]), PLANE), arrays["decoded"])


@pytest.mark.parametrize("name", ["vqgan_small", "gumbel_small"])
def test_taming_checkpoint_with_its_yaml(tmp_path, name):
    arrays, config, state = published.parity(name)
    published.write_ckpt(tmp_path / "last.ckpt", state)
    published.write_yaml(tmp_path / "model.yaml", config)
    done = convert(tmp_path / "last.ckpt", tmp_path / "model.yaml", tmp_path)
    model, live = load(tmp_path)
    agrees_with_parity(model, arrays)
    assert (done.layout, done.codes, done.of) == ("taming", len(live), config["n_embed"])
    assert {k: list(v.shape) for k, v in model.state_dict().items()} == config["state_dict_shapes"]
    # Trimmed: no losses, no moments, and nothing half written lies about.
    assert (tmp_path / "model.safetensors").stat().st_size < (tmp_path / "last.ckpt").stat().st_size * 0.6
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".ckpt", ".json", ".safetensors", ".yaml"]


def test_taming_checkpoint_without_its_yaml(tmp_path):
    """Shapes tell what users lose most often."""
    arrays, _, state = published.parity("vqgan_small")
    published.write_ckpt(tmp_path / "last.ckpt", state)
    convert(tmp_path / "last.ckpt", None, tmp_path)
    agrees_with_parity(load(tmp_path)[0], arrays)


def test_a_vqgan_inside_its_transformers_checkpoint(tmp_path):
    """As faceshq and sflckr are published."""
    arrays, _, state = published.parity("vqgan_small")
    inside = {f"first_stage_model.{k}": v for k, v in state.items()} | {
        "transformer.head.weight": torch.ones(9)
    }
    torch.save({"state_dict": inside}, tmp_path / "last.ckpt")
    convert(tmp_path / "last.ckpt", None, tmp_path)
    agrees_with_parity(load(tmp_path)[0], arrays)


def test_the_format_of_pytorch_before_1_6(tmp_path):
    arrays, _, state = published.parity("gumbel_small")
    torch.save({"state_dict": state}, tmp_path / "last.ckpt", _use_new_zipfile_serialization=False)
    convert(tmp_path / "last.ckpt", None, tmp_path)
    agrees_with_parity(load(tmp_path)[0], arrays)


@pytest.mark.parametrize("wrapped", [False, True], ids=["as saved", "below params"])
def test_flax_file_of_a_vqgan(tmp_path, wrapped):
    arrays, config, state = published.parity("vqgan_small")
    tree = published.flax_tree(state)
    assert "block_1" in tree["encoder"]["mid"] and "block_0" in tree["decoder"]["up_2"]
    (tmp_path / "flax_model.msgpack").write_bytes(published.msgpack({"params": tree} if wrapped else tree))
    (tmp_path / "config.json").write_text(
        json.dumps({**config["ddconfig"], "embed_dim": config["embed_dim"], "n_embed": config["n_embed"]})
    )
    done = convert(tmp_path / "flax_model.msgpack", tmp_path / "config.json", out := made(tmp_path))
    agrees_with_parity(load(out)[0], arrays)
    assert done.layout == "flax"


def picture_and_codes(n):
    draw = torch.Generator().manual_seed(0)
    return torch.rand(1, 3, 16, 24, generator=draw), torch.randint(0, n, (8, 12), generator=draw)


@pytest.mark.parametrize("kept_as", ["model", "ema"])
def test_llamagen_checkpoint(tmp_path, kept_as):
    state = published.fill(published.llamagen_shapes())
    broken = {k: torch.zeros_like(v) for k, v in state.items()}
    torch.save({"model": broken, kept_as: state}, tmp_path / "vq_ds16_c2i.pt")
    done = convert(tmp_path / "vq_ds16_c2i.pt", None, tmp_path)
    model, live = load(tmp_path)
    x, codes = picture_and_codes(40)
    latent, decoded = plain.llamagen(state, 2 * x - 1, codes)
    close(model.encode(x, PLANE), latent)
    close(model.decode_raw(model.lookup(codes[None]), PLANE), decoded)
    assert model.cfg.l2_codes  # no shape says so; every published one is
    assert done.layout == "llamagen"
    assert live.tolist() == list(range(40))


@pytest.mark.parametrize(
    "variant", [{}, {"old": True}, {"mid": False}], ids=["today", "before 0.17", "amused: no attention"]
)
def test_diffusers_folder(tmp_path, variant):
    state = published.fill(published.diffusers_shapes(**variant))
    save_file(state, tmp_path / "diffusion_pytorch_model.safetensors")
    config = {
        "_class_name": "VQModel", "block_out_channels": [32, 64], "layers_per_block": 1,
        "latent_channels": 16, "num_vq_embeddings": 40, "vq_embed_dim": 8, "norm_num_groups": 32,
        "norm_type": "group", "act_fn": "silu", "in_channels": 3, "out_channels": 3, "sample_size": 32,
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    weights = tmp_path / "diffusion_pytorch_model.safetensors"
    done = convert(weights, tmp_path / "config.json", out := made(tmp_path))
    model, _ = load(out)
    x, codes = picture_and_codes(40)
    latent, decoded = plain.diffusers(state, 2 * x - 1, codes)
    close(model.encode(x, PLANE), latent)
    close(model.decode_raw(model.lookup(codes[None]), PLANE), decoded)
    assert done.layout == "diffusers"


def test_half_precision_is_read_too(tmp_path):
    state = {k: v.half() for k, v in published.parity("gumbel_small")[2].items()}
    save_file(state, tmp_path / "half.safetensors")
    convert(tmp_path / "half.safetensors", None, tmp_path)
    model, _ = load(tmp_path)
    assert all(p.dtype == torch.float32 for p in model.parameters())
    close(model.codebook, state["quantize.embed.weight"].float())


# --- Live codes ----------------------------------------------------------------------------------


def test_dead_codes_go_and_the_index_of_the_others_stays(tmp_path):
    """Three of four rows as training began: the table is a quarter, and published codes are found again."""
    arrays, config, state = published.parity("vqgan_small")
    alive = state["quantize.embedding.weight"]
    n, D = len(alive) * 4, alive.shape[1]
    table = (2 * torch.rand(n, D, generator=torch.Generator().manual_seed(1)) - 1) / n
    numbers = torch.randperm(n, generator=torch.Generator().manual_seed(2))[: len(alive)].sort().values
    table[numbers] = alive
    published.write_ckpt(tmp_path / "last.ckpt", {**state, "quantize.embedding.weight": table})
    published.write_yaml(tmp_path / "model.yaml", {**config, "n_embed": n})
    done = convert(tmp_path / "last.ckpt", tmp_path / "model.yaml", tmp_path)
    model, live = load(tmp_path)
    assert (done.codes, done.of) == (len(alive), n)
    assert live.tolist() == numbers.tolist()
    ours = torch.full((n,), -1)
    ours[live.long()] = torch.arange(len(live))
    published_codes = numbers[torch.from_numpy(arrays["idx"]).long()][None]
    close(model.decode_raw(model.lookup(ours[published_codes]), PLANE), arrays["decoded"])
    assert model.z_range()[1].min() > 1 / n  # the clamp is over live codes: none is at the dead cluster


def test_codes_at_the_bound_of_where_training_begins_are_dead():
    table = torch.zeros(100, 16)
    table[:, 0] = 4 / 100  # sqrt(16)/100, the longest that a row can begin with
    table[7, 0] = 0.1
    assert live_codes(table).tolist() == [7]


def test_a_gumbel_codebook_is_kept_whole_with_its_logits(tmp_path):
    _, _, state = published.parity("gumbel_small")
    state["quantize.embed.weight"][5] = 0  # not chosen by distance: yet here it loses its logit, too
    torch.save({"state_dict": state}, tmp_path / "last.ckpt")
    done = convert(tmp_path / "last.ckpt", None, tmp_path)
    model, live = load(tmp_path)
    assert done.codes == 127 and 5 not in live
    assert model.quantize.proj.weight.shape[0] == model.quantize.proj.bias.shape[0] == 127


def test_an_empty_codebook_is_refused(tmp_path):
    _, _, state = published.parity("vqgan_small")
    state["quantize.embedding.weight"] *= 1e-5
    torch.save({"state_dict": state}, tmp_path / "last.ckpt")
    with pytest.raises(BadWeights, match="empty codebook"):
        convert(tmp_path / "last.ckpt", None, tmp_path)
