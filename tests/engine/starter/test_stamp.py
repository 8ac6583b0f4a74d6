"""Figures say when and by which code they were measured, and the report marks what is of other code."""

from __future__ import annotations

import pytest

from engine.cli import main
from engine.settings import RunSettings
from engine.starter.evaluation import report as writing, stamp
from engine.starter.evaluation.report import Report
from engine.starter.evaluation.runs import Run
from engine.starter.evaluation.stamp import Stamp
from engine.starter.trials.record import Trials
from tests.engine.test_layers import ROOT, imports

NAMED = {"guide": {"seen": {"pictures": 4, "family": 0.5, "colour": 0.25}}}


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A small engine, whose code may be changed."""
    for place in stamp.DECIDES:
        file = tmp_path / place if place.endswith(".py") else tmp_path / place / "work.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x = 1\ny = 2\n")
    monkeypatch.setattr(stamp, "ROOT", tmp_path)
    stamp.code.cache_clear()
    yield tmp_path
    stamp.code.cache_clear()


def revision():
    stamp.code.cache_clear()
    return stamp.code()


def report(measured):
    known = {"pack": "tiny", "sha256": {}, "families": ("moss",), "machine": "a desk"}
    return Report(**known, parts={"naming": NAMED}, measured=measured)


@pytest.mark.parametrize("place", stamp.DECIDES)
def test_every_change_of_what_decides_is_another_revision(tree, place):
    before = revision()
    file = tree / place if place.endswith(".py") else tree / place / "work.py"
    file.write_bytes(b"x = 1\r\ny = 2\r\n")
    assert revision() == before, "line ends are the checkout's business"
    file.write_bytes(b"x = 1\ny = 3\n")
    assert revision() != before


def test_what_reads_and_draws_for_a_run_is_all_in_it():
    """Of the starter's code, which is large, runs use some: whatever they import decides.

    Training is not of them, though who adds a pack borrows from it.
    """
    decides = [ROOT / "engine" / place for place in stamp.DECIDES]
    files = [file for place in decides for file in ([place] if place.suffix else place.rglob("*.py"))]
    used = {name for file in files for name in imports(file) if name.startswith("engine.starter.")}
    used = {name for name in used if not name.startswith("engine.starter.training.")}
    assert any("captions" in name for name in used)
    for name in sorted(used):
        path = ROOT.joinpath(*name.split("."))
        assert any(path.is_relative_to(place.with_suffix("")) for place in decides), name


def test_what_several_made_is_as_old_as_the_oldest():
    new, old = Stamp(date="2026-11-27", code="b"), Stamp(date="2026-11-26", code="a")
    assert stamp.together([new, new]) == new
    assert stamp.together([new, old]) == Stamp(date="2026-11-26", code=None)
    assert stamp.together([new, Stamp()]) == Stamp()


def test_runs_from_before_stamps_are_kept():
    """Their records lack one: they count as made by code that nobody recorded."""
    settings = RunSettings.model_validate({"prompt": "red moss", "seed": 1})
    lists = {"read": [("moss", "red")], "guide": [0.5], "judge": [0.5], "seams": [0.5]}
    older = Run(settings=settings, vendi=1, seconds=2, **lists).model_dump(mode="json", exclude={"stamp"})
    assert Run.model_validate(older).stamp == Stamp()


@pytest.mark.parametrize(
    ("measured", "said"),
    [
        ({"naming": Stamp(date="2026-11-27", code="0" * 12)}, f"2026-11-27, other code (`{'0' * 12}`)."),
        ({"naming": Stamp(date="2026-11-26")}, "2026-11-26, code not recorded."),
        ({}, "date not recorded, code not recorded."),
    ],
)
def test_the_report_marks_what_is_of_other_code(tmp_path, measured, said):
    text = writing.write(report(measured), tmp_path, Trials()).read_text("utf-8")
    assert said in text


def test_the_report_does_not_mark_what_is_of_its_own_code(tmp_path):
    mine = Stamp(date="2026-11-27", code=stamp.code())
    text = writing.write(report({"naming": mine}), tmp_path, Trials()).read_text("utf-8")
    assert "Measured: 2026-11-27.\n" in text


def test_the_report_is_written_anew_without_measuring(tmp_path):
    figures = tmp_path / "evaluation.json"
    figures.write_text(report({}).model_dump_json(), "utf-8")
    assert main(["evaluate", "--rewrite", "--out", str(figures), "--report", str(tmp_path)]) == 0
    assert "| guide | seen | 4 | 50 % | 25 % |" in (tmp_path / "REPORT.md").read_text("utf-8")
