"""What happens to views after the warp, against numbers worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from engine.synthesis.augment import (
    BRIGHTNESS,
    CONTRAST,
    HUE_RAD,
    LUMA,
    NOISE,
    NOISE_STEP_PX,
    AugmentParams,
    augment,
    draw_augment,
)
from engine.synthesis.seeds import streams

S = 16


def nothing(B: int, n: int) -> AugmentParams:
    """Parameters that leave views as they are."""
    return AugmentParams(
        colour=torch.eye(3, 4).repeat(B, n, 1, 1),
        noise=torch.zeros(B, 3, S + NOISE_STEP_PX * (n - 1), S),
        noise_std=torch.zeros(B, n),
        box=torch.zeros(B, n, 4),
    )


def some_views(B: int = 2, n: int = 3) -> Tensor:
    return torch.rand(B, n, 3, S, S, generator=torch.Generator().manual_seed(2))


def drawn(strength: float = 1.0, grey: float = 0.0, n: int = 200) -> AugmentParams:
    return draw_augment(streams([1, 2], "augment"), n, S, strength=strength, grey=grey)


def test_no_strength_changes_nothing():
    views = some_views()
    torch.testing.assert_close(augment(views, drawn(strength=0, n=3)), views, rtol=0, atol=1e-6)
    torch.testing.assert_close(augment(views, nothing(2, 3)), views, rtol=0, atol=1e-6)


def test_colour_is_an_affine_map_of_each_pixel():
    p = nothing(1, 1)
    p.colour[0, 0] = torch.tensor([[0.5, 0.25, 0, 0.1], [0, 1, 0, 0], [0, 0, 2, -0.2]])
    views = torch.tensor([0.4, 0.8, 0.3])[:, None, None].expand(1, 1, 3, S, S)
    expected = torch.tensor([0.5 * 0.4 + 0.25 * 0.8 + 0.1, 0.8, 0.4])
    torch.testing.assert_close(augment(views, p)[0, 0, :, 5, 9], expected)


def test_each_cut_takes_its_own_rows_of_the_noise():
    p = nothing(1, 3)
    noise = torch.randn(1, 3, S + NOISE_STEP_PX * 2, S)
    p = replace(p, noise=noise, noise_std=torch.tensor([[0.0, 0.1, 0.2]]))
    views = some_views(1, 3)
    added = augment(views, p) - views
    assert added[0, 0].abs().max() == 0
    for i, std in ((1, 0.1), (2, 0.2)):
        rows = noise[0, :, NOISE_STEP_PX * i : NOISE_STEP_PX * i + S]
        torch.testing.assert_close(added[0, i], std * rows, rtol=0, atol=1e-6)


def test_the_erased_rectangle_holds_the_mean_of_its_view():
    """Left 2, top 5, 4 wide, 3 high; the other views stay."""
    p = nothing(2, 3)
    p.box[1, 2] = torch.tensor([2.0, 5.0, 4.0, 3.0])
    views = some_views()
    expected = views.clone()
    expected[1, 2, :, 5:8, 2:6] = views[1, 2].mean((-2, -1))[:, None, None]
    torch.testing.assert_close(augment(views, p), expected, rtol=0, atol=1e-6)


def test_erased_rectangles_lie_inside_and_are_one_in_two():
    left, top, width, height = drawn().box.unbind(-1)
    erased = width > 0
    assert 0.4 < erased.float().mean() < 0.6
    assert left.min() >= 0 and top.min() >= 0
    assert (left + width).max() <= S and (top + height).max() <= S
    area = (width * height)[erased] / S**2
    assert 0.02 - 1e-6 <= area.min() < 0.04 and 0.13 < area.max() <= 0.15 + 1e-6


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_jitter_keeps_greys_grey_and_within_its_range(strength):
    colour = drawn(strength).colour
    black, middle = colour[..., 3], colour[..., :3].sum(-1) / 2 + colour[..., 3]
    for seen in (black, middle):
        torch.testing.assert_close(seen, seen[..., :1].expand_as(seen), rtol=0, atol=1e-6)
    off = (middle[..., 0] - 0.5).abs().max()
    assert 0.9 * BRIGHTNESS * strength < off <= BRIGHTNESS * strength + 1e-6
    contrast = (colour[..., :3].sum(-1)[..., 0] - 1).abs().max()
    assert 0.9 * CONTRAST * strength < contrast <= CONTRAST * strength + 1e-6


def test_hue_stays_a_hue():
    """Colour is what the prompt asks for: pure red, turned, must still be nearest to pure red by far."""
    colour = drawn().colour
    red = colour[..., 0] + colour[..., 3]
    hue = torch.atan2(3**0.5 * (red[..., 1] - red[..., 2]), 2 * red[..., 0] - red[..., 1] - red[..., 2])
    assert 0.9 * HUE_RAD < hue.abs().max() < 1.2 * HUE_RAD  # saturation leans it a little


def test_grey_cuts_show_the_luma():
    p = drawn(strength=0, grey=0.3)
    lost = (p.colour[..., 0, :3] - torch.tensor(LUMA)).abs().amax(-1) < 1e-6
    assert 0.2 < lost.float().mean() < 0.4
    views = some_views(2, 200)
    seen = augment(views, p)[lost]
    luma = (views[lost] * torch.tensor(LUMA)[:, None, None]).sum(1, keepdim=True)
    torch.testing.assert_close(seen, luma.expand_as(seen), rtol=0, atol=1e-5)


def test_noise_is_of_every_strength_up_to_its_largest():
    std = drawn().noise_std
    assert 0 <= std.min() < 0.1 * NOISE and 0.9 * NOISE < std.max() <= NOISE
    assert abs(drawn().noise.std() - 1) < 0.05


def test_every_cut_of_every_variation_is_changed_in_its_own_way():
    p = drawn(n=8)
    for rows in (p.colour.flatten(2), p.noise_std[..., None], p.box[..., :2]):
        assert len(rows.flatten(0, 1).unique(dim=0)) == 16


def test_the_gradient_passes_and_is_exact():
    """Along random directions: number by number it would take half a minute."""
    views, params = some_views().double().requires_grad_(), drawn(n=3)
    assert torch.autograd.gradcheck(lambda v: augment(v, params), (views,), fast_mode=True)
