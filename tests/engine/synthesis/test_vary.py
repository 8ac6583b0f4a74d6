"""Variations: what they come near to, and from which draw of which recipe they begin."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import torch

from engine.material.maps import DecodedMaps
from engine.models.exemplars import Exemplars
from engine.models.vqgan import PLANE, TORUS
from engine.settings import Difference, RunSettings
from engine.starter.captions import canonical
from engine.starter.drawing import draw_maps
from engine.starter.materials import another, sample, with_coats
from engine.synthesis import vary
from engine.synthesis.aims import aims_of, seen_in
from engine.synthesis.base import NAMES, recipe_of, remembered
from engine.synthesis.decode import maps_of
from engine.synthesis.edits import Edits, Stored
from engine.synthesis.groups import synthesize_in_groups
from engine.synthesis.recipes import called, conditioned, seen_in_exemplars
from engine.synthesis.run import synthesize
from engine.synthesis.seeds import streams
from engine.synthesis.vary import Neighbours, reshuffled, rolled, spread

MOSS = {"name": "mossy", "amount": 0.4, "colour": None, "place": None}
WET = Difference(before="dry", after="wet")


def settings(**changes):
    base = {"prompt": "red bricks", "seed": 9, "variations": 2, "width": 128, "height": 128, "steps": 1}
    small = {"cutouts": 2, "judge_views": 2, "vary": True, "image": "/x.json"}
    return RunSettings(**{**base, **small, **changes})


def finish(run):
    while True:
        try:
            next(run)
        except StopIteration as end:
            return end.value


@pytest.fixture(scope="module")
def stored(tiny_pack):
    """A result that was drawn from the first exemplar, as its files would have it."""
    recipe = another(tiny_pack.exemplars.recipes[0], 5)
    maps = maps_of(draw_maps(recipe, NAMES, 128, 128)[None], NAMES)
    return Edits(stored=Stored(maps, f"exemplar 0: {canonical(recipe)}", 5, tiny_pack.hashes))


def varied(pack, edits, **changes):
    return finish(synthesize(settings(**changes), pack, edits=edits))


# --- Aims ----------------------------------------------------------------------------------------


def test_at_strength_0_the_aim_is_what_is_seen_and_with_more_it_lies_farther_off(tiny_pack, stored):
    seen = seen_in(stored, tiny_pack.guide)
    cosines = [
        aims_of(settings(strength=x), stored, tiny_pack.guide, [9, 10]) @ seen for x in (0.0, 0.3, 0.6, 1.0)
    ]
    torch.testing.assert_close(cosines[0], torch.ones(2))
    assert all((more < less).all() for less, more in itertools.pairwise(cosines))


def test_the_judge_has_no_noise_and_words_alone_have_no_aim(tiny_pack, stored):
    judged = aims_of(settings(strength=1.0), stored, tiny_pack.judge, None)
    torch.testing.assert_close(judged, seen_in(stored, tiny_pack.judge).expand(2, -1))
    assert aims_of(settings(vary=False), stored, tiny_pack.guide, [9, 10]) is None


def test_a_difference_turns_the_aim_to_the_one_text_and_away_from_the_other(tiny_pack, stored):
    plain = aims_of(settings(strength=0.2), stored, tiny_pack.guide, [9, 10])
    turned = aims_of(settings(strength=0.2, difference=WET), stored, tiny_pack.guide, [9, 10])
    dry, wet = tiny_pack.guide.encode_text(["dry", "wet"])
    assert ((turned - plain) @ (wet - dry) > 0).all()
    none = Difference(before="dry", after="wet", weight=0.0)
    assert torch.equal(
        aims_of(settings(strength=0.2, difference=none), stored, tiny_pack.guide, [9, 10]), plain
    )


# --- Beginnings ----------------------------------------------------------------------------------


def test_at_strength_0_the_result_comes_back(tiny_pack, stored):
    made = varied(tiny_pack, stored, strength=0.0)
    torch.testing.assert_close(made.maps.basecolor, stored.stored.maps.basecolor.expand(2, -1, -1, -1))
    assert made.origins == [stored.stored.origin] * 2


def test_a_little_strength_draws_the_same_recipe_anew_and_its_origin_says_how(tiny_pack, stored):
    made = varied(tiny_pack, stored, strength=0.1, steps=0)
    assert not torch.equal(made.maps.basecolor[0], made.maps.basecolor[1])
    for i, origin in enumerate(made.origins):
        again = recipe_of(Stored(stored.stored.maps, origin, made.seeds[i], tiny_pack.hashes), tiny_pack)
        assert again.exemplar == 0
        assert canonical(again.recipe) == canonical(tiny_pack.exemplars.recipes[0])
        expected = maps_of(draw_maps(again.recipe, tiny_pack.channels, 128, 128)[None], tiny_pack.channels)
        torch.testing.assert_close(made.maps.basecolor[i], expected.basecolor[0])


def test_much_strength_wanders_to_other_recipes(tiny_pack, stored):
    asked = {"variations": 16, "steps": 0, "width": 128, "height": 128}
    counts = [
        sum(not o.startswith("exemplar 0") for o in varied(tiny_pack, stored, strength=x, **asked).origins)
        for x in (0.2, 0.6, 1.0)
    ]
    assert counts[0] == 0 < counts[1] < counts[2]


def test_up_to_much_strength_it_stays_the_material_and_no_two_are_the_same(tiny_pack, stored):
    """What is drawn is of the same family where the pack has another; and a coat stays on it."""
    source = recipe_of(stored.stored, tiny_pack)
    mossy = replace(source, recipe=with_coats(source.recipe, [MOSS]))
    recipes = [*tiny_pack.exemplars.recipes, *(sample(seed, source.recipe["family"]) for seed in (4, 5))]
    names, keys = [canonical(r) for r in recipes], torch.randn(5, 16, generator=torch.Generator())
    exemplars = Exemplars.of(names, recipes, keys, torch.zeros(0, 16))
    own = {i for i, r in enumerate(exemplars.recipes) if r["family"] == source.recipe["family"] and i != 0}
    assert len(own) == 2
    picture = stored.stored.maps.basecolor[0]
    for strength in (0.4, 0.8):
        neighbours = Neighbours.of(settings(strength=strength), tiny_pack, mossy, exemplars, picture)
        assert bool(neighbours.others) == (strength == 0.8)
        assert set(neighbours.others) <= own
        found = [neighbours.pick(seed) for seed in range(50, 58)]
        assert len({r.draw for r in found}) == 8
        assert all(r.recipe["coats"] == [MOSS] for r in found if r.recipe["family"] != "moss")


def test_what_is_drawn_lies_as_far_off_as_the_strength_says(tiny_pack, stored):
    source, exemplars = recipe_of(stored.stored, tiny_pack), tiny_pack.exemplars
    seen = seen_in(stored, tiny_pack.guide)
    looks = seen_in_exemplars(exemplars, torch.arange(len(exemplars.recipes)), tiny_pack.guide)
    means = []
    for strength in (0.5, 0.9, 1.0):
        asked = settings(strength=strength)
        found = Neighbours.of(asked, tiny_pack, source, exemplars, stored.stored.maps.basecolor[0]).others
        means.append(float((looks[found] @ seen).mean()))
    assert means[0] >= means[1] >= means[2]


def test_seeds_in_a_row_are_spread_evenly():
    for first in (0, 7, 10**15):
        for axis in (0, 1):
            places = sorted(spread(first + k)[axis] for k in range(16))
            gaps = [b - a for a, b in itertools.pairwise([*places, places[0] + 1])]
            assert max(gaps) < 2.5 / 16 and min(gaps) > 0.2 / 16


def test_a_difference_alone_keeps_the_layout_and_may_change_the_condition(tiny_pack, stored):
    made = varied(tiny_pack, stored, strength=0.0, difference=WET, steps=0)
    for origin in made.origins:
        assert origin == stored.stored.origin or ", draw 5: " in origin


def test_what_a_recipe_may_become_is_found_again_by_its_name(tiny_pack):
    recipe = another(tiny_pack.exemplars.recipes[0], 7)
    for other in conditioned(recipe):
        assert canonical(called(recipe, canonical(other))) == canonical(other)


def test_variations_are_the_same_in_groups_and_alone(tiny_pack, stored):
    s = settings(variations=3, strength=0.5)
    whole = finish(synthesize(s, tiny_pack, edits=stored))
    parts = finish(synthesize_in_groups(s, tiny_pack, edits=stored, budget=1))
    torch.testing.assert_close(parts.maps.basecolor, whole.maps.basecolor, rtol=0, atol=1e-4)
    assert parts.origins == whole.origins


def test_the_words_are_no_more_than_a_name(tiny_pack, stored):
    bricks, moss = (
        varied(tiny_pack, stored, strength=0.3, prompt=p).maps.basecolor for p in ("red bricks", "moss")
    )
    assert torch.equal(bricks, moss)


# --- Pictures ------------------------------------------------------------------------------------


def picture(side=128):
    x = torch.arange(side) / side * 2 * torch.pi
    waves = 0.5 + 0.2 * (3 * x).sin()[:, None] * (5 * x).cos() + 0.1 * x.cos()[:, None] + 0 * x
    return torch.stack([waves, waves * 0.8, waves * 0.6])


def test_variations_of_a_picture_are_made_of_it(tiny_pack):
    edits = Edits(picture=picture())
    made = varied(tiny_pack, edits, strength=0.3, steps=0)
    assert made.origins == ["varied: picture"] * 2
    for x in made.maps.basecolor:
        assert not torch.allclose(x, edits.picture, atol=0.02)
        assert (x.mean((1, 2)) - edits.picture.mean((1, 2))).abs().max() < 0.03
    far = varied(tiny_pack, edits, strength=1.0, steps=0)
    assert all(origin.startswith("reworked: exemplar") for origin in far.origins)


def test_what_was_drawn_in_the_pictures_colours_keeps_them_when_it_is_varied_again(tiny_pack):
    green = Edits(picture=picture() * torch.tensor([0.1, 1.0, 0.1]).view(3, 1, 1))
    far = varied(tiny_pack, green, strength=1.0, steps=0)
    maps = DecodedMaps(**{name: x[:1] for name, x in vars(far.maps).items()})
    result = Stored(maps, far.origins[0], far.seeds[0], tiny_pack.hashes)
    assert recipe_of(result, tiny_pack) is None
    again = varied(tiny_pack, Edits(stored=result), strength=0.3, steps=0)
    assert not torch.equal(again.maps.basecolor[0], maps.basecolor[0])
    apart = again.maps.basecolor.mean((2, 3)) - maps.basecolor.mean((2, 3))
    assert apart.abs().max() < 0.03


def test_a_difference_leaves_a_recipe_its_own_colours_and_its_name(tiny_pack):
    made = varied(tiny_pack, Edits(picture=picture()), strength=1.0, difference=WET, steps=0)
    for i, origin in enumerate(made.origins):
        assert remembered(origin, made.seeds[i], tiny_pack) is not None


def test_the_guide_looks_once_and_only_where_what_it_sees_matters(tiny_pack, stored, monkeypatch):
    source, asked = recipe_of(stored.stored, tiny_pack), []
    near, look = Exemplars.near, vary.of_picture
    monkeypatch.setattr(Exemplars, "near", lambda *given: asked.append("near") or near(*given))
    monkeypatch.setattr(vary, "of_picture", lambda *given: asked.append("look") or look(*given))

    def neighbours(**changes):
        base = stored.stored.maps.basecolor[0]
        Neighbours.of(settings(**changes), tiny_pack, source, tiny_pack.exemplars, base)
        return [asked.pop(0) for _ in asked[:]]

    assert neighbours(strength=0.3) == []
    assert neighbours(strength=0.3, difference=WET) == ["near"]
    assert neighbours(strength=0.6) == ["near", "look"]
    varied(tiny_pack, Edits(picture=picture()), strength=1.0, variations=3, steps=0)
    assert asked == ["look", "near"]


def test_a_picture_that_does_not_tile_keeps_its_places(tiny_pack, stored):
    maps = stored.stored.maps
    assert reshuffled(maps, streams([1], "x"), 0.5, PLANE, 8) is maps
    along_x = reshuffled(maps, streams([1], "x"), 0.5, (False, True), 8)
    assert not torch.equal(along_x.height, maps.height)
    torch.testing.assert_close(along_x.height.mean(-1), maps.height.mean(-1), rtol=0, atol=0.25)


def test_rolling_moves_every_map(stored):
    there = rolled(stored.stored.maps, (3, 5))
    assert torch.equal(rolled(there, (-3, -5)).roughness, stored.stored.maps.roughness)
    assert torch.equal(there.basecolor[..., 3, 5], stored.stored.maps.basecolor[..., 0, 0])
    assert (
        reshuffled(stored.stored.maps, streams([1], "x"), 0.5, TORUS, 8).relief == stored.stored.maps.relief
    )
