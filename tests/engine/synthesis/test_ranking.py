"""Best first, repetitions last, and among equals the one without faults."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from engine.synthesis.ranking import TIE, by_score, nearly_same, rank
from tests.engine.material.surfaces import material


def pictures(*seeds):
    return torch.cat([material(64, 64, seed=seed).basecolor for seed in seeds])


def looks(*angles):
    """Unit vectors at these angles."""
    a = torch.tensor(angles)
    return torch.stack([a.cos(), a.sin()], 1)


def test_scores_decide_and_faults_only_between_equals():
    assert by_score([0.1, 0.5, 0.3], [0, 9, 0]) == [1, 2, 0]
    assert by_score([0.5, 0.5 - TIE / 2, 0.4], [1, 0, 0]) == [1, 0, 2]
    assert by_score([0.5, 0.5], [0, 0]) == [0, 1]
    assert by_score([], []) == []


def test_a_rolled_picture_repeats_where_it_tiles():
    """To an artist it is the same material, wherever it begins."""
    a = pictures(1)
    both = torch.cat([a, a.roll((10, 22), (2, 3)), pictures(2)])
    same = looks(0.0, 0.01, 0.02)
    assert nearly_same(same, both, "xy")[0] == [True, True, False]
    assert nearly_same(same, both, "none")[0] == [True, False, False]
    along_x = torch.cat([a, a.roll(24, 3)])
    assert nearly_same(same[:2], along_x, "x")[0][1]
    assert not nearly_same(same[:2], along_x, "y")[0][1]


def test_what_the_judge_tells_apart_repeats_nothing():
    assert nearly_same(looks(0.0, 1.5), pictures(1, 1), "xy") == [[True, False], [False, True]]


@pytest.mark.parametrize("swap", [False, True])
def test_repetitions_go_last_and_say_of_what(swap):
    """The better of two alike stays where its score puts it."""
    maps = material(64, 64, seed=3, B=3)
    rolled = {**vars(maps)}
    rolled["basecolor"] = torch.cat([maps.basecolor[:1], maps.basecolor[:1].roll(4, 3), maps.basecolor[1:2]])
    scores = torch.tensor([0.5, 0.6, 0.2]) if swap else torch.tensor([0.6, 0.5, 0.2])
    ranking = rank(scores, looks(0.0, 0.05, 1.5), type(maps)(**rolled), "xy")
    best, other = (1, 0) if swap else (0, 1)
    assert ranking.order == [best, 2, other]
    assert ranking.repeats[other] == best
    assert [ranking.repeats[i] for i in (best, 2)] == [None, None]
    assert 1.5 < ranking.diversity < 2.5


def test_a_fault_loses_between_equals():
    maps = material(64, 64, seed=4, B=2)
    maps.basecolor.add_(0.05 * torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0)))
    maps.basecolor[0] += 0.02 * (1 - 2 * (torch.arange(64) % 2))
    ranking = rank(torch.tensor([0.501, 0.5]), looks(0.0, 1.5), maps, "xy")
    assert set(ranking.flags[0]) - set(ranking.flags[1]) == {"checkerboard"}
    assert ranking.order == [1, 0]
    assert rank(torch.tensor([0.6, 0.5]), looks(0.0, 1.5), maps, "xy").order == [0, 1]


def test_grouping_cannot_matter():
    """Flags, repetitions and faults are of rows: any cut of the batch says the same of each."""
    maps = material(64, 64, seed=5, B=4)
    whole = rank(torch.arange(4.0), F.normalize(torch.eye(4), dim=1), maps, "xy")
    for i in range(4):
        assert rank(torch.ones(1), torch.ones(1, 1), maps.select(i), "xy").flags == [whole.flags[i]]
