"""The prior: on the torus, per-row randomness, and it can learn."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from engine.models.prior import Prior, PriorConfig
from engine.models.vqgan import PLANE, TORUS

SMALL = PriorConfig(n_embed=12, text_dim=4, width=16, dilations=(1, 2))


def streams(*seeds):
    return [torch.Generator().manual_seed(s) for s in seeds]


def sample(model, *args, **options):
    """The codes of the last round."""
    return list(model.sample(*args, **options))[-1]


@pytest.fixture(scope="module")
def prior():
    torch.manual_seed(0)
    model = Prior(SMALL).eval()
    for p in model.parameters():  # some layers start at zero, which would hide what they see
        torch.nn.init.normal_(p, std=0.3)
    return model


TEXT = F.normalize(torch.randn(3, 4, generator=torch.Generator().manual_seed(1)), dim=-1)


@torch.no_grad()
def test_logits_commute_with_rolling(prior):
    """No border on the torus, or samples would not close."""
    codes = torch.randint(0, 13, (1, 6, 8), generator=torch.Generator().manual_seed(2))
    rolled = prior(codes.roll((2, 3), (1, 2)), TEXT[:1], wrap=TORUS)
    expected = prior(codes, TEXT[:1], wrap=TORUS).roll((2, 3), (2, 3))
    torch.testing.assert_close(rolled, expected, rtol=0, atol=1e-4)
    plane = prior(codes.roll((2, 3), (1, 2)), TEXT[:1], wrap=PLANE)
    assert (plane - prior(codes, TEXT[:1], wrap=PLANE).roll((2, 3), (2, 3))).abs().max() > 1e-2


def test_samples_fill_every_place_of_any_grid(prior):
    for grid in ((4, 4), (3, 7)):
        codes = sample(prior, TEXT, grid, streams(1, 2, 3), rounds=4)
        assert codes.shape == (3, *grid)
        assert codes.min() >= 0 and codes.max() < SMALL.n_embed, "holes were left"


def test_a_sample_does_not_depend_on_its_neighbours(prior):
    together = sample(prior, TEXT, (4, 4), streams(1, 2, 3), rounds=4)
    alone = sample(prior, TEXT[1:2], (4, 4), streams(2), rounds=4)
    assert torch.equal(together[1], alone[0])
    assert not torch.equal(sample(prior, TEXT[1:2], (4, 4), streams(9), rounds=4)[0], alone[0])


def test_only_holes_of_a_start_are_drawn(prior):
    """And each row has holes of its own, none at all included."""
    start = torch.randint(0, 12, (3, 4, 6), generator=torch.Generator().manual_seed(4))
    holes = torch.rand(3, 4, 6, generator=torch.Generator().manual_seed(5)) < 0.4
    holes[1] = False
    steps = list(prior.sample(TEXT, (4, 6), streams(1, 2, 3), start=start.masked_fill(holes, prior.mask)))
    for codes in steps:
        assert torch.equal(codes[~holes], start[~holes])
    assert steps[-1].max() < SMALL.n_embed, "holes were left"
    left = [int((codes == prior.mask).sum()) for codes in steps]
    assert left == sorted(left, reverse=True) and left[0] < holes.sum()


def test_temperature_zero_and_no_choice_noise_is_deterministic(prior):
    a, b = (sample(prior, TEXT, (4, 4), streams(*s), temperature=0, choice=0) for s in ((1, 2, 3), (4, 5, 6)))
    assert torch.equal(a, b)


def test_learns_which_code_a_text_means():
    """Two texts, two constant pictures: after a few steps each text draws its own code."""
    torch.manual_seed(0)
    model, text = Prior(SMALL), torch.eye(4)[:2]
    truth = torch.tensor([3, 7]).view(2, 1, 1).expand(2, 4, 4)
    adam = torch.optim.Adam(model.parameters(), 5e-3)
    for i in range(120):
        draw = torch.Generator().manual_seed(i)
        hidden = torch.rand(2, 4, 4, generator=draw) < (i % 4 + 1) / 4  # every fourth step shows nothing
        loss = F.cross_entropy(model(truth.masked_fill(hidden, model.mask), text), truth)
        adam.zero_grad()
        loss.backward()
        adam.step()
    drawn = sample(model.eval(), text, (4, 4), streams(1, 2), text_scale=1.0)
    assert (drawn == truth).float().mean() > 0.95
