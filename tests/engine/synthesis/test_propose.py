"""Proposals: near the prompt, moved, in part drawn anew, and said where they came from."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from engine.errors import InvalidRequest
from engine.models.exemplars import Exemplars
from engine.models.prior import ROUNDS
from engine.models.vqgan import TORUS
from engine.settings import RunSettings
from engine.starter.drawing import draw_maps
from engine.starter.materials import another, sample
from engine.synthesis.decode import decode_maps
from engine.synthesis.memory import Cost, cost_of
from engine.synthesis.propose import Chosen, Proposer, patches, propose
from engine.synthesis.recipes import called


def settings(**changes):
    base = {"prompt": "red bricks", "seed": 5, "variations": 2, "width": 128, "height": 128, "proposals": 2}
    return RunSettings(**{**base, **changes})


def finish(run):
    while True:
        try:
            next(run)
        except StopIteration as end:
            return end.value


def start(pack, seeds=(5, 6), text=None, **changes):
    """The proposal and its codes."""
    text = pack.guide.encode_text(["red bricks"])[0] if text is None else text
    proposal = finish(propose(settings(**changes), pack, list(seeds), TORUS, text))
    return proposal, pack.generator.nearest(proposal.z)


def test_an_exemplar_is_drawn_anew_from_its_recipe(tiny_pack):
    """Before guidance, what comes out is what was drawn: the detail is all that the codes do not say."""
    proposal, _ = start(tiny_pack, redraw=0.0)
    maps = decode_maps(proposal.z, settings(), tiny_pack, TORUS, proposal.drawn)
    for row, (seed, origin) in enumerate(zip((5, 6), proposal.origins, strict=True)):
        number, name = origin.removeprefix("exemplar ").split(": ")
        recipe = called(another(tiny_pack.exemplars.recipes[int(number)], seed), name)
        drawn = draw_maps(recipe, tiny_pack.channels, 128, 128)
        torch.testing.assert_close(maps.basecolor[row], drawn[:3], rtol=0, atol=1e-5)
        torch.testing.assert_close(maps.roughness[row], drawn[4:5], rtol=0, atol=1e-5)


def test_the_exemplar_nearest_to_the_prompt_comes_first(tiny_pack):
    keys = torch.nn.functional.normalize(tiny_pack.exemplars.keys, dim=-1)
    for i, key in enumerate(keys):
        index, cosine = tiny_pack.exemplars.near(key, 2)
        assert index[0] == i and cosine[0] == pytest.approx(1, abs=1e-5)
        proposal, _ = start(tiny_pack, text=key, proposals=1, seeds=range(8), variations=8)
        assert sum(origin.startswith(f"exemplar {i}:") for origin in proposal.origins) >= 5


def test_what_a_thing_is_counts_once_more_without_its_colour():
    """Axis 0 is colour, 1 and 2 are materials: the same thing in grey comes before another thing in red."""
    keys = torch.tensor([[1.0, 0.45, 0.0], [0.0, 0.0, 1.0]])
    exemplars = Exemplars.of(["red fabric", "grey tiles"], [{}, {}], keys, torch.zeros(1, 3))
    red_tiles = torch.nn.functional.normalize(torch.tensor([1.0, 0.0, 0.8]), dim=0)
    assert exemplars.near(red_tiles, 2)[0].tolist() == [0, 1]
    exemplars.colour.copy_(torch.tensor([[1.0, 0.0, 0.0]]))
    index, nearness = exemplars.near(red_tiles, 2)
    assert index.tolist() == [1, 0] and nearness.max() <= 1


def test_variations_that_follow_one_another_begin_from_different_exemplars(tiny_pack):
    recipes = [dict(sample(i, "moss")) for i in range(30)]
    keys = torch.ones(30, 16) + 0.01 * torch.randn(30, 16, generator=torch.Generator().manual_seed(6))
    many = Exemplars.of([f"moss {i}" for i in range(30)], recipes, keys, torch.zeros(0, 16))
    pack = dataclasses.replace(tiny_pack, exemplars=many)
    text = torch.nn.functional.normalize(torch.ones(16), dim=0)
    proposal, _ = start(pack, text=text, seeds=range(3, 11), variations=8, proposals=16)
    assert len(set(proposal.origins)) == 8
    alone, _ = start(pack, text=text, seeds=[7], variations=1, proposals=16)
    assert alone.origins == proposal.origins[4:5]
    assert torch.equal(alone.drawn.maps[0], proposal.drawn.maps[4])


def test_what_is_clearly_farther_from_the_prompt_is_no_start(tiny_pack):
    keys = torch.nn.functional.normalize(tiny_pack.exemplars.keys, dim=-1)
    proposal, _ = start(tiny_pack, text=keys[1], seeds=range(8), variations=8)
    assert {origin.split(":")[0] for origin in proposal.origins} == {"exemplar 1"}
    layouts = proposal.drawn.maps.flatten(1)
    assert len(layouts.unique(dim=0)) == 8, "one recipe, laid out eight times"


def test_a_share_is_drawn_anew(tiny_pack):
    _, kept = start(tiny_pack, redraw=0.0)
    _, some = start(tiny_pack, redraw=0.25)
    changed = kept != some
    assert not changed[~patches([5, 6], (16, 16), 0.25)].any()
    assert changed.float().mean() > 0.1


def test_where_the_prior_draws_nothing_of_the_old_detail_stays(tiny_pack):
    proposal, _ = start(tiny_pack, redraw=0.25)
    holes = patches([5, 6], (16, 16), 0.25)
    share = proposal.drawn.share.unflatten(3, (16, 8)).unflatten(2, (16, 8)).amax((1, 3, 5))
    assert not share[holes].any()
    assert share[~holes].max() == 1


def test_the_prior_works_only_where_there_is_something_to_draw(tiny_pack):
    text = tiny_pack.guide.encode_text(["red bricks"])[0]
    for changes, phases in (({}, 2), ({"redraw": 0.1}, 2 + ROUNDS)):
        run = propose(settings(**changes), tiny_pack, [5, 6], TORUS, text)
        assert len(list(run)) == phases, changes


def test_either_kind_of_prior_proposes(tiny_pack, stream_prior):
    """As many phases as were promised; drawn from nothing, and into the holes of a start."""
    pack = dataclasses.replace(tiny_pack, prior=stream_prior)
    text = pack.guide.encode_text(["red bricks"])[0]
    for changes in ({"start": "prior"}, {"redraw": 0.25}):
        phases = list(propose(settings(**changes), pack, [5, 6], TORUS, text))
        assert [p.step for p in phases] == list(range(1, phases[-1].total + 1)), changes
        assert len(phases) == {"start": 2 * (8 + 1), "redraw": 2 + 8}[next(iter(changes))]
    drawn, one = start(pack, start="prior")
    assert drawn.origins == ["prior", "prior"] and not torch.equal(one[0], one[1])
    assert torch.equal(start(pack, start="prior", seeds=[6], variations=1)[1][0], one[1])
    _, kept = start(pack, redraw=0.0)
    _, some = start(pack, redraw=0.25)
    changed = kept != some
    assert not changed[~patches([5, 6], (16, 16), 0.25)].any()
    assert changed.float().mean() > 0.1


def test_patches_cover_their_share_of_every_row():
    for share in (0.0, 0.25, 1.0):
        assert patches([1, 2, 3], (16, 24), share).sum((1, 2)).tolist() == [round(share * 16 * 24)] * 3
    holes = patches([1], (32, 32), 0.25).float()
    together = (holes * holes.roll(1, 2)).sum() / holes.sum()
    assert together > 0.6, "scattered places instead of patches"


def test_a_start_that_the_pack_does_not_have_is_refused(tiny_pack):
    pack = dataclasses.replace(tiny_pack, exemplars=None)
    assert start(pack)[0].origins == ["prior", "prior"]
    with pytest.raises(InvalidRequest, match="no exemplar to start from") as error:
        start(pack, start="exemplar")
    assert error.value.field == "start" and error.value.remedy.value == "auto"


def test_the_better_proposal_of_each_variation_is_kept():
    chosen = Chosen(2)
    chosen.offer(torch.tensor([0.1, 0.5]), torch.zeros(2, 2, 2))
    chosen.offer(torch.tensor([0.2, 0.4]), torch.ones(2, 2, 2))
    assert chosen.codes.mean((1, 2)).tolist() == [1, 0]


def test_large_proposals_go_through_the_codes_one_after_another(tiny_pack, monkeypatch):
    """All candidates come here at once, and memory is planned for half of them."""
    seen, encode = [], tiny_pack.generator.codes_of
    monkeypatch.setattr(
        tiny_pack.generator, "codes_of", lambda x, wrap: seen.append(len(x)) or encode(x, wrap)
    )
    s = RunSettings(prompt="moss", pack="tiny", seed=1, width=128, height=128)
    proposer = Proposer(s, tiny_pack, [1, 2, 3], (True, True), torch.zeros(16))
    x = torch.rand(3, 8, 128, 128, generator=torch.Generator().manual_seed(0))
    z, decoded = proposer.through_codes(x)
    monkeypatch.setattr("engine.synthesis.propose.PIXELS_AT_ONCE", 2 * 128 * 128)
    apart = proposer.through_codes(x)
    assert seen == [3, 2, 1]
    assert torch.equal(z, apart[0])
    torch.testing.assert_close(decoded, apart[1], rtol=0, atol=1e-5)


def test_what_is_drawn_is_counted(tiny_pack):
    """Where steps cost little, many candidates cost what they take as they are drawn."""
    s = RunSettings(prompt="moss", pack="tiny", seed=1, width=512, height=512)
    cost = Cost(pixel=0.0, lean=0.0, view=0.0, held=64.0)
    few, many = (cost.of_variation(s.model_copy(update={"candidates": n})) for n in (1, 8))
    assert (few, many) == (64 * 512**2, 8 * 64 * 512**2)
    assert cost_of(tiny_pack).held == 2 * 4 * len(tiny_pack.channels)
