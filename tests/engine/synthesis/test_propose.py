"""Proposals: near the prompt, moved, in part drawn anew, and said where they came from."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from engine.errors import InvalidRequest
from engine.models.exemplars import Exemplars, ExemplarsConfig
from engine.models.prior import ROUNDS
from engine.models.vqgan import TORUS
from engine.settings import RunSettings
from engine.synthesis.propose import Chosen, patches, propose


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


def test_an_exemplar_is_the_remembered_grid_moved(tiny_pack):
    """Nothing drawn anew: 16 x 16 codes are an 8 x 8 exemplar, rolled and repeated."""
    proposal, codes = start(tiny_pack, redraw=0.0)
    for row, origin in zip(codes, proposal.origins, strict=True):
        number, name = origin.removeprefix("exemplar ").split(": ")
        remembered = tiny_pack.exemplars.codes[int(number)].long().repeat(2, 2)
        rolls = [remembered.roll((dy, dx), (0, 1)) for dy in range(8) for dx in range(8)]
        assert any(torch.equal(row, roll) for roll in rolls)
        assert tiny_pack.exemplars.cfg.names[int(number)] == name


def test_the_exemplar_nearest_to_the_prompt_comes_first(tiny_pack):
    keys = torch.nn.functional.normalize(tiny_pack.exemplars.keys, dim=-1)
    for i, key in enumerate(keys):
        index, cosine = tiny_pack.exemplars.near(key, 2)
        assert index[0] == i and cosine[0] == pytest.approx(1, abs=1e-5)
        proposal, _ = start(tiny_pack, text=key, proposals=1, seeds=range(8), variations=8)
        assert sum(origin.startswith(f"exemplar {i}:") for origin in proposal.origins) >= 5


def test_what_a_thing_is_counts_more_than_its_colour():
    """Axis 0 is colour, 1 and 2 are materials: the same thing in blue comes before another thing in red."""
    cfg = ExemplarsConfig(names=("red fabric", "blue tiles"), grid=(8, 8), key_dim=3, colour_axes=1)
    exemplars = Exemplars(cfg)
    exemplars.keys.copy_(torch.tensor([[1.0, 0.8, 0.0], [-1.0, 0.0, 0.8]]))
    red_tiles = torch.nn.functional.normalize(torch.tensor([1.0, 0.0, 0.8]), dim=0)
    assert exemplars.near(red_tiles, 2)[0].tolist() == [0, 1]
    exemplars.colour.copy_(torch.tensor([[1.0, 0.0, 0.0]]))
    index, nearness = exemplars.near(red_tiles, 2)
    assert index.tolist() == [1, 0] and nearness.max() <= 1


def test_variations_that_follow_one_another_begin_from_different_exemplars(tiny_pack):
    cfg = ExemplarsConfig(names=tuple(f"stone {i}" for i in range(70)), grid=(8, 8), key_dim=16)
    many = Exemplars(cfg)
    many.keys.copy_(torch.randn(70, 16, generator=torch.Generator().manual_seed(6)))
    pack = dataclasses.replace(tiny_pack, exemplars=many)
    proposal, _ = start(pack, seeds=range(3, 11), variations=8, proposals=16)
    assert len(set(proposal.origins)) == 8
    alone, _ = start(pack, seeds=[7], variations=1, proposals=16)
    assert alone.origins == proposal.origins[4:5]


def test_a_share_is_drawn_anew(tiny_pack):
    _, kept = start(tiny_pack, redraw=0.0)
    _, some = start(tiny_pack, redraw=0.25)
    changed = kept != some
    assert not changed[~patches([5, 6], (16, 16), 0.25)].any()
    assert changed.float().mean() > 0.1


def test_the_prior_works_only_where_there_is_something_to_draw(tiny_pack):
    """A whole number of exemplars needs no joining."""
    text = tiny_pack.guide.encode_text(["red bricks"])[0]
    for changes, phases in (({}, 1), ({"redraw": 0.1}, 1 + ROUNDS), ({"width": 160}, 1 + ROUNDS)):
        run = propose(settings(**changes), tiny_pack, [5, 6], TORUS, text)
        assert len(list(run)) == phases, changes


def test_patches_cover_their_share_of_every_row():
    for share in (0.0, 0.25, 1.0):
        assert patches([1, 2, 3], (16, 24), share).sum((1, 2)).tolist() == [round(share * 16 * 24)] * 3
    holes = patches([1], (32, 32), 0.25).float()
    together = (holes * holes.roll(1, 2)).sum() / holes.sum()
    assert together > 0.6, "scattered places instead of patches"


def test_where_a_tile_is_cut_the_two_sides_are_drawn_anew(tiny_pack):
    _, cut = tiny_pack.exemplars.lay(0, (16, 20), (3, 1))
    assert cut[:, [0, 1, -2, -1]].all() and not cut[:, 2:-2].any()
    codes, cut = tiny_pack.exemplars.lay(0, (4, 8), (0, 0))
    assert cut.all() and torch.equal(codes, tiny_pack.exemplars.codes[0, :4].long())


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
