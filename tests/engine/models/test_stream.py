"""The autoregressive prior: what it may see, on the torus and off it; samples are what training promised."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, strategies as st
from pydantic import ValidationError
from torch.nn import functional as F

from engine.errors import InvalidRequest
from engine.models.blocks import Places, from_blocks, to_blocks
from engine.models.stream import StreamConfig, StreamPrior, draw
from engine.models.vqgan import PLANE, TORUS

SMALL = StreamConfig(n_embed=12, code_dim=8, text_dim=4, text_tokens=2, width=24, heads=2, layers=2, window=2)
TEXT = F.normalize(torch.randn(3, 4, generator=torch.Generator().manual_seed(1)), dim=-1)
WRAPS = [TORUS, PLANE, (True, False), (False, True)]


def streams(*seeds):
    return [torch.Generator().manual_seed(s) for s in seeds]


def sample(model, *args, **options):
    """The codes when all rows are drawn."""
    return list(model.sample(*args, **options))[-1]


def random_codes(seed, *shape):
    return torch.randint(0, 12, shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def prior():
    torch.manual_seed(0)
    model = StreamPrior(SMALL).eval()
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
@pytest.mark.parametrize("wrap", WRAPS, ids=str)
def test_a_code_is_told_from_earlier_ones_alone(prior, wrap):
    """Or training would copy what sampling does not have yet. Reading order of blocks, then in the block."""
    codes = random_codes(2, 1, 8, 12)
    before = prior(codes, TEXT[:1], wrap=wrap)
    changed = to_blocks(codes)
    changed[0, 10, 2] = (changed[0, 10, 2] + 1) % 12
    after = prior(from_blocks(changed, (8, 12)), TEXT[:1], wrap=wrap)
    same = (before == after).all(-1)[0]  # (T, 4)
    assert same[:10].all() and same[10, :3].all()
    assert not same[10, 3] and not same[11:].any(-1).all()


@torch.no_grad()
def test_the_text_is_seen_everywhere_unless_dropped(prior):
    codes = random_codes(2, 1, 8, 12)
    drop = torch.tensor([True])
    assert (prior(codes, TEXT[:1]) - prior(codes, TEXT[1:2])).abs().amax((-1, -2)).min() > 1e-3
    assert torch.equal(prior(codes, TEXT[:1], drop), prior(codes, TEXT[1:2], drop))


@torch.no_grad()
@pytest.mark.parametrize("grid", [(4, 4), (8, 12), (16, 6)], ids=str)
@pytest.mark.parametrize("wrap", WRAPS, ids=str)
@pytest.mark.parametrize("text_scale", [1.0, 2.0])
def test_sampling_agrees_with_the_whole_grid_at_once(prior, grid, wrap, text_scale):
    """Two ways to one number: place by place with a cache, and all places in parallel."""
    codes = sample(prior, TEXT, grid, streams(1, 2, 3), temperature=0, text_scale=text_scale, wrap=wrap)
    logits = prior(codes, TEXT, wrap=wrap)
    if text_scale != 1:
        free = prior(codes, TEXT, torch.ones(3, dtype=torch.bool), wrap)
        logits = free + text_scale * (logits - free)
    drawn = logits.gather(-1, to_blocks(codes)[..., None])[..., 0]
    torch.testing.assert_close(drawn, logits.amax(-1), rtol=0, atol=1e-3)


@torch.no_grad()
def test_logits_move_with_the_codes_as_far_as_the_order_allows(prior):
    """Rolled codes are read in another order: what is far from where it begins and ends cannot tell."""
    codes, reach = random_codes(3, 1, 28, 28), 2 * SMALL.window + 1  # two layers, and blocks beside
    before = prior(codes, TEXT[:1])[0].unflatten(0, (14, 14))
    after = prior(codes.roll((2, 4), (1, 2)), TEXT[:1])[0].unflatten(0, (14, 14)).roll((-1, -2), (0, 1))
    inside = slice(reach, 14 - reach - 1)
    torch.testing.assert_close(after[inside, inside], before[inside, inside], rtol=0, atol=1e-4)
    assert (after - before).abs()[0].amax(-1).min() > 1e-3, "the order shows at the beginning"


@torch.no_grad()
def test_the_last_blocks_see_the_first_across_the_seam(prior):
    """Window and blocks beside reach across the seam where the grid tiles, and only there."""
    codes = random_codes(4, 1, 20, 20)
    changed = codes.clone()
    changed[0, :2, 8:10] = (changed[0, :2, 8:10] + 1) % 12
    for wrap in WRAPS:
        differs = (prior(codes, TEXT[:1], wrap=wrap) != prior(changed, TEXT[:1], wrap=wrap)).flatten(2)
        assert differs.any(-1).view(10, 10)[9].any() == wrap[0], wrap


def test_distances_are_the_short_way_round_where_the_axis_tiles():
    last, first = torch.tensor([35]), 0  # of 6 x 6
    assert Places(6, 6, TORUS, 2).near(last)[0, first]
    assert not Places(6, 6, PLANE, 2).near(last)[0, first]
    assert not Places(6, 6, (True, False), 2).near(last)[0, first]
    for size in (5, 6, 8):
        turns = Places(size, size, TORUS, 2).angles()[:size, 2:] / (2 * torch.pi)  # along the first row
        around = turns[1] * size
        torch.testing.assert_close(around, around.round())


def test_neighbours_across_the_seam_are_known_when_they_were_drawn_before():
    index, known = Places(4, 4, TORUS, 2).neighbours()
    assert index[3].tolist() == [14, 15, 12, 2, 0, 6, 7, 4]
    assert known[3].tolist() == [False, False, False, True, True, False, False, False]
    assert known[15].all()  # the last one closes the torus on all sides
    assert not Places(4, 4, PLANE, 2).neighbours()[1][3, 4]


def test_rows_are_drawn_one_after_another(prior):
    steps = list(prior.sample(TEXT, (8, 6), streams(1, 2, 3)))
    assert len(steps) == prior.rounds((8, 6)) == 4
    for i, codes in enumerate(steps):
        done = 2 * (i + 1)
        assert (codes[:, done:] == prior.mask).all() and codes[:, :done].max() < 12
        assert torch.equal(codes[:, :done], steps[-1][:, :done])


def test_an_odd_grid_is_refused_with_a_way_out(prior):
    with pytest.raises(InvalidRequest, match="3 x 4") as error:
        sample(prior, TEXT, (3, 4), streams(1, 2, 3))
    assert error.value.remedy.value == "codes"


def test_heads_must_have_room_for_places():
    with pytest.raises(ValidationError, match="window"):
        StreamConfig(width=64, heads=2, window=8)


def test_a_sample_does_not_depend_on_its_neighbours(prior):
    together = sample(prior, TEXT, (4, 4), streams(1, 2, 3))
    alone = sample(prior, TEXT[1:2], (4, 4), streams(2))
    assert torch.equal(together[1], alone[0])
    assert not torch.equal(sample(prior, TEXT[1:2], (4, 4), streams(9))[0], alone[0])


def test_only_holes_of_a_start_are_drawn(prior):
    """And each row has holes of its own, none at all included."""
    start = random_codes(4, 3, 4, 6)
    holes = torch.rand(3, 4, 6, generator=torch.Generator().manual_seed(5)) < 0.4
    holes[1] = False
    torn = start.masked_fill(holes, prior.mask)
    given = torn.clone()
    steps = list(prior.sample(TEXT, (4, 6), streams(1, 2, 3), start=torn))
    assert torch.equal(torn, given), "the caller's own codes were changed"
    for codes in steps:
        assert torch.equal(codes[~holes], start[~holes])
    assert steps[-1].max() < 12, "holes were left"


@torch.no_grad()
def test_what_is_drawn_goes_with_what_is_known(prior):
    """Known codes are taken in as if they had been drawn: the likeliest ones follow from them."""
    start = random_codes(6, 2, 4, 6)
    start[:, 2:4, 2:4] = prior.mask
    codes = sample(prior, TEXT[:2], (4, 6), streams(1, 2), start=start, temperature=0, text_scale=1.0)
    logits = prior(codes, TEXT[:2])
    hole = to_blocks(start == prior.mask).all(-1)[0].nonzero().item()
    assert torch.equal(to_blocks(codes)[:, hole], logits[:, hole].argmax(-1))


def test_draws_follow_the_shares():
    shares = torch.tensor([0.0, 0.1, 0.0, 0.6, 0.3])
    luck = torch.arange(1000) / 1000
    drawn = draw(shares.log().expand(1000, 5), 1.0, luck)
    counts = torch.bincount(drawn, minlength=5)
    assert (counts - 1000 * shares).abs().max() <= 2
    assert counts[0] == counts[2] == 0
    assert (draw(shares.log().expand(1000, 5), 0, luck) == 3).all()


def test_learns_which_picture_a_text_means():
    """Two texts, two patterns: after a few steps each text draws its own."""
    torch.manual_seed(0)
    model, text = StreamPrior(SMALL), torch.eye(4)[:2]
    stripes = torch.tensor([3, 7]).repeat(4, 2)
    truth = torch.stack([stripes, 11 - stripes.T])
    adam = torch.optim.Adam(model.parameters(), 5e-3)
    for _ in range(80):
        loss = F.cross_entropy(model(truth, text).flatten(0, 2), to_blocks(truth).flatten())
        adam.zero_grad()
        loss.backward()
        adam.step()
    drawn = sample(model.eval(), text, (4, 4), streams(1, 2), text_scale=1.0)
    assert (drawn == truth).float().mean() > 0.95
