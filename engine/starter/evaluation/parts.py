"""The parts of an evaluation, by name: each measures one thing on a bench and draws its picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from engine.material.shading import under_key
from engine.models.priors import AnyPrior
from engine.settings import Start
from engine.starter import captions
from engine.starter.evaluation import diversity, prior, whole
from engine.starter.evaluation.bench import STEPS, Bench, Prompt
from engine.starter.evaluation.estimation import estimation
from engine.starter.evaluation.gap import Gap
from engine.starter.evaluation.naming import Name, naming
from engine.starter.evaluation.pictures import Entry, as_image, sheet, write_jpeg
from engine.starter.evaluation.reconstruction import known_planes, reconstruction, through_codes
from engine.starter.evaluation.report import Report
from engine.starter.evaluation.retrieval import retrieval
from engine.starter.evaluation.runs import Run, Runs
from engine.starter.evaluation.speed import speed
from engine.starter.evaluation.stamp import Stamp, now, together
from engine.starter.evaluation.synonyms import synonym_accuracy
from engine.synthesis.decode import maps_of

PARTS = (
    "naming",
    "synonyms",
    "retrieval",
    "reconstruction",
    "estimator",
    "prior",
    "speed",
    "showcase",
    "diversity",
    "whole",
)
"""What there is to measure, the quick ones first."""

SHOWCASE = (
    "red bricks",
    "mossy cobblestones",
    "rusty metal plate",
    "blue denim",
    "herringbone parquet",
    "molten lava",
    "white marble with gold veins",
    "zebra fur",
)
PRIOR_PROMPTS, PRIOR_SAMPLES = 24, 8
SHOWN = 24  # held-out prompts on the sheet
SHOWN_MATERIALS = 12

Figures = dict[str, Any]
Measured = tuple[Figures, Stamp]
Measure = Callable[[], Iterator[Measured]]


def measure(bench: Bench, report: Report, wanted: Sequence[str] = PARTS) -> Iterator[Report]:
    """Measures the wanted parts one after another and enters their figures in the report.

    Args:
        bench: what is measured.
        report: figures of the same pack so far; what is measured again is replaced.
        wanted: names of `PARTS`; a pack without a prior or an estimator has no such part.

    Yields:
        The report after every piece of work that is worth keeping.
    """
    measures = _measures(bench)
    for name in [name for name in measures if name in wanted]:
        bench.say(f"measuring: {name}")
        for figures, stamp in measures[name]():
            before = report.parts.get(name, {}) if name == "whole" else {}
            stamps = {f"whole/{key}": stamp for key in figures} if name == "whole" else {name: stamp}
            report = report.model_copy(
                update={
                    "parts": {**report.parts, name: {**before, **figures}},
                    "measured": {**report.measured, **stamps},
                }
            )
            yield report


def _measures(bench: Bench) -> dict[str, Measure]:
    runs = Runs(bench.work / "runs", bench.pack, bench.namer)
    once: dict[str, Callable[[], Figures]] = {
        "naming": partial(_naming, bench),
        "synonyms": partial(_synonyms, bench),
        "retrieval": partial(_retrieval, bench),
        "reconstruction": partial(_reconstruction, bench),
        "speed": partial(speed, bench.pack),
    }
    if bench.pack.prior is not None:
        once["prior"] = partial(_prior, bench, bench.pack.prior)
    if (network := bench.pack.estimator) is not None:
        once["estimator"] = partial(estimation, bench.seen, bench.held_out, network, bench.pack.compute)
    measures: dict[str, Measure] = {name: partial(_once, figures) for name, figures in once.items()}
    for name, from_runs in (("showcase", _showcase), ("diversity", _diversity), ("whole", _whole)):
        measures[name] = partial(from_runs, bench, runs)
    return {name: measures[name] for name in PARTS if name in measures}


def _once(figures: Callable[[], Figures]) -> Iterator[Measured]:
    yield figures(), now()


def _naming(bench: Bench) -> Figures:
    clips = {"guide": bench.pack.guide, "judge": bench.pack.judge}
    sets = {"seen": bench.seen, "held_out": bench.held_out}
    return {
        role: {name: naming(data, clip, bench.families) for name, data in sets.items()}
        for role, clip in clips.items()
    }


def _synonyms(bench: Bench) -> Figures:
    unread = captions.withheld_nouns()
    return {
        "nouns": sum(len(unread.get(family, ())) for family in bench.families),
        "guide": synonym_accuracy(bench.pack.guide, unread, bench.families),
        "judge": synonym_accuracy(bench.pack.judge, unread, bench.families),
    }


def _retrieval(bench: Bench) -> Figures:
    clips = {"guide": bench.pack.guide, "judge": bench.pack.judge}
    return {role: retrieval(bench.held_out, clip, bench.families) for role, clip in clips.items()}


def _reconstruction(bench: Bench) -> Figures:
    entries: list[Entry] = []
    for i in range(min(SHOWN_MATERIALS, len(bench.held_out))):
        x, params = known_planes(bench.held_out, i, bench.pack.channels), bench.held_out.params[i]
        _, y = through_codes(x, bench.pack)
        both = [maps_of(m, bench.pack.channels) for m in (x, y)]
        pictures = [as_image(p[0]) for p in (*(m.basecolor for m in both), *(under_key(m) for m in both))]
        entries.append((f"{params['colour']} {params['family']}", pictures))
    write_jpeg(sheet(entries, 3, 112), bench.pictures / "reconstruction.jpg")
    return reconstruction(bench.held_out, bench.pack) | {"picture": "reconstruction.jpg"}


def _prior(bench: Bench, network: AnyPrior) -> Figures:
    prompts = bench.prompts(min(PRIOR_PROMPTS, bench.sizes.prompts))
    drawn = [prior.draw(p.text, PRIOR_SAMPLES, bench.pack, network) for p in prompts]
    entries: list[Entry] = [
        (p.text, [as_image(d.pictures[0]), as_image(d.pictures[d.best])])
        for p, d in zip(prompts, drawn, strict=True)
    ]
    write_jpeg(sheet(entries, 4, 128), bench.pictures / "prior.jpg")
    return prior.sampled(drawn, prompts, bench.namer) | {"picture": "prior.jpg"}


def _showcase(bench: Bench, runs: Runs) -> Iterator[Measured]:
    done: list[Run] = []
    for text in SHOWCASE:
        bench.say(f"prompts to look at: {text}")
        done.append(runs(whole.settings(text, "auto", STEPS, bench.sizes.variations)))
    entries = [(f"{r.settings.prompt}\n{_read(r.read[0])}", list(runs.picture(r))) for r in done]
    write_jpeg(sheet(entries, 4, 160), bench.pictures / "prompts.jpg")
    read = {
        r.settings.prompt: {
            "read": _read(r.read[0]),
            "judge": r.judge[0],
            "guide": r.guide[0],
            "unknown_words": bench.pack.guide.unknown_words(r.settings.prompt),
        }
        for r in done
    }
    yield {"prompts": read, "picture": "prompts.jpg"}, together([r.stamp for r in done])


def _diversity(bench: Bench, runs: Runs) -> Iterator[Measured]:
    prompts, n = bench.prompts(bench.sizes.diverse), bench.sizes.diverse_variations
    done: list[Run] = []
    for p in prompts:
        bench.say(f"diversity: {len(done)} of {len(prompts)} prompts")
        done.append(runs(whole.settings(p.text, "auto", STEPS, n)))
    bench.say("diversity of true materials")
    reference = diversity.reference([(p.family, p.colour) for p in prompts], n, bench.pack.judge)
    yield diversity.diversity([r.vendi for r in done], n, reference), together([r.stamp for r in done])


def _whole(bench: Bench, runs: Runs) -> Iterator[Measured]:
    gap, prompts = Gap.of(bench.held_out, bench.pack), bench.prompts(bench.sizes.prompts)
    for start in bench.sizes.starts:
        for steps in bench.sizes.steps:
            done: list[Run] = []
            for p in prompts:
                bench.say(f"prompts from {start}, {steps} guided steps: {len(done)} of {len(prompts)}")
                done.append(runs(whole.settings(p.text, start, steps, bench.sizes.variations)))
            figures = whole.summary(prompts, done, gap)
            if (start, steps) == ("auto", STEPS):
                figures["picture"] = _held_out_sheet(prompts, done, runs, bench.pictures)
            yield {key(start, steps): figures}, together([r.stamp for r in done])


def key(start: Start, steps: int) -> str:
    """Under which the whole part's figures are kept."""
    return f"{start}/{steps}"


def _held_out_sheet(prompts: list[Prompt], done: list[Run], runs: Runs, folder: Path) -> str:
    entries = [
        (f"{p.text}\n{_read(r.read[0])}", list(runs.picture(r)))
        for p, r in zip(prompts[:SHOWN], done[:SHOWN], strict=True)
    ]
    write_jpeg(sheet(entries, 4, 128), folder / "held_out.jpg")
    return "held_out.jpg"


def _read(name: Name) -> str:
    family, colour = name
    return f"{colour} {family}"
