"""Decoding in windows: what whole decoding gives, GroupNorm and borders included."""

from __future__ import annotations

import pytest
import torch
from torch.utils.checkpoint import checkpoint

from engine.models import vqgan
from engine.models.vqgan import VQGAN, VQGANConfig
from engine.synthesis.windows import decode_in_windows

STARTER_LIKE = VQGANConfig(
    ch=8, ch_mult=(1, 2), num_res_blocks=1, attn_resolutions=(), in_channels=8, out_ch=8, z_channels=8,
    mid_attention=False, embed_dim=4, n_embed=32, patch=4, norm_groups=4, l2_codes=True, border="reflect",
)  # fmt: skip
TAMING_LIKE = VQGANConfig(
    ch=8, ch_mult=(1, 1, 2), num_res_blocks=1, attn_resolutions=(16,), resolution=64, z_channels=8,
    embed_dim=4, n_embed=32, norm_groups=4,
)  # fmt: skip


def network(cfg, seed=0):
    torch.manual_seed(seed)
    model = VQGAN(cfg).eval().requires_grad_(False)
    for m in model.modules():
        if isinstance(m, torch.nn.GroupNorm):  # trained ones are not plain, and hide nothing
            m.weight.uniform_(0.5, 2)
            m.bias.uniform_(-1, 1)
    return model


def latents(cfg, rows=1, h=26, w=20):
    return torch.randn(rows, cfg.embed_dim, h, w, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("wrap", [(True, True), (False, False), (True, False)])
@pytest.mark.parametrize("cfg", [STARTER_LIKE, TAMING_LIKE], ids=["patch", "attention"])
def test_windows_agree_with_the_whole(cfg, wrap):
    """GroupNorm's statistics are those of the whole picture: rounding is all that is left between them."""
    model = network(cfg)
    z = latents(cfg)
    whole = model.decode(z, wrap)
    assert whole.std() > 0.05, "a flat picture would agree with anything"
    torch.testing.assert_close(decode_in_windows(model, z, wrap, side=9), whole, rtol=0, atol=1e-4)


def test_statistics_of_a_window_alone_would_not_do(monkeypatch):
    """That the tolerance tells them apart: the same windows, each with its own statistics."""
    model = network(STARTER_LIKE)
    z = latents(STARTER_LIKE)
    monkeypatch.setattr("engine.synthesis.windows.Statistics.__call__", lambda self, norm, args, out: out)
    apart = decode_in_windows(model, z, (True, True), side=9) - model.decode(z, (True, True))
    assert apart.abs().max() > 1e-2


def test_rows_have_statistics_of_their_own_and_hooks_are_gone():
    model = network(STARTER_LIKE)
    z = latents(STARTER_LIKE, rows=2)
    whole = model.decode(z, (True, True))
    torch.testing.assert_close(decode_in_windows(model, z, (True, True), side=16), whole, rtol=0, atol=1e-4)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    assert torch.equal(model.decode(z, (True, True)), whole)


def test_a_lean_step_has_the_same_gradient_and_keeps_less(monkeypatch):
    model = network(STARTER_LIKE)

    def step():
        kept = []
        z = latents(STARTER_LIKE).requires_grad_()
        with torch.autograd.graph.saved_tensors_hooks(lambda x: kept.append(x.numel()) or x, lambda x: x):
            loss = model.decode(z).square().sum()
        loss.backward()
        return z.grad, sum(kept)

    used = []
    monkeypatch.setattr(vqgan, "checkpoint", lambda *a, **k: used.append(a) or checkpoint(*a, **k))
    plain, much = step()
    assert not used
    model.lean = True
    lean, little = step()
    assert len(used) == 6, "every block of the decoder"
    assert model.lean and torch.equal(lean, plain)
    assert little < 0.7 * much
