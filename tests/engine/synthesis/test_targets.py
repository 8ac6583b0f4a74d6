"""Targets of the guide: arithmetic against numbers worked out by hand, and what each does to a run."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis.strategies import floats, integers
from torch.nn import functional as F

from engine.settings import NoisePrompt, PicturePrompt, RunSettings
from engine.synthesis import targets
from engine.synthesis.cutouts import Cutouts
from engine.synthesis.inputs import fitted
from engine.synthesis.prompts import Prompt
from engine.synthesis.seeds import streams
from engine.synthesis.targets import Aligned, Target


def at(*angles_rad):
    """Unit vectors (len, 2) at angles from (1, 0)."""
    a = torch.tensor(angles_rad)
    return torch.stack([a.cos(), a.sin()], dim=-1)


def units(seed, *shape):
    return F.normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)), dim=-1)


def close(x, y, atol=1e-5):
    torch.testing.assert_close(x, torch.as_tensor(y), rtol=0, atol=atol)


def settings(**changes):
    return RunSettings(**{"prompt": "red bricks", "seed": 1, "width": 128, "height": 128, **changes})


def test_the_direction_is_the_sum_by_weight_and_negative_prompts_subtract():
    """1 · (1, 0) + 0.5 · (0, 1) - 0.25 · (1, 0) = (0.75, 0.5), and without what repels (1, 0.5)."""
    target = Target.of(list(at(0, math.pi / 2, 0)), [1.0, 0.5, -0.25])
    close(target.direction(), F.normalize(torch.tensor([0.75, 0.5]), dim=0))
    close(target.attracting().direction(), F.normalize(torch.tensor([1, 0.5]), dim=0))


def test_one_prompt_alone_is_its_own_direction_to_the_last_bit():
    row = units(3, 7) * (1 + 1e-7)
    assert torch.equal(Target.of([row], [0.3]).direction(), row)


def test_stops_are_distances_on_either_side(tiny_pack):
    """The loss takes them with the weight's sign: 1.2 is near enough for one, far enough for the other."""
    prompts = [Prompt("moss"), Prompt("wet", 0.5, 1.2), Prompt("text", -0.5, 1.2)]
    target = targets.of_texts(prompts, ["{}", "a {}"], tiny_pack.guide)
    close(target.weights, [1.0, 0.5, -0.5])
    close(target.stops, [-math.inf, 1.2, -1.2])
    close(target.embeddings[1], tiny_pack.guide.encode_templates("wet", ["{}", "a {}"]))


def test_a_request_holds_texts_pictures_noise_and_no_lettering_in_their_places(tiny_pack):
    guide = tiny_pack.guide
    s = settings(
        prompt="bricks | moss:0.5",
        negative="text",
        pictures=(
            PicturePrompt(path="/a", weight=2.0),
            PicturePrompt(path="/b", weight=-0.5, aligned=False),
        ),
        noise_prompts=(NoisePrompt(seed=4, weight=0.3),),
        anti_lettering=0.2,
    )
    pictures = [torch.full((3, 128, 128), level) for level in (0.2, 0.8)]
    request = targets.of_request(s, guide, pictures)
    close(request.weights, [1, 0.5, -0.5, 2, -0.5])
    found = targets.everything(s, guide, request, pictures)
    close(found.fixed.weights, [1, 0.5, -0.5, -0.5, 0.3, -0.2])
    close(found.fixed.embeddings[3], targets.of_picture(pictures[1], guide))
    close(found.fixed.embeddings[4], targets.of_noise(4, request.embeddings[0]))
    close(found.fixed.embeddings[5], targets.lettering(guide))
    close(found.fixed.embeddings.norm(dim=1), torch.ones(6))
    assert [(a.weight, a.picture is pictures[0]) for a in found.aligned] == [(2.0, True)]


def test_noise_prompts_are_told_apart_by_their_seeds():
    a, again, b = (targets.of_noise(seed, torch.zeros(64)) for seed in (1, 1, 2))
    assert torch.equal(a, again)
    assert abs(float(a @ b)) < 0.5


def test_an_aligned_picture_is_cut_like_the_result(tiny_pack):
    """The picture itself is no distance away, whatever is drawn; the same picture moved is."""
    cutouts = Cutouts(size_px=tiny_pack.guide.size_px, count=4)
    params = cutouts.draw(streams([1, 2], "x"), (64, 64), 0.5)
    picture = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(1))

    def loss(result):
        views = cutouts(result.expand(2, -1, -1, -1), params)
        embeddings = tiny_pack.guide.encode_image(views.flatten(0, 1)).view(2, 4, -1)
        return Aligned(picture, 0.5).loss(embeddings, lambda x: cutouts(x, params), tiny_pack.guide)

    close(loss(picture), torch.zeros(2))
    assert (loss(picture.roll(32, 2)) > 1e-4).all()
    assert (loss(1 - picture) > 1e-4).all()


@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 32), (16, 48)])
def test_a_picture_is_fitted_without_squashing(height, width):
    """Red left, blue right, a green middle that is as wide as the picture is high."""
    picture = torch.zeros(3, 20, 60)
    picture[0, :, :20], picture[1, :, 20:40], picture[2, :, 40:] = 1, 1, 1
    found = fitted(picture, height, width)
    assert found.shape == (3, height, width)
    assert found.min() >= 0 and found.max() <= 1
    seen = found[:, height // 2].argmax(0).unique().tolist()
    assert seen == ([0, 1, 2] if width > height else [1])


@given(seed=integers(0, 999), t=floats(0, 1))
def test_slerp_keeps_to_the_arc_at_an_even_pace(seed, t):
    x, y = F.normalize(units(seed, 2, 8).double(), dim=-1)
    found = targets.slerp(x, y, t)
    angle = torch.arccos((x @ y).clamp(-1, 1))
    close(found.norm(), torch.tensor(1.0).double())
    close(torch.arccos((found @ x).clamp(-1, 1)), t * angle, atol=1e-4)
    close(found, targets.slerp(y, x, 1 - t))


@pytest.mark.parametrize("apart", [0, 1e-7, 1e-3, math.pi - 1e-3], ids=str)
def test_slerp_is_finite_wherever_the_ends_are(apart):
    x, y = at(0.3, 0.3 + apart)
    x.requires_grad_()
    found = targets.slerp(x, y, 0.25)
    close(found.detach(), at(0.3 + apart / 4)[0], atol=1e-3)
    found.sum().backward()
    assert x.grad.isfinite().all()


def test_latents_are_interpolated_place_by_place_with_their_lengths():
    """(2, 0) to (0, 4): half way at 45°, 3 long. The other place does not move."""
    x, y = torch.tensor([[2.0, 0.0], [1.0, 1.0]]), torch.tensor([[0.0, 4.0], [1.0, 1.0]])
    latents = [v.T[None, :, :, None] for v in (x, y)]  # (1, C, h, 1)
    found = targets.interpolated(*latents, 3, dim=1)
    assert found.shape == (3, 1, 2, 2, 1)
    close(found[0], latents[0])
    close(found[2], latents[1])
    close(found[1, 0, :, 0, 0], 3 * at(math.pi / 4)[0])
    close(found[1, 0, :, 1, 0], torch.ones(2))


def test_variations_are_as_far_from_the_picture_as_their_strength():
    picture = units(1, 512)
    for strength in (0.0, 0.3, 1.0):
        found = targets.varied(picture, strength, streams([5, 6], "vary"))
        close(found @ picture, torch.full((2,), math.cos(math.atan(strength))), atol=0.05)
    alone = targets.varied(picture, 1.0, streams([6], "vary"))
    assert torch.equal(found[1], alone[0])
    assert not torch.equal(found[0], found[1])


def test_a_text_difference_turns_a_picture_towards_the_new_and_off_the_old():
    picture, dry, wet = units(2, 3, 64)
    near, far = (targets.text_difference(picture, dry, wet, amount) for amount in (0.25, 0.5))
    assert picture @ wet < near @ wet < far @ wet
    assert picture @ dry > near @ dry > far @ dry
    assert far @ picture > 0.5
    close(targets.text_difference(picture, dry, wet, 0.0), picture)
    assert torch.equal(targets.text_difference(picture, dry, dry, 0.5), picture)
