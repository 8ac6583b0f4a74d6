"""REPORT.md says what the figures say, and no figures of another pack."""

from __future__ import annotations

import json

import pytest

from engine.starter.evaluation import report as writing, whole
from engine.starter.evaluation.bench import STEPS, Prompt
from engine.starter.evaluation.gap import Gap, Scale
from engine.starter.trials.record import Trials
from tests.engine.starter.measured import figures, run_of


def test_figures_of_another_pack_are_left_behind(tmp_path):
    path = tmp_path / "evaluation.json"
    mine = figures()
    assert mine.going_on(path) == mine, "none yet"
    path.write_text(figures(speed={"steps": 1}).model_dump_json())
    assert mine.going_on(path).parts == {"speed": {"steps": 1}}
    assert mine.model_copy(update={"sha256": {"judge": "cd" * 32}}).going_on(path).parts == {}
    both = figures(speed={"steps": 1}, reconstruction={"psnr": {}}, naming={"guide": {}})
    path.write_text(both.model_dump_json())
    rejudged = mine.model_copy(update={"sha256": mine.sha256 | {"judge": "cd" * 32}}).going_on(path)
    assert rejudged.parts == {"reconstruction": {"psnr": {}}}, "the judge has no part in it"
    path.write_text(json.dumps({"naming": {}}))  # as an older version wrote it
    assert mine.going_on(path) == mine


def test_the_report_says_what_the_figures_say(tmp_path):
    asked = [Prompt("red moss", "moss", "red")]
    settings = whole.settings("red moss", "auto", STEPS, 2)
    run = run_of(settings, [("marble", "red"), ("moss", "red")], seams=[0.8, 1.31])
    errors = {"basecolor": 0.1, "height": 0.2, "roughness": 0.3, "metallic": 0.4}
    estimated = {
        "estimator": {"degrees": 7.0, **errors, "metallic": 0.5},
        "classical": {"degrees": 14.0, **errors},
        "flat": {"degrees": 16.0},
        "angle_ratio": 0.5,
    }
    found = whole.summary(asked, [run], Gap(Scale(0, 1), Scale(0, 1))) | {"picture": "held_out.jpg"}
    text = writing.write(
        figures(
            whole={f"auto/{STEPS}": found},
            estimator={"materials": 3, "lit": estimated, "unlit": estimated},
            diversity={"prompts": 8, "variations": 8, "mean": 4.25, "min": 1.5, "true_materials": 5},
            prior={
                "prompts": 16,
                "samples": 8,
                "as_drawn": {"family": 0.25, "colour": 0.5},
                "ranked": {"family": 0.125, "colour": 0.5},
                "vendi": 2.0,
            },
        ),
        tmp_path,
        Trials(),
    ).read_text("utf-8")
    assert "| material right | ≥ 85 % | 0 % | no |" in text
    assert "| colour right | ≥ 90 % | 100 % | yes |" in text
    assert "| largest seam score S99 | ≤ 1.25 | 1.31 | no |" in text
    assert "| diversity of 8 variations, Vendi score | ≥ 4 | 4.25 | yes |" in text
    assert "classical formula | ≤ 0.75 | 0.5 | yes |" in text
    assert "| lit | estimator | 7.0° | 0.1 | 0.2 | 0.3 | 0.5 |" in text
    assert "| lit | flat | 16.0° | – | – | – | – |" in text
    assert "worse than the formulas in: metallic of lit pictures, metallic of unlit pictures." in text
    assert "| largest seam score S99, reconstructions | ≤ 1.25 | not measured |  |" in text
    assert "Ranking by the guide lowered the share of right materials: 25 % as drawn," in text
    assert "what this judge can show" not in text, "five are more than the four that are wanted"
    assert "| commutation with rolling | ≤ 0.0001 | not measured |  |" in text
    assert "| red moss | red marble |" in text and "](report/held_out.jpg)" in text


def whole_of(tmp_path, **rows):
    """The lines of the report on runs of the whole engine, each row with what differs from the others."""
    share = {"family": 0.5, "colour": 1.0}
    row = {"prompts": 9, "best": share, "each": share, "gap": 0.5, "vendi": 1.5, "seam_max": 0.9}
    found = figures(whole={f"auto/{name[1:]}": row | changed for name, changed in rows.items()})
    return writing.write(found, tmp_path, Trials()).read_text("utf-8")


def test_variations_are_counted_where_rows_differ_in_them(tmp_path):
    text = whole_of(tmp_path, _0={"variations": 4}, _12={"variations": 4})
    assert "| start | steps | prompts | family, best |" in text
    assert "| auto | 0 | 9 | 50 % |" in text
    text = whole_of(tmp_path, _0={"variations": 4}, _12={"variations": 8})
    assert "| start | steps | prompts | variations | family, best |" in text
    assert "| auto | 0 | 9 | 4 | 50 % |" in text and "| auto | 12 | 9 | 8 | 50 % |" in text


@pytest.mark.parametrize(
    ("count", "rest"), [(11, None), (12, None), (13, "and 1 more."), (40, "and 28 more.")]
)
def test_a_dozen_that_came_out_as_something_else_are_told(tmp_path, count, rest):
    missed = {f"red thing {k}": "red moss" for k in range(count)}
    row = {f"_{STEPS}": {"variations": 4, "missed": missed}}
    lines = whole_of(tmp_path, **row).splitlines()
    told = [i for i, line in enumerate(lines) if line.startswith("| red thing ")]
    assert len(told) == min(count, 12)
    assert (lines[told[-1] + 2] == rest) == (rest is not None)
    assert any(line.endswith(" more.") for line in lines) == (rest is not None)


@pytest.mark.parametrize(
    ("drawn", "best", "said"),
    [
        (0.3, 0.5, "Ranking by the guide raised the share of right materials: 30 % as drawn,"),
        (0.5, 0.3, "Ranking by the guide lowered the share of right materials: 50 % as drawn,"),
        (0.3, 0.49, "Ranking by the guide made no difference beyond chance, of 10 prompts: 30 % as drawn,"),
        (0.3, 0.3, "Ranking by the guide made no difference beyond chance, of 10 prompts: 30 % as drawn,"),
    ],
)
def test_ranking_is_said_to_help_where_two_prompts_say_so(tmp_path, drawn, best, said):
    shares_ = {
        name: {"family": share, "colour": 0.5} for name, share in (("as_drawn", drawn), ("ranked", best))
    }
    found = figures(prior={"prompts": 10, "samples": 8, "vendi": 2.0, **shares_})
    assert said in writing.write(found, tmp_path, Trials()).read_text("utf-8")
