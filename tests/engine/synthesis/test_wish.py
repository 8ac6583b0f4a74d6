"""What starts make of negative prompts and pictures, besides what the words come to."""

from __future__ import annotations

import torch
from torch.nn import functional as F  # the field's name for it

from engine.models.exemplars import NAMED, Exemplars
from engine.settings import RunSettings
from engine.starter.captions import canonical, meanings
from engine.starter.drawing import draw_maps
from engine.synthesis import targets
from engine.synthesis.base import remembered
from engine.synthesis.inputs import Inputs
from engine.synthesis.palette import palette_distance, palette_of
from engine.synthesis.propose import Proposer
from engine.synthesis.recipes import as_asked, relatives
from engine.synthesis.run import synthesize
from engine.synthesis.wish import Wish, wish_of

ASKED = {"prompt": "red bricks", "pack": "tiny", "width": 128, "height": 128, "seed": 5, "variations": 1}
TEAL = torch.tensor([0.12, 0.5, 0.5])[:, None, None].expand(3, 128, 128)


def settings(**more):
    return RunSettings.model_validate({**ASKED, **more})


def drawn(pack, wish):
    """The drawn maps of a proposal for a wish."""
    text = pack.guide.encode_text(["red bricks"])[0]
    told = Proposer(settings(), pack, [5], (True, True), text, wish).recall(pack.exemplars)
    while True:
        try:
            next(told)
        except StopIteration as end:
            return end.value


def test_a_picture_gives_its_colours_to_what_is_drawn(tiny_pack):
    palette = palette_of(["#1f8080"], TEAL)
    far = [
        float(palette_distance(drawn(tiny_pack, Wish(pictures=shown)).drawn.maps[:, :3], palette))
        for shown in ((), ((TEAL, 0.3),), ((TEAL, 1.0),), ((TEAL * 0, 0.3), (TEAL, 1.0)))
    ]
    assert far[0] > far[1] > far[2]
    assert far[3] == far[2], "the heavier picture counts"


def test_what_repels_takes_part_in_the_choice_of_a_recipe(tiny_pack):
    """Another relative is drawn where what is asked for, less what is not, is called so."""
    plain = drawn(tiny_pack, Wish())
    recipe = tiny_pack.exemplars.recipes[int(plain.origins[0].split()[1].rstrip(":"))]
    kin = list(relatives(recipe))
    guide = tiny_pack.guide
    whole = next(
        e
        for name in ("blue bricks", "black", "white snow", "moss", "yellow cloth", "green")
        for e in guide.encode_text([name])
        if as_asked(kin[0], e, guide) != as_asked(kin[0], guide.encode_text(["red bricks"])[0], guide)
    )
    assert drawn(tiny_pack, Wish(whole=whole)).origins != plain.origins


def test_only_what_repels_makes_a_whole_and_only_what_draws_gives_colours(tiny_pack):
    pictures = [TEAL, TEAL]
    weighed = [{"path": "/a", "weight": 1.0}, {"path": "/b", "weight": -1.0}]
    plain = wish_of(settings(), targets.of_request(settings(), tiny_pack.guide), [], tiny_pack.guide)
    assert plain == Wish()
    less = settings(negative="moss")
    asked = targets.of_request(less, tiny_pack.guide)
    assert torch.equal(wish_of(less, asked, [], tiny_pack.guide).whole, asked.direction())
    both = settings(pictures=weighed)
    found = wish_of(both, targets.of_request(both, tiny_pack.guide, pictures), pictures, tiny_pack.guide)
    assert [weight for _, weight in found.pictures] == [1.0]


def test_a_run_begins_with_them_and_is_the_same_again(tiny_pack):
    """Also in two stages: the finer one draws in the same colours."""
    s = settings(width=256, height=256, steps=2, coarse=True, judge_views=2, cutouts=2,
                 pictures=[{"path": "/a", "weight": 2.0}], keep=100.0)  # fmt: skip
    palette = palette_of(["#1f8080"], TEAL)

    def made(s, pictures):
        run = synthesize(s, tiny_pack, Inputs(pictures))
        while True:
            try:
                next(run)
            except StopIteration as end:
                return end.value.maps.basecolor

    first, again = made(s, (TEAL,)), made(s, (TEAL,))
    assert torch.equal(first, again)
    alone = made(s.model_copy(update={"pictures": ()}), ())
    assert palette_distance(first, palette) < palette_distance(alone, palette) / 2


def test_what_lies_on_it_is_no_part_of_the_material(tiny_pack):
    """So a weight moves how much there is, and not which exemplar it begins from."""
    guide = tiny_pack.guide
    wishes = []
    for prompt in ("red bricks | snow:0.3", "red bricks | snow:0.9", "snowy red bricks"):
        s = settings(prompt=prompt)
        wishes.append(wish_of(s, targets.of_request(s, guide), [], guide))
    bricks = guide.encode_templates("red bricks", ("{}",))
    assert all(torch.allclose(w.material, bricks, atol=1e-6) for w in wishes)
    amounts = [w.coats[0]["amount"] for w in wishes]
    assert amounts[0] < amounts[2] and amounts[0] < amounts[1]
    begun = [drawn(tiny_pack, wish) for wish in wishes]
    where = {origin.split(" + ")[0] for p in begun for origin in p.origins}
    assert len(where) == 1 and all(" snowy" in p.origins[0] for p in begun)
    light = [float(p.drawn.maps[:, :3].mean()) for p in begun[:2]]
    assert light[1] > light[0]


def test_a_run_with_a_coat_is_drawn_again_from_its_origin(tiny_pack):
    s = settings(prompt="red bricks with a little yellow leaves in the joints | snow:0.3")
    wish = wish_of(s, targets.of_request(s, tiny_pack.guide), [], tiny_pack.guide)
    start = drawn(tiny_pack, wish)
    again = remembered(start.origins[0], 5, tiny_pack)
    assert [c["name"] for c in again.recipe["coats"]] == ["leaves", "snowy"]
    assert again.recipe["coats"][0] == {
        "name": "leaves",
        "amount": 0.35,
        "colour": "yellow",
        "place": "between",
    }
    maps = draw_maps(again.recipe, tiny_pack.channels, 128, 128)
    torch.testing.assert_close(start.drawn.maps[0].cpu(), maps)


def test_a_picture_chooses_the_exemplar_by_its_weight(tiny_pack):
    """With much weight that comes first in which the guide saw the same, whatever it is called."""
    guide, old = tiny_pack.guide, tiny_pack.exemplars
    names = [canonical(recipe) for recipe in old.recipes]
    told = guide.encode_text(names) + guide.encode_text(meanings(old.recipes))
    seen = F.normalize(torch.randn(told.shape, generator=torch.Generator().manual_seed(4)), dim=-1)
    keys = F.normalize(seen + NAMED * F.normalize(told, dim=-1), dim=-1)
    exemplars = Exemplars.of(names, old.recipes, keys, old.colour)
    text = guide.encode_text([names[0]])[0]
    other = exemplars.near(text, len(names))[0].tolist()[-1]
    first = []
    for weight in (0.001, 10.0):
        wish = Wish(pictures=((TEAL, weight),), looks=(seen[other],))
        asked = F.normalize(text + weight * seen[other], dim=0)
        found, nearness = Proposer(settings(), tiny_pack, [5], (True, True), asked, wish).near(exemplars)
        assert (nearness[:-1] >= nearness[1:]).all()
        first.append(int(found[0]))
    assert first[0] != other and first[1] == other


def test_what_was_seen_comes_back_out_of_a_key():
    draw = torch.Generator().manual_seed(3)
    meant, seen = F.normalize(torch.randn(2, 7, 32, generator=draw), dim=-1)
    exemplars = Exemplars.of(
        ["a"] * 7, [{}] * 7, F.normalize(seen + NAMED * meant, dim=-1), torch.zeros(0, 32)
    )
    torch.testing.assert_close(exemplars.seen(torch.arange(7), meant), seen, atol=1e-4, rtol=1e-4)
