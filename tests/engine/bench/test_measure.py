"""Measuring: both loops begin alike, the judge costs nothing, memory is the work's own."""

from __future__ import annotations

import io
import json
import time

import pytest
import torch
from PIL import Image
from rich.console import Console

from engine import cli
from engine.bench import commands, contenders, measure as measuring
from engine.bench.cases import LOOPS, Case
from engine.bench.measure import measure
from engine.errors import PatinaError
from engine.meter import STATUS, Meter
from engine.synthesis import guidance
from engine.synthesis.prompts import parse
from engine.synthesis.textbook import Textbook

TINY = {"device": "cpu", "size_px": 128, "variations": 2, "steps": 2, "cutouts": 2, "pack": "tiny"}
MIB = 2**20


def tiny(loop, **changes):
    return Case.model_validate({"loop": loop, **TINY, **changes})


@pytest.fixture
def load(tiny_pack):
    return lambda _id, _compute: tiny_pack


@pytest.mark.parametrize("loop", LOOPS)
def test_a_watched_case_has_a_rate_and_a_curve(load, loop):
    figures = measure(tiny(loop, watched=True), load)
    assert figures.steps_per_s > 0
    (t1, _), (t2, _) = figures.curve
    assert 0 < t1 < t2
    assert all(-1 <= score <= 1 for _, score in figures.curve)
    assert figures.memory_bytes is None or figures.memory_bytes > 0


@pytest.mark.parametrize("loop", LOOPS)
def test_without_the_judge_nothing_is_shown(load, loop):
    assert measure(tiny(loop), load).curve == []


def test_the_textbook_works_in_float32_whatever_the_device_is_fast_in(monkeypatch):
    monkeypatch.setattr("engine.compute._cpu_has_fast_bf16", lambda: True)
    assert contenders.precision("textbook", "cpu").dtype == torch.float32
    assert contenders.precision("ours", "cpu").dtype == torch.bfloat16


def test_both_begin_from_the_same_latents(tiny_pack, monkeypatch):
    begun = {"ours": [], "textbook": []}
    optimize, guide = guidance.optimize, Textbook.run

    def ours(z, *rest, **more):
        begun["ours"].extend(z)
        return optimize(z, *rest, **more)

    def textbook(self, z, stream, *, steps):
        begun["textbook"].extend(z)
        return guide(self, z, stream, steps=steps)

    monkeypatch.setattr(guidance, "optimize", ours)
    monkeypatch.setattr(Textbook, "run", textbook)
    for loop in LOOPS:
        for course in contenders.courses(tiny(loop), tiny_pack, 1):
            next(course)
    assert len(begun["ours"]) == 2
    assert not torch.equal(*begun["ours"])
    for z, other in zip(begun["ours"], begun["textbook"], strict=True):
        assert torch.equal(z, other)


def counted(loop, pack, monkeypatch):
    """Views that the guide has in five steps, and the sizes of latents that are decoded."""
    views, sizes = [], []
    encode, decode = pack.guide.encode_image, pack.generator.decode_raw
    with monkeypatch.context() as patch:
        patch.setattr(pack.guide, "encode_image", lambda x: views.append(len(x)) or encode(x))
        patch.setattr(
            pack.generator,
            "decode_raw",
            lambda z, *wrap: sizes.append(tuple(z.shape[-2:])) or decode(z, *wrap),
        )
        for course in contenders.courses(tiny(loop), pack, 5):
            for _ in course:
                pass
    return sum(views), set(sizes)


def test_both_are_guided_by_as_many_views_of_full_size(tiny_pack, monkeypatch):
    """Else steps of the one would be others than steps of the other."""
    views, sizes = counted("ours", tiny_pack, monkeypatch)
    assert views == 5 * 2 * TINY["cutouts"]
    assert sizes == {(16, 16)}
    assert counted("textbook", tiny_pack, monkeypatch) == (views, sizes)


def test_nothing_of_ours_helps_it_whatever_the_defaults_are():
    plain = tiny("ours").settings()
    assert (plain.candidates, plain.coarse, plain.guides, plain.lit_cuts) == (1, False, (), 0)
    (prompt,) = parse(plain.prompt)
    assert prompt.weight == 1
    assert {"candidates", "coarse", "guides", "lit_cuts", "anti_lettering"} <= plain.model_fields_set


@pytest.mark.parametrize("loop", LOOPS)
def test_a_course_has_an_item_a_step_and_shows_what_it_made(tiny_pack, loop):
    items = [list(course) for course in contenders.courses(tiny(loop), tiny_pack, 12)]
    assert [len(course) for course in items] == ([12] if loop == "ours" else [12, 12])
    pictures = [picture for picture in items[0] if picture is not None]
    assert len(pictures) == 6
    assert pictures[0].shape == (2 if loop == "ours" else 1, 3, 128, 128)
    assert not torch.equal(pictures[0], pictures[-1])


def test_the_clock_stands_while_the_judge_looks(load, monkeypatch):
    judge = measuring.score

    def slow(*args, **more):
        time.sleep(1)
        return judge(*args, **more)

    monkeypatch.setattr(measuring, "score", slow)
    start = time.perf_counter()
    figures = measure(tiny("ours", watched=True), load)
    assert figures.curve[-1][0] < time.perf_counter() - start - 1.9


@pytest.mark.skipif(not STATUS.exists(), reason="only Linux forgets a peak")
def test_memory_is_what_the_work_took_at_its_peak():
    torch.ones(150 * MIB, dtype=torch.uint8)  # before: a peak that must be forgotten
    meter = Meter(torch.device("cpu"))
    kept = torch.ones(30 * MIB, dtype=torch.uint8)
    torch.ones(40 * MIB, dtype=torch.uint8)
    meter.pause()
    torch.ones(200 * MIB, dtype=torch.uint8)  # the judge's
    meter.resume()
    meter.pause()
    assert 68 * MIB < meter.bytes() < 80 * MIB
    assert kept.sum() == 30 * MIB


@pytest.mark.slow
def test_measured_compared_and_written(tmp_path):
    """The whole way on the shipped pack, each loop in a process of its own."""
    cases = [tiny(loop, pack="starter", variations=1, watched=True, threads=1) for loop in LOOPS]
    said = io.StringIO()
    commands.report(cases, tmp_path / "new", Console(file=said, width=140), Console(file=io.StringIO()))
    assert "cpu, 128 px, 1 picture" in said.getvalue()
    written = json.loads((tmp_path / "new" / commands.JSON).read_text())
    (task,) = written["comparisons"]
    assert task["speed"] == task["ours"]["steps_per_s"] / task["textbook"]["steps_per_s"]
    assert task["textbook"]["device"] == "cpu/float32, CPU threads: 1"
    assert len(task["ours"]["curve"]) == 2
    if STATUS.exists():
        assert task["memory"] > 0
        assert all(10 * MIB < task[loop]["memory_bytes"] < 1000 * MIB for loop in LOOPS)
    with Image.open(tmp_path / "new" / commands.PLOT) as image:
        assert image.format == "PNG" and image.width == 960


def test_a_case_that_fails_says_why(tmp_path, monkeypatch):
    monkeypatch.setattr(commands, "CHECKOUT", tmp_path)  # where there is no engine
    with pytest.raises(
        PatinaError, match=r"1 picture: ours could not be measured: .*No module named 'engine'"
    ):
        commands.in_a_fresh_process(tiny("ours", variations=1))


@pytest.mark.parametrize(
    ("arguments", "said"), [(["--threads", "0"], "at least 1"), (["--device", "gpu"], "finds no 'gpu'")]
)
def test_bad_input_is_refused_in_a_sentence(tmp_path, capsys, arguments, said):
    assert cli.main(["bench", "--out", str(tmp_path), *arguments]) != 0
    assert said in capsys.readouterr().err
