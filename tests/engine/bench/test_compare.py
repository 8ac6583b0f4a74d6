"""Ratios by hand, and how they are shown."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from engine.bench.cases import Case, plan
from engine.bench.compare import compare
from engine.bench.measure import Figures, uses
from engine.bench.plot import OURS, TEXTBOOK, plot
from engine.bench.table import table

TASK = {"device": "cpu", "size_px": 128, "variations": 8, "steps": 3}
THEIRS = [(10.0, 0.2), (20.0, 0.5), (30.0, 0.4)]


def figures(loop, rate, memory, curve, core_share=1.0, **changes):
    case = Case.model_validate({"loop": loop, **TASK, **changes})
    return Figures(
        case=case, device="cpu/float32", uses=uses(case),
        steps_per_s=rate, memory_bytes=memory, core_share=core_share, curve=curve,
    )  # fmt: skip


def comparison(curve, memory=50 * 2**20):
    return compare([figures("textbook", 2.0, 100 * 2**20, THEIRS), figures("ours", 3.0, memory, curve)])[0]


def test_every_ratio_is_above_one_where_ours_is_better():
    c = comparison([(4.0, 0.3), (8.0, 0.6), (12.0, 0.7)])
    assert (c.speed, c.memory) == (1.5, 2.0)
    assert c.goal == 0.5, "the best that the textbook reached, not its last"
    assert c.seconds == (20.0, 8.0)
    assert c.sooner == 2.5


def test_a_goal_that_is_never_reached_is_no_ratio():
    c = comparison([(4.0, 0.3), (8.0, 0.49)])
    assert c.seconds == (20.0, None)
    assert c.sooner is None
    assert "not reached" in shown([c])


def test_what_cannot_be_told_is_left_open():
    c = compare([figures("textbook", 2.0, None, []), figures("ours", 1.0, None, [])])[0]
    assert (c.speed, c.memory, c.goal, c.seconds, c.sooner) == (0.5, None, None, (None, None), None)
    assert "0.50x" in shown([c])


def shown(comparisons):
    out = io.StringIO()
    Console(file=out, width=140).print(table(comparisons))
    return out.getvalue()


def test_the_table_says_what_each_was_given():
    text = shown([comparison([(8.0, 0.6)])])
    for said in ("cpu, 128 px, 8 pictures", "1.50x", "2.00x", "2.50x", "20.0 (0.500)", "mossy cobblestones"):
        assert said in text
    for said in (
        "8 cutouts",
        "random codes of seed 1",
        "textbook: one picture at a time",
        "ours: all at once",
    ):
        assert said in text


@pytest.mark.parametrize(
    ("share", "device", "warned"), [(0.4, "cpu", True), (1.7, "cpu", False), (0.4, "cuda", False)]
)
def test_a_busy_machine_is_said(share, device, warned):
    """Others' work once made a loop look four times slower than it was."""
    pair = [figures(loop, 1.0, 1, [], share, device=device) for loop in ("textbook", "ours")]
    assert ("ours had only 40% of a core" in shown(compare(pair))) == warned


def test_tasks_are_compared_in_the_order_of_the_plan():
    pairs = [
        figures(loop, rate, 1, [], size_px=size)
        for size, rate in ((128, 1.0), (256, 2.0))
        for loop in ("textbook", "ours")
    ]
    assert [c.task for c in compare(pairs)] == ["cpu, 128 px, 8 pictures", "cpu, 256 px, 8 pictures"]


def test_bars_are_as_long_as_the_ratios():
    """Speed 1.5 and memory 2: both in a scale of their own, so that the line of 1 lies at 2/3 and at 1/2."""
    image = plot([comparison([(4.0, 0.3), (8.0, 0.6)])])
    row = [image.getpixel((x, 24 + 2 * 26 + 4)) for x in range(image.width)]
    blue, grey = (tuple(bytes.fromhex(colour[1:])) for colour in (OURS, TEXTBOOK))
    lengths, lines = [], []
    for start in (220, 458):  # of the first two measures
        here = row[start : start + 200]
        lines.append(max(i for i, pixel in enumerate(here) if pixel == grey))
        lengths.append(max(i for i, pixel in enumerate(here) if pixel == blue))
    assert lines[0] / lengths[0] == pytest.approx(2 / 3, abs=0.03)
    assert lines[1] / lengths[1] == pytest.approx(1 / 2, abs=0.03)


def test_curves_are_drawn_where_the_judge_watched():
    with_curves = plot([comparison([(4.0, 0.3), (8.0, 0.6)])])
    without = plot(compare([figures("textbook", 2.0, 1, []), figures("ours", 1.0, 1, [])]))
    assert with_curves.height > without.height + 200
    colours = {colour for _, colour in with_curves.crop((0, 120, 960, with_curves.height)).getcolors(10**6)}
    assert {tuple(bytes.fromhex(c[1:])) for c in (OURS, TEXTBOOK)} <= colours


@pytest.mark.parametrize("quick", [True, False])
def test_both_loops_are_given_the_same(quick):
    cases = plan(["cpu", "cuda"], quick=quick, threads=2)
    assert len(cases) == (8 if quick else 16)
    for theirs, ours in zip(cases[::2], cases[1::2], strict=True):
        assert (theirs.loop, ours.loop) == ("textbook", "ours")
        assert theirs.model_copy(update={"loop": "ours"}) == ours
    sizes = {256} if quick else {256, 512}
    assert {(c.size_px, c.variations) for c in cases} == {(s, v) for s in sizes for v in (1, 8)}
