"""Materials between two: both ends exact, evenly on the way, and no double exposure in the middle."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from engine.material.maps import DecodedMaps, luminance
from engine.material.seams import SEAMLESS, s99
from engine.models.vqgan import TORUS
from engine.settings import RunSettings
from engine.starter.drawing import draw_maps
from engine.starter.materials import sample
from engine.synthesis.aims import aims_of, seen_in
from engine.synthesis.base import NAMES
from engine.synthesis.crossing import between, crossed
from engine.synthesis.decode import maps_of
from engine.synthesis.edits import Edits, Stored
from engine.synthesis.groups import synthesize_in_groups
from engine.synthesis.run import synthesize

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


def drawn(family, seed=3):
    return maps_of(draw_maps(sample(seed, family), NAMES, 128, 128)[None], NAMES)


@pytest.fixture(scope="module")
def ends():
    return drawn("brick_wall"), drawn("cobblestone")


def cross(ends, shares=SHARES):
    return crossed(*ends, torch.tensor(shares), TORUS, 8)


def test_both_ends_are_exact(ends):
    made = cross(ends)
    for i, end in ((0, ends[0]), (4, ends[1])):
        for name, x in vars(end).items():
            torch.testing.assert_close(getattr(made, name)[i : i + 1], x, rtol=0, atol=1e-6)


def test_the_share_of_the_other_grows_and_colours_with_it(ends):
    made = cross(ends)
    distance = (made.height - ends[1].height).abs().mean((1, 2, 3))
    assert (distance.diff() < 0).all()
    means = made.basecolor.mean((-2, -1))
    expected = torch.stack(
        [ends[0].basecolor.mean((-2, -1))[0].lerp(ends[1].basecolor.mean((-2, -1))[0], t) for t in SHARES]
    )
    torch.testing.assert_close(means, expected, rtol=0, atol=0.06)


def test_the_middle_is_no_double_exposure(ends):
    """Nearly every place has the height of the one or of the other, not of their mean."""
    middle = cross(ends, (0.5,)).height
    far = (ends[0].height - ends[1].height).abs() > 0.2
    nearest = torch.minimum((middle - ends[0].height).abs(), (middle - ends[1].height).abs())
    assert (nearest < 0.05)[far].float().mean() > 0.75
    mean = (ends[0].height + ends[1].height) / 2
    assert (middle - mean).abs()[far].mean() > 0.1


def test_two_colours_of_one_wall_change_everywhere_at_once(ends):
    wall = ends[0]
    blue = replace(wall, basecolor=wall.basecolor.flip(1))
    middle = crossed(wall, blue, torch.tensor([0.5]), TORUS, 8)
    torch.testing.assert_close(middle.height, wall.height)
    assert (
        middle.basecolor.mean((-2, -1)) - (wall.basecolor + blue.basecolor).mean((-2, -1)) / 2
    ).abs().max() < 0.02


def test_grey_stays_grey_on_the_way(ends):
    """Between red bricks and moss, both with grey joints, nothing is turquoise or magenta."""
    height = torch.rand(2, 1, 1, 64, 64, generator=torch.Generator().manual_seed(2))
    joints = torch.arange(64) % 8 < 2
    ways = []
    for colour, h in zip(((0.55, 0.15, 0.1), (0.2, 0.4, 0.1)), height, strict=True):
        base = torch.tensor(colour).view(1, 3, 1, 1).expand(1, 3, 64, 64).clone()
        base[..., joints] = 0.6
        plane = torch.zeros_like(h)
        ways.append(DecodedMaps(base, h, plane, plane, plane, torch.tensor([0.1])))
    made = crossed(*ways, torch.tensor(SHARES), TORUS, 8).basecolor
    grey = made[..., joints]
    assert float((grey.amax(1) - grey.amin(1)).max()) < 1e-5
    red, green, blue = made.unbind(1)
    assert float((blue - torch.maximum(red, green)).max()) < 1e-5  # of neither end is blue the most


def test_it_tiles(ends):
    middle = cross(ends, (0.3, 0.6)).basecolor
    assert max(float(s99(luminance(x[None]), axis)) for x in middle for axis in (-2, -1)) < SEAMLESS


def test_latents_lie_in_the_codebooks_range(tiny_pack):
    a, b = torch.randn(2, 1, 4, 6, 6).unbind()
    low, high = tiny_pack.generator.z_range()
    z = between(a, b, (0.0, 0.5, 1.0), tiny_pack.generator)
    assert ((z >= low) & (z <= high)).all()


# --- Whole runs ----------------------------------------------------------------------------------


def stored(pack, maps: DecodedMaps, seed=3):
    return Stored(maps, "picture", seed, pack.hashes)


def settings(**changes):
    base = {"prompt": "bricks", "seed": 1, "variations": 3, "shares": (0.0, 0.5, 1.0), "steps": 1}
    files = {"image": "/a.json", "towards": "/b.json"}
    return RunSettings(
        **{**base, **files, "width": 128, "height": 128, "cutouts": 2, "judge_views": 2, **changes}
    )


def run(s, pack, ends, **more):
    edits = Edits(stored=stored(pack, ends[0]), towards=Edits(stored=stored(pack, ends[1])))
    steps = synthesize_in_groups(s, pack, edits=edits, **more) if more else synthesize(s, pack, edits=edits)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def test_a_run_goes_from_the_one_to_the_other_in_their_order(tiny_pack, ends):
    made = run(settings(), tiny_pack, ends)
    assert made.order == [0, 1, 2]
    assert (made.maps.basecolor[:1] - ends[0].basecolor).abs().mean() < 0.03
    assert (made.maps.basecolor[2:] - ends[1].basecolor).abs().mean() < 0.03
    assert (made.maps.basecolor[1:2] - ends[0].basecolor).abs().mean() > 0.03


def test_groups_keep_their_shares(tiny_pack, ends):
    whole, parts = run(settings(), tiny_pack, ends), run(settings(), tiny_pack, ends, budget=1)
    torch.testing.assert_close(parts.maps.basecolor, whole.maps.basecolor, rtol=0, atol=1e-4)
    assert parts.order == [0, 1, 2]


def test_aims_lie_on_the_arc(tiny_pack, ends):
    edits = Edits(stored=stored(tiny_pack, ends[0]), towards=Edits(stored=stored(tiny_pack, ends[1])))
    aims = aims_of(settings(), edits, tiny_pack.guide, [1, 2, 3])
    seen = [seen_in(x, tiny_pack.guide) for x in (edits, edits.towards)]
    torch.testing.assert_close(aims[0], seen[0])
    torch.testing.assert_close(aims[2], seen[1])
    torch.testing.assert_close(aims[1] @ seen[0], aims[1] @ seen[1])
