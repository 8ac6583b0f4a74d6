"""Distance to a palette."""

from __future__ import annotations

import pytest
import torch

from engine.synthesis.palette import palette_distance, palette_of

RED, GREEN, BLACK, WHITE = (
    palette_of([c], torch.zeros(0)) for c in ("#ff0000", "#008000", "#000000", "#ffffff")
)


def plain(*colours):
    """Pictures (B, 3, 4, 4) of one colour each."""
    return torch.stack([c[0] for c in colours])[:, :, None, None].expand(-1, -1, 4, 4)


def test_hex_is_read_as_srgb():
    assert palette_of(["#ff0033", "#000000"], torch.zeros(0)).tolist() == [
        [1, 0, pytest.approx(0.2)],
        [0, 0, 0],
    ]


def test_what_keeps_to_the_palette_is_no_distance_away():
    for colour in (RED, GREEN):
        assert palette_distance(plain(colour), colour).item() == pytest.approx(0, abs=2e-3)
    halves = torch.cat([plain(RED), plain(GREEN)], dim=3)
    found = palette_distance(halves, torch.cat([GREEN, RED])).item()
    assert found == pytest.approx(0, abs=2e-3)
    assert palette_distance(plain(WHITE), torch.cat([GREEN, RED])).item() > 0.3


def test_a_palette_of_which_a_colour_is_missing_is_not_kept():
    """All red keeps to red and green, but has no green."""
    both = torch.cat([RED, GREEN])
    apart = palette_distance(plain(RED), GREEN).item()
    assert palette_distance(plain(RED), both).item() == pytest.approx(apart / 4, abs=2e-3)


def test_lightness_counts_half():
    """Black to white is 100 in L, and nothing else."""
    assert palette_distance(plain(BLACK), WHITE).item() == pytest.approx(0.5, abs=2e-3)


def test_every_pixel_has_its_own_nearest_colour():
    halves = torch.cat([plain(RED), plain(GREEN)], dim=3)
    both, one = torch.cat([RED, GREEN]), RED
    assert palette_distance(halves, both).item() == pytest.approx(0, abs=2e-3)
    alone = palette_distance(plain(GREEN), one)
    assert palette_distance(halves, one).item() == pytest.approx(alone.item() / 4, abs=2e-3)


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_its_gradient_is_finite_and_leads_to_the_palette(level):
    x = torch.full((1, 3, 4, 4), level, requires_grad=True)
    palette_distance(x, RED).sum().backward()
    assert x.grad.isfinite().all()
    if level == 0.5:
        assert (x.grad[:, 0] < 0).all() and (x.grad[:, 1:] > 0).all()


def test_a_row_does_not_depend_on_its_neighbours():
    pictures = torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    together = palette_distance(pictures, torch.cat([RED, WHITE]))
    for i in range(3):
        torch.testing.assert_close(
            palette_distance(pictures[i : i + 1], torch.cat([RED, WHITE]))[0], together[i]
        )
