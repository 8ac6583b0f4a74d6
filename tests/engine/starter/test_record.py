"""The record of a training: complete, renewed with its materials, and missed where it is missing."""

from __future__ import annotations

import pytest

from engine.errors import BadWeights
from engine.starter import record
from engine.starter.materials import FAMILIES
from engine.starter.record import StageRecord
from engine.starter.training import pipeline

GUIDE = StageRecord(configuration={"seed": 1}, seconds=5, machine="a desk")
PRIOR = StageRecord(configuration={"seed": 2})


def test_stages_of_one_training_gather(tmp_path):
    record.enter(tmp_path, ("brick_wall",), 8, "guide", GUIDE)
    record.enter(tmp_path, ("brick_wall",), 8, "prior", PRIOR)
    found = record.read(tmp_path)
    assert found.families == ("brick_wall",) and found.materials == 8
    assert found.stages == {"guide": GUIDE, "prior": PRIOR}


def test_other_materials_begin_a_new_record(tmp_path):
    record.enter(tmp_path, ("brick_wall",), 8, "guide", GUIDE)
    record.enter(tmp_path, ("brick_wall", "moss"), 8, "prior", PRIOR)
    assert record.read(tmp_path).stages == {"prior": PRIOR}


def test_stages_of_materials_drawn_otherwise_are_forgotten(tmp_path):
    """What nobody recorded may have been drawn alike, and stays."""
    once, twice = (GUIDE.model_copy(update={"size_px": 256, "supersampling": n}) for n in (1, 2))
    record.enter(tmp_path, ("brick_wall",), 8, "prior", PRIOR)
    record.enter(tmp_path, ("brick_wall",), 8, "guide", once)
    assert record.read(tmp_path).stages == {"prior": PRIOR, "guide": once}
    record.enter(tmp_path, ("brick_wall",), 8, "judge", twice)
    assert record.read(tmp_path).stages == {"prior": PRIOR, "judge": twice}


def test_a_missing_or_damaged_record_is_said(tmp_path):
    with pytest.raises(BadWeights, match=r"training\.json"):
        record.read(tmp_path)
    (tmp_path / record.FILE).write_text("{}")
    with pytest.raises(BadWeights, match=r"training\.json"):
        record.read(tmp_path)


def test_the_shipped_record_names_families_that_there_are():
    shipped = record.read(pipeline.WEIGHTS)
    assert set(shipped.families) <= set(FAMILIES)
    assert {"guide", "judge", "generator", "estimator", "prior", "exemplars"} <= set(shipped.stages)
