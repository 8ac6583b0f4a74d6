"""What starts make of negative prompts and pictures, besides what the words come to."""

from __future__ import annotations

import torch

from engine.settings import RunSettings
from engine.synthesis import targets
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
