"""An evaluation as it runs: nothing is done twice, and all of it is kept."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
from PIL import Image

from engine.cli import main
from engine.models import packs
from engine.starter.evaluation import parts, report as writing, runs as running, stamp, whole
from engine.starter.evaluation.bench import Bench, Sizes
from engine.starter.evaluation.naming import Namer
from engine.starter.evaluation.pictures import sheet
from engine.starter.evaluation.report import Report
from engine.starter.evaluation.runs import Runs
from engine.starter.trials.record import Trials
from tests.engine.starter.measured import SOME, figures


def test_a_run_is_done_once(tiny_pack, tmp_path, monkeypatch):
    done = []

    def counted(settings, pack):
        done.append(settings.prompt)
        return original(settings, pack)

    original = running.synthesize
    monkeypatch.setattr(running, "synthesize", counted)
    namer = Namer.of(tiny_pack.judge, SOME)
    settings = whole.settings("red moss", "auto", 0, 2).model_copy(update={"width": 128, "height": 128})
    first = Runs(tmp_path, tiny_pack, namer)(settings)
    again = Runs(tmp_path, tiny_pack, namer)(settings)
    assert done == ["red moss"] and again == first
    assert first.stamp == stamp.now()
    assert len(first.read) == 2 and first.judge == sorted(first.judge, reverse=True)
    Runs(tmp_path, tiny_pack, namer)(settings.model_copy(update={"steps": 1}))
    other = replace(tiny_pack, hashes={**tiny_pack.hashes, "guide": "0" * 64})
    Runs(tmp_path, other, namer)(settings)
    assert len(done) == 3, "other settings and other networks are other runs"
    base, lit = Runs(tmp_path, tiny_pack, namer).picture(first)
    assert base.size == lit.size == (128, 128)


def test_a_sheet_has_room_for_every_entry():
    red = Image.new("RGB", (10, 10), (255, 0, 0))
    page = sheet([("a\nb", [red, red]), ("c", [red, red]), ("d", [red, red])], 2, 20)
    assert page.getpixel((page.width // 2 + 10, 40)) == (255, 0, 0)
    assert page.getpixel((10, page.height - 5)) == (255, 0, 0)


def test_measuring_goes_on_from_the_figures_that_there_are(tiny_pack, tmp_path):
    sizes = Sizes(prompts=1, materials=2, steps=(0,), starts=("codes",), variations=1)
    bench = Bench(tiny_pack, SOME, tmp_path / "work", tmp_path / "report", sizes)
    before = figures(naming={"kept": True}, whole={"prior/3": {"prompts": 5}})
    *_, after = parts.measure(bench, before, ("reconstruction", "whole", "estimator"))
    assert "estimator" not in after.parts, "this pack has none"
    assert after.parts["naming"] == {"kept": True}
    assert set(after.parts["whole"]) == {"prior/3", "codes/0"}
    assert after.parts["whole"]["codes/0"]["prompts"] == 1
    assert (tmp_path / "report" / after.parts["reconstruction"]["picture"]).exists()
    assert after.measured == dict.fromkeys(("reconstruction", "whole/codes/0"), stamp.now())


@pytest.mark.slow
def test_what_is_looked_at_and_timed(tiny_pack, tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "SHOWCASE", ("red bricks", "zebra fur"))
    monkeypatch.setattr(parts, "STEPS", 0)
    monkeypatch.setattr(parts, "speed", partial(parts.speed, variations=1, steps=2))
    sizes = Sizes(variations=1, diverse=1, diverse_variations=2)
    bench = Bench(tiny_pack, SOME, tmp_path / "work", tmp_path / "report", sizes)
    *_, found = parts.measure(bench, figures(), ("showcase", "diversity", "speed"))
    assert set(found.parts["showcase"]["prompts"]) == {"red bricks", "zebra fur"}
    assert 1 <= found.parts["diversity"]["min"] <= found.parts["diversity"]["mean"] <= 2
    assert 1 < found.parts["diversity"]["true_materials"] <= 2
    assert 0 < found.parts["speed"]["seconds"]["guide"] < found.parts["speed"]["seconds"]["total"]
    text = writing.write(found, tmp_path, Trials()).read_text("utf-8")
    assert "| zebra fur |" in text and "## Time" in text and "## Diversity" in text
    with Image.open(tmp_path / "report" / "prompts.jpg") as page:
        assert page.width == 4 * (2 * 160 + 6)


@pytest.mark.slow
def test_evaluate_writes_figures_report_and_pictures(pack_root, tmp_path):
    out = ["--out", str(tmp_path / "evaluation.json"), "--report", str(tmp_path)]
    sizes = [
        "--materials",
        "2",
        "--prompts",
        "2",
        "--steps",
        "0",
        "--starts",
        "auto,prior",
        "--variations",
        "1",
    ]
    chosen = ["--parts", "naming,retrieval,prior,whole"]
    arguments = ["evaluate", "--pack", "tiny", "--device", "cpu", "--work", str(tmp_path / "work")]
    assert main([*arguments, *out, *sizes, *chosen]) == 0
    found = Report.model_validate_json((tmp_path / "evaluation.json").read_text("utf-8"))
    assert set(found.parts) == {"naming", "retrieval", "prior", "whole"}
    assert set(found.parts["whole"]) == {"auto/0", "prior/0"}
    assert found.sha256 == {role: file.sha256 for role, file in packs.entries()["tiny"].files().items()}
    text = (tmp_path / "REPORT.md").read_text("utf-8")
    assert "## Retrieval" in text and (tmp_path / "report" / "prior.jpg").exists()


def test_a_part_that_there_is_not_is_said(capsys):
    assert main(["evaluate", "--parts", "beauty"]) != 0
    assert "There is no part 'beauty'" in capsys.readouterr().err
