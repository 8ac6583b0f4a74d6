"""Which materials a pack remembers."""

from __future__ import annotations

import torch

from engine.starter import captions
from engine.starter.materials import sample
from engine.starter.training import exemplars


def test_a_pack_remembers_what_looks_like_its_name(data, tiny_pack):
    build = exemplars.build(data, tiny_pack.guide, 12)
    seen = []
    while True:
        try:
            seen.append(next(build))
        except StopIteration as end:
            found = end.value
            break
    assert seen[-1] == (18, 18)
    assert 12 <= len(found.names) <= 18
    names = {captions.canonical(p): i for i, p in enumerate(data.params)}
    assert set(found.names) <= set(names)
    for name, recipe in zip(found.names, found.recipes, strict=True):
        assert recipe == data.params[names[name]] or captions.canonical(recipe) == name
    assert torch.allclose(found.keys.norm(dim=-1), torch.ones(len(found.keys)), atol=1e-5)


def test_only_what_has_its_natural_colour_goes_by_its_bare_name():
    painted, natural = sample(1, "zebra"), sample(1, "zebra")
    painted.update(palette="any", target="208080", colour="teal", modifiers={}, mixture=None)
    natural.update(palette="white", target=None, colour="white", modifiers={}, mixture=None)
    assert captions.meanings([painted, natural]) == ["teal zebra print", "zebra print"]


def test_of_every_name_the_better_ones_are_kept():
    names = ["a", "b", "a", "a", "b"]
    assert exemplars.kept(names, torch.tensor([0.3, 0.9, 0.1, 0.2, 0.8])) == [0, 1, 3, 4]
