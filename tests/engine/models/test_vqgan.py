"""The one VQGAN class: taming's numbers, the torus, and the starter's configuration."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.strategies import integers, sampled_from

from engine.models.vqgan import PLANE, TORUS, VQGAN, VQGANConfig

PARITY = Path(__file__).parents[1] / "parity"


def fill_by_rule(model: torch.nn.Module) -> None:
    """Weights from their names, as parity/README.md says."""
    state = {}
    for key, old in model.state_dict().items():
        draw = np.random.RandomState(int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big"))
        x = draw.standard_normal(tuple(old.shape))
        if ".norm" in key and key.endswith(".weight"):
            x = 1 + 0.1 * x
        elif key.endswith(".bias"):
            x = 0.05 * x
        elif key in ("quantize.embedding.weight", "quantize.embed.weight"):
            x = 0.7 * x
        else:
            x = x / np.sqrt(np.prod(old.shape[1:]))
        state[key] = torch.from_numpy(x.astype(np.float32))
    model.load_state_dict(state)


def published(name: str) -> tuple[VQGAN, dict[str, Any], Any]:
    arrays = np.load(PARITY / f"{name}.npz")
    config = json.loads(str(arrays["config"]))
    dd = config["ddconfig"]
    keep = {k: v for k, v in dd.items() if k not in ("double_z", "dropout")}
    model = VQGAN(
        VQGANConfig(**keep, embed_dim=config["embed_dim"], n_embed=config["n_embed"], gumbel=config["gumbel"])
    ).eval()
    fill_by_rule(model)
    return model, config, arrays


@pytest.mark.parametrize("name", ["vqgan_small", "gumbel_small"])
def test_state_dict_is_the_published_one(name):
    """A published checkpoint loads key by key, so names and shapes agree with taming's."""
    model, config, _ = published(name)
    shapes = {k: list(v.shape) for k, v in model.state_dict().items()}
    assert shapes == {k: list(v) for k, v in config["state_dict_shapes"].items()}


def test_numbers_of_the_published_vqgan():
    model, _, a = published("vqgan_small")
    with torch.no_grad():
        h = model.encode((torch.from_numpy(a["x"]) + 1) / 2, PLANE)
        decoded = model.decode_raw(model.lookup(torch.from_numpy(a["idx"]).long()[None]), PLANE)
        reconstruction = model.decode_raw(model.snap(h), PLANE)
    torch.testing.assert_close(h, torch.from_numpy(a["h"]), rtol=0, atol=1e-4)
    assert (model.nearest(h).flatten().numpy() == a["nearest"]).all()
    torch.testing.assert_close(decoded, torch.from_numpy(a["decoded"]), rtol=0, atol=1e-4)
    torch.testing.assert_close(reconstruction, torch.from_numpy(a["reconstruction"]), rtol=0, atol=1e-4)


def test_numbers_of_the_published_gumbel_vqgan():
    model, _, a = published("gumbel_small")
    with torch.no_grad():
        h = model.encode((torch.from_numpy(a["x"]) + 1) / 2, PLANE)
        decoded = model.decode_raw(model.lookup(torch.from_numpy(a["idx"]).long()[None]), PLANE)
    torch.testing.assert_close(h, torch.from_numpy(a["h"]), rtol=0, atol=1e-4)
    torch.testing.assert_close(decoded, torch.from_numpy(a["decoded"]), rtol=0, atol=1e-4)


SMALL = {
    "ch": 16, "ch_mult": (1, 2), "num_res_blocks": 1, "z_channels": 16, "embed_dim": 8, "n_embed": 64,
    "in_channels": 7, "out_ch": 7, "patch": 2, "norm_groups": 4, "l2_codes": True, "border": "reflect",
}  # fmt: skip


@pytest.fixture(scope="module", params=[True, False], ids=["starter-like", "published-like"])
def vqgan(request):
    extra = (
        SMALL if request.param else {**SMALL, "patch": 1, "in_channels": 3, "out_ch": 3, "l2_codes": False}
    )
    attention = {} if request.param else {"resolution": 32, "attn_resolutions": (16,)}
    model = VQGAN(VQGANConfig(**{**extra, **attention})).eval()
    fill_by_rule(model)
    return model


@given(dy=integers(0, 5), dx=integers(0, 7), seed=integers(0, 2**31), axes=sampled_from(["xy", "x", "y"]))
def test_decoding_commutes_with_rolling(vqgan, dy, dx, seed, axes):
    """Seamless by construction: the picture of a rolled latent is the rolled picture."""
    wrap = ("y" in axes, "x" in axes)
    dy, dx = dy * wrap[0], dx * wrap[1]
    z = torch.randn(1, 8, 6, 8, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        rolled = vqgan.decode(z.roll((dy, dx), dims=(-2, -1)), wrap)
        expected = vqgan.decode(z, wrap).roll((vqgan.f * dy, vqgan.f * dx), dims=(-2, -1))
    torch.testing.assert_close(rolled, expected, rtol=0, atol=1e-4)


def test_without_tiling_rolling_changes_the_picture(vqgan):
    """The test above can fail: with borders, the same roll gives another picture."""
    z = torch.randn(1, 8, 6, 8, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        rolled = vqgan.decode(z.roll(1, dims=-1), PLANE)
        assert (rolled - vqgan.decode(z, PLANE).roll(vqgan.f, dims=-1)).abs().max() > 1e-2


def test_encoding_commutes_with_rolling(vqgan):
    x = torch.rand(1, vqgan.cfg.in_channels, 32, 48, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        rolled = vqgan.encode(x.roll((vqgan.f, 2 * vqgan.f), dims=(-2, -1)), TORUS)
        torch.testing.assert_close(
            rolled, vqgan.encode(x, TORUS).roll((1, 2), dims=(-2, -1)), rtol=0, atol=1e-4
        )


def test_quantiser_by_hand():
    """Nearest by Euclid without, by angle with normalised codes; the gradient passes straight through."""
    model = VQGAN(VQGANConfig(**{**SMALL, "embed_dim": 2, "n_embed": 2, "l2_codes": False}))
    model.quantize.embedding.weight.data = torch.tensor([[1.0, 0.0], [0.0, 10.0]])
    z = torch.tensor([1.0, 4.0]).view(1, 2, 1, 1).requires_grad_()
    assert model.nearest(z).item() == 0  # |z - c0|² = 16, |z - c1|² = 37
    snapped = model.snap(z)
    assert snapped.flatten().tolist() == [1.0, 0.0]
    (snapped * torch.tensor([3.0, 5.0]).view(1, 2, 1, 1)).sum().backward()
    assert z.grad.flatten().tolist() == [3.0, 5.0]

    model.cfg = model.cfg.model_copy(update={"l2_codes": True})
    assert model.nearest(z).item() == 1  # 76° from the first axis, 14° from the second
    assert model.snap(z).flatten().tolist() == [0.0, 1.0]


def test_codes_survive_the_round_trip(vqgan):
    codes = torch.randint(0, 64, (2, 3, 5), generator=torch.Generator().manual_seed(3))
    assert (vqgan.nearest(vqgan.lookup(codes)) == codes).all()
