"""Trials: both variants are trained alike but for one thing, kept, and said in the report."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from engine.cli import main
from engine.errors import BadWeights, InvalidRequest
from engine.models import packs
from engine.starter import dataset
from engine.starter.data import Materials
from engine.starter.evaluation import report as writing
from engine.starter.evaluation.bench import Bench, Sizes
from engine.starter.evaluation.report import Report
from engine.starter.evaluation.stamp import Stamp, now
from engine.starter.training import clip, teacher, vocabulary
from engine.starter.trials import guides, priors, record
from engine.starter.trials.place import Place
from engine.starter.trials.record import Trial, Trials, Variant
from engine.starter.trials.run import TRIALS, run

SOME = ("brick_wall", "leather", "marble", "moss")


@pytest.fixture
def place(tiny_pack, tmp_path, monkeypatch):
    """Two dozen materials, and a guide to go on from: smaller than the shipped one, of the same make."""
    cfg = clip.GUIDE.model_copy(update={"batch": 8, "image_px": 32})
    monkeypatch.setattr(guides, "GUIDE", cfg)
    monkeypatch.setattr(guides, "JUDGE", clip.JUDGE.model_copy(update={"batch": 8, "image_px": 32}))
    monkeypatch.setattr(guides, "GUIDED_STEPS", 1)
    for _ in dataset.write(dataset.plan(tmp_path / "train", 24, first_seed=0, size=64, families=SOME)):
        pass
    data = Materials.open(tmp_path / "train")
    for role in ("guide", "judge"):
        clip.ClipStage(data, cfg, tiny_pack.compute).export(tmp_path / "weights" / role)
    bench = Bench(tiny_pack, SOME, tmp_path, tmp_path, Sizes(prompts=1, materials=2, variations=1))
    return Place(data, bench, tmp_path / "weights", tmp_path)


@pytest.fixture
def taught(monkeypatch):
    """A teacher whose meanings are nonsense, as wide as any."""
    table = torch.randn(vocabulary.FULL_VOCABULARY, clip.TEXT["width"])
    table[-2:] = 0
    monkeypatch.setattr(teacher, "token_meanings", lambda *_: teacher.SCALE * table)


def tried(place, name, seen=None):
    return run(name, place, 2, lambda *at: None if seen is None else seen.append(at), "a desk")


@pytest.mark.usefixtures("taught")
def test_a_teacher_is_all_that_the_variants_differ_in(place):
    seen = []
    trial = tried(place, "teacher", seen)
    assert list(trial.variants) == ["with a teacher", "without"]
    assert {(name, step) for name, step, of in seen if of == 2} == {
        (n, s) for n in trial.variants for s in (1, 2)
    }
    assert all(0 <= share <= 1 for v in trial.variants.values() for share in v.figures.values())
    folder = place.work / "trials" / "teacher-2"
    tables = [
        load_file(folder / name / "guide" / guides.WEIGHTS_FILE)["token_embedding.weight"]
        for name in ("with-a-teacher", "without")
    ]
    distinct = [len(table[:49000].unique(dim=0)) for table in tables]
    assert distinct[0] > 40_000 and distinct[1] < 2_000, "only meanings tell unread words apart"


@pytest.mark.slow
@pytest.mark.usefixtures("taught")
def test_judges_differ_in_how_they_see_and_not_in_what_they_read_at_first(place):
    trial = tried(place, "judge")
    assert list(trial.variants) == ["convolutions", "attention"]
    folder = place.work / "trials" / "judge-2"
    keys = [set(load_file(folder / name / "guide" / guides.WEIGHTS_FILE)) for name in trial.variants]
    words = [{key for key in own if not key.startswith("visual.")} for own in keys]
    assert words[0] == words[1] and keys[0] != keys[1]
    assert not any(key.startswith("visual.") for key in load_file(folder / "words" / guides.WEIGHTS_FILE))


@pytest.mark.slow
@pytest.mark.usefixtures("taught")
def test_a_trial_goes_on_where_it_stopped(place):
    first, seen = tried(place, "robust"), []
    again = tried(place, "robust", seen)
    assert seen == [], "nothing is trained twice"
    assert again == first
    weights = [
        load_file(place.work / "trials" / "robust-2" / name / "guide" / guides.WEIGHTS_FILE)
        for name in ("plain", "robust")
    ]
    key = "visual.trunk.stages.0.conv.weight"
    assert not torch.equal(weights[0][key], weights[1][key])


@pytest.mark.slow
def test_both_priors_are_drawn_from(place, monkeypatch):
    monkeypatch.setattr(priors, "SIZE_PX", 64)  # a stream takes a step a code
    trial = tried(place, "prior")
    assert list(trial.variants) == ["masked", "stream"]
    masked, stream = (v.figures for v in trial.variants.values())
    assert masked.keys() == stream.keys()
    assert 1 <= masked["Vendi score of 8"] <= 8 and 1 <= stream["Vendi score of 8"] <= 8


def test_without_the_teacher_the_trial_says_what_to_install(place, monkeypatch):
    monkeypatch.setattr(teacher, "version", lambda: None)
    with pytest.raises(InvalidRequest, match=r"requirements/train\.txt"):
        tried(place, "teacher")


def test_a_trial_that_there_is_not_is_said(capsys):
    assert main(["trial", "beauty"]) == 2
    assert f"Trials: {', '.join(TRIALS)}" in capsys.readouterr().err


TRIAL = Trial(
    question="is it?",
    measured="By eye.",
    machine="a desk",
    variants={
        "so": Variant(steps=3, seconds=60, figures={"share": 0.5}),
        "not so": Variant(steps=3, seconds=61, figures={"share": 0.25}),
    },
)


def test_trials_are_kept_beside_the_weights(tmp_path):
    assert record.read(tmp_path) == Trials()
    record.enter(tmp_path, "first", TRIAL)
    record.enter(tmp_path, "second", TRIAL)
    assert record.read(tmp_path).trials == {"first": TRIAL, "second": TRIAL}
    (tmp_path / record.FILE).write_text("{")
    with pytest.raises(BadWeights, match=r"trials\.json"):
        record.read(tmp_path)


def test_trials_from_before_stamps_are_kept():
    older = TRIAL.model_dump(exclude={"stamp"})
    assert Trial.model_validate(older) == TRIAL


def test_a_trial_says_when_and_by_which_code_it_was_measured(tmp_path, monkeypatch):
    asked = replace(TRIALS["judge"], answer=lambda *_: TRIAL.variants)
    monkeypatch.setitem(TRIALS, "judge", asked)
    trial = run("judge", Place(None, None, tmp_path, tmp_path), 3, print, "a desk")
    assert trial.stamp == now()


@pytest.mark.parametrize(
    ("stamp", "said"),
    [
        (Stamp(), "date not recorded, code not recorded."),
        (Stamp(date="2026-11-26", code="0" * 12), f"2026-11-26, other code (`{'0' * 12}`)."),
        (now(), f"{now().date}."),
    ],
)
def test_the_report_says_when_a_trial_was_measured(tmp_path, stamp, said):
    figures = Report(pack="tiny", sha256={}, families=SOME, machine="a desk")
    trials = Trials(trials={"so": TRIAL.model_copy(update={"stamp": stamp})})
    assert f"| 0.25 |\n\nMeasured: {said}\n" in writing.write(figures, tmp_path, trials).read_text("utf-8")


def test_the_report_has_every_variant(tmp_path):
    figures = Report(pack="tiny", sha256={}, families=SOME, machine="a desk")
    text = writing.write(figures, tmp_path, Trials(trials={"so": TRIAL})).read_text("utf-8")
    assert "## Trial: is it?" in text
    assert "| not so | 3 | 61 | 0.25 |" in text


def test_figures_that_cannot_be_read_are_said(tmp_path):
    with pytest.raises(BadWeights, match=r"evaluation\.json"):
        writing.read(tmp_path / "evaluation.json")


def test_the_shipped_trials_can_be_read():
    assert set(record.read(packs.ROOT / "starter" / "weights").trials) <= set(TRIALS)
