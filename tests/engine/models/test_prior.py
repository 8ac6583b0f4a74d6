"""The prior: what it may see, on the torus and off it; sampling is what training promised; it can learn."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, strategies as st
from torch.nn import functional as F

from engine.models.prior import Places, Prior, PriorConfig, draw, from_blocks, to_blocks
from engine.models.vqgan import PLANE, TORUS

SMALL = PriorConfig(n_embed=12, code_dim=8, text_dim=4, width=16, heads=2, layers=2, window=2)
TEXT = F.normalize(torch.randn(3, 4, generator=torch.Generator().manual_seed(1)), dim=-1)


def streams(*seeds):
    return [torch.Generator().manual_seed(s) for s in seeds]


def sample(model, *args, **options):
    """The codes when all rows are drawn."""
    return list(model.sample(*args, **options))[-1]


@pytest.fixture(scope="module")
def prior():
    torch.manual_seed(0)
    model = Prior(SMALL).eval()
    for p in model.parameters():  # some layers start near zero, which would hide what they see
        torch.nn.init.normal_(p, std=0.3)
    return model


@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4))
def test_blocks_lead_back_to_codes(B, H, W):
    codes = torch.arange(B * 4 * H * W).view(B, 2 * H, 2 * W)
    blocks = to_blocks(codes)
    assert torch.equal(from_blocks(blocks, (2 * H, 2 * W)), codes)
    assert torch.equal(blocks[0, 0], codes[0, :2, :2].flatten())


@torch.no_grad()
@pytest.mark.parametrize("wrap", [TORUS, PLANE, (True, False), (False, True)], ids=str)
def test_a_code_is_told_from_earlier_ones_alone(prior, wrap):
    """Or training would copy what sampling does not have yet. Reading order of blocks, then in the block."""
    codes = torch.randint(0, 12, (1, 8, 12), generator=torch.Generator().manual_seed(2))
    before = prior(codes, TEXT[:1], wrap=wrap)
    changed = to_blocks(codes)
    changed[0, 10, 2] = (changed[0, 10, 2] + 1) % 12
    after = prior(from_blocks(changed, (8, 12)), TEXT[:1], wrap=wrap)
    same = (before == after).all(-1)[0]  # (T, 4)
    assert same[:10].all() and same[10, :3].all()
    assert not same[10, 3] and not same[11:].any(-1).all()


@torch.no_grad()
@pytest.mark.parametrize("grid", [(4, 4), (8, 12), (16, 6)], ids=str)
@pytest.mark.parametrize("wrap", [TORUS, PLANE, (True, False), (False, True)], ids=str)
@pytest.mark.parametrize("text_scale", [1.0, 2.0])
def test_sampling_agrees_with_the_whole_grid_at_once(prior, grid, wrap, text_scale):
    """Two ways to one number: place by place with a memory, and all places in parallel."""
    codes = sample(prior, TEXT, grid, streams(1, 2, 3), temperature=0, text_scale=text_scale, wrap=wrap)
    logits = prior(codes, TEXT, wrap=wrap)
    if text_scale != 1:
        free = prior(codes, TEXT, torch.ones(3, dtype=torch.bool), wrap)
        logits = free + text_scale * (logits - free)
    drawn = logits.gather(-1, to_blocks(codes)[..., None])[..., 0]
    torch.testing.assert_close(drawn, logits.amax(-1), rtol=0, atol=1e-3)


def test_distances_are_the_short_way_round_where_the_axis_tiles():
    t, j = torch.tensor([[15]]), torch.tensor([[1]])  # the last block of 4 x 4, and the one after the first
    assert [int(d) for d in Places(4, 4, TORUS, 2).offsets(t, j)] == [-1, -1]
    assert [int(d) for d in Places(4, 4, PLANE, 2).offsets(t, j)] == [3, 3]


def test_neighbours_across_the_seam_are_known_when_they_were_drawn_before():
    index, known = Places(4, 4, TORUS, 2).neighbours()
    assert index[3].tolist() == [14, 15, 12, 2, 0, 6, 7, 4]
    assert known[3].tolist() == [False, False, False, True, True, False, False, False]
    assert known[15].all()  # the last one closes the torus on all sides
    assert not Places(4, 4, PLANE, 2).neighbours()[1][3, 4]


def test_no_key_before_the_first_can_be_in_the_window():
    for wrap in (TORUS, PLANE, (True, False), (False, True)):
        places = Places(9, 7, wrap, 2)
        for t in range(63):
            _, near = places.rows(torch.tensor([[t]]), torch.arange(t + 1)[None])
            assert not near[0, : places.first_key(t)].any(), (wrap, t)


def test_a_sample_does_not_depend_on_its_neighbours(prior):
    together = sample(prior, TEXT, (4, 4), streams(1, 2, 3))
    alone = sample(prior, TEXT[1:2], (4, 4), streams(2))
    assert torch.equal(together[1], alone[0])
    assert not torch.equal(sample(prior, TEXT[1:2], (4, 4), streams(9))[0], alone[0])


def test_draws_follow_the_shares():
    shares = torch.tensor([0.1, 0.0, 0.6, 0.3])
    luck = torch.arange(1000) / 1000
    drawn = draw(shares.log().expand(1000, 4), 1.0, luck)
    counts = torch.bincount(drawn, minlength=4)
    assert (counts - 1000 * shares).abs().max() <= 2
    assert counts[1] == 0
    assert (draw(shares.log().expand(1000, 4), 0, luck) == 2).all()


def test_learns_which_picture_a_text_means():
    """Two texts, two patterns: after a few steps each text draws its own."""
    torch.manual_seed(0)
    model, text = Prior(SMALL), torch.eye(4)[:2]
    stripes = torch.tensor([3, 7]).repeat(4, 2)
    truth = torch.stack([stripes, 11 - stripes.T])
    adam = torch.optim.Adam(model.parameters(), 5e-3)
    for _ in range(100):
        loss = F.cross_entropy(model(truth, text).flatten(0, 2), to_blocks(truth).flatten())
        adam.zero_grad()
        loss.backward()
        adam.step()
    drawn = sample(model.eval(), text, (4, 4), streams(1, 2), text_scale=1.0)
    assert (drawn == truth).float().mean() > 0.95
