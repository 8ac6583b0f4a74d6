"""Fitting confidence and measuring a library, on few materials and with the tiny pack: the whole way."""

from __future__ import annotations

import pytest
import torch

from engine.library import calibration, fitting
from engine.library.evaluation import evaluate, rank, recall
from engine.library.eye import Eye
from engine.starter import dataset


def test_truth_is_what_materials_were_made_of():
    params = [
        dataset.sample(1, "zebra"),
        {**dataset.sample(2, "cobblestone"), "modifiers": {"mossy": "plain"}},
    ]
    truth = fitting.truth_of(params)
    v = fitting.vocabulary
    assert [v.FAMILIES[i] for i in truth.material.tolist()] == ["zebra", "cobblestone"]
    assert truth.condition.sum(1).tolist()[1] == 1
    assert truth.condition[1, v.CONDITIONS.index("mossy")] == 1
    assert truth.pattern[0, v.PATTERNS.index("striped")] == 1
    assert truth.word.shape == (2, len(v.FAMILIES) + len(v.CONDITIONS))


def test_ranks_and_recall_count_from_the_first_right_one():
    vectors = torch.eye(12)
    query = torch.linspace(1, 0, 12)
    right = torch.zeros(12, dtype=torch.bool)
    right[[4, 11]] = True
    assert rank(vectors, query, right) == 4
    assert recall([0, 4, 9, 10]) == {"queries": 4, "at_1": 0.25, "at_10": 0.75}


def test_a_fit_is_read_again_by_whoever_looks_with_the_same_model(tiny_pack, tmp_path):
    told = []
    fitted = fitting.fit(tiny_pack.guide, tmp_path / "work", 12, lambda *news: told.append(news))
    fitting.write(fitted, tmp_path)
    assert calibration.read(fitted.model, tmp_path) == fitted
    eye = Eye(tiny_pack.guide, tmp_path)
    assert eye.calibrated
    assert set(fitted.ece) == {"material", "colour", "condition", "finish", "pattern", "light"}
    assert told[-1] == ("looking", 12, 12)
    with pytest.raises(FileNotFoundError):
        fitting.Materials.open(tmp_path / "empty")


def test_an_evaluation_measures_search_and_tags_and_makes_nothing_twice(tiny_pack, tmp_path, monkeypatch):
    figures = evaluate(tiny_pack.guide, tmp_path, 5, lambda _: None)
    assert figures["materials"] == figures["indexed"]["added"] == 5
    assert figures["search"]["caption"]["queries"] == figures["search"]["picture"]["queries"] == 5
    assert figures["search"]["caption"]["at_10"] == 1  # of five
    assert figures["seamless"] == 1
    assert all(0 <= t["precision"] <= 1 and 0 <= t["recall"] <= 1 for t in figures["tags"].values())
    monkeypatch.setattr("engine.library.evaluation.render", lambda *_: pytest.fail("made again"))
    again = evaluate(tiny_pack.guide, tmp_path, 5, lambda _: None)
    assert again["search"] == figures["search"]
